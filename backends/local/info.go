package local

import (
	"io/fs"
	"strconv"
	"time"
)

// attrs is what the host says about a file.
type attrs struct {
	dev, ino  uint64
	size, sec int64 // sec and nsec: time of the last change of content
	nsec      uint32
	mode      fs.FileMode
	nlink     uint32
	uid, gid  uint32
}

// fileID names an object of the host for as long as it exists.
type fileID struct{ dev, ino uint64 }

func (a *attrs) id() fileID         { return fileID{a.dev, a.ino} }
func (a *attrs) modTime() time.Time { return time.Unix(a.sec, int64(a.nsec)) }
func (a *attrs) isLink() bool       { return a.mode&fs.ModeSymlink != 0 }

// same reports whether a and b are one file with unchanged content.
func (a *attrs) same(b *attrs) bool {
	return a.dev == b.dev && a.ino == b.ino && a.size == b.size && a.sec == b.sec && a.nsec == b.nsec
}

// info is the fs.FileInfo of this package; also a vfs.Identifier and vfs.Owned.
type info struct {
	attrs
	name   string
	owners *owners
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return i.mode }
func (i *info) ModTime() time.Time { return i.modTime() }
func (i *info) IsDir() bool        { return i.mode.IsDir() }
func (i *info) Sys() any           { return nil }

// Identity is the device and inode number, or "" where there are none.
func (i *info) Identity() string {
	if i.ino == 0 {
		return ""
	}
	var b [40]byte
	out := strconv.AppendUint(b[:0], i.dev, 16)
	out = append(out, 'g')
	return string(strconv.AppendUint(out, i.ino, 16))
}

func (i *info) Owner() (user, group string, links int) {
	return i.owners.user(i.uid), i.owners.group(i.gid), int(i.nlink)
}
