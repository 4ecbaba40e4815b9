package memory

import (
	"io/fs"
	"strconv"
	"time"
)

// info is a node at one moment.
type info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
	id    uint64
}

// infoOf describes n. The caller holds the backend's lock.
func infoOf(name string, n *node) info {
	i := info{name: name, mode: n.mode, mtime: n.mtime, id: n.id}
	if n.dir != nil {
		i.mode |= fs.ModeDir
	} else {
		i.size = n.content.size
	}
	return i
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return i.mode }
func (i *info) ModTime() time.Time { return i.mtime }
func (i *info) IsDir() bool        { return i.mode.IsDir() }
func (i *info) Sys() any           { return nil }

// Identity implements vfs.Identifier: it stays with the file through renames and replacement.
func (i *info) Identity() string { return strconv.FormatUint(i.id, 36) }
