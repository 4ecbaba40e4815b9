package local

import (
	"encoding/binary"
	"io"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// direntBuffer is how much of a directory is asked for at once.
const direntBuffer = 32 << 10

// Offsets in struct linux_dirent64 (getdents64(2)).
const (
	direntLength = 16 // two bytes: length of the whole record
	direntName   = 19 // ends in NUL
)

// entryReader holds a piece of a directory as the kernel gave it. The names of
// the entries are parts of one string, so that they cost no allocation each.
type entryReader struct {
	buf   *[direntBuffer]byte
	names string // a copy of what is filled of buf
	pos   int
}

func (r *entryReader) release(b *Backend) {
	if r.buf != nil {
		b.buffers.Put(r.buf)
		r.buf = nil
	}
}

// read returns the next entries of d as Readdir does, with their attributes only if look is set.
func (d *directory) read(n int, look bool) (infos []fs.FileInfo, err error) {
	conn, err := d.SyscallConn()
	if err != nil {
		return nil, err
	}
	// The descriptor stays open for as long as the function runs, whoever closes d.
	controlErr := conn.Control(func(fd uintptr) { infos, err = d.readFrom(int(fd), n, look) })
	if controlErr != nil {
		err = controlErr
	}
	if err == nil && n > 0 && len(infos) == 0 {
		err = io.EOF
	}
	return infos, err
}

func (d *directory) readFrom(fd, n int, look bool) ([]fs.FileInfo, error) {
	var infos []fs.FileInfo
	for n <= 0 || len(infos) < n {
		r := &d.entries
		if r.pos == len(r.names) {
			if err := r.fill(fd, d.b); err != nil {
				return infos, err
			}
			if r.names == "" {
				return infos, nil
			}
		}
		room := r.count()
		if n > 0 {
			room = min(room, n-len(infos))
		}
		infos = d.take(fd, room, look, infos)
	}
	return infos, nil
}

func (r *entryReader) fill(fd int, b *Backend) error {
	if r.buf == nil {
		r.buf = b.buffers.Get().(*[direntBuffer]byte)
	}
	var n int
	err := retry(func() (err error) {
		n, err = unix.Getdents(fd, r.buf[:])
		return err
	})
	if err == unix.ENOENT { // the directory was removed
		n, err = 0, nil
	}
	r.names, r.pos = string(r.buf[:max(n, 0)]), 0
	return err
}

// count is the number of records that are left.
func (r *entryReader) count() (n int) {
	for pos := r.pos; pos < len(r.names); n++ {
		pos += int(binary.NativeEndian.Uint16(r.buf[pos+direntLength:]))
	}
	return n
}

// take appends the next entries, of which there are count.
func (d *directory) take(fd, count int, look bool, infos []fs.FileInfo) []fs.FileInfo {
	r := &d.entries
	block := make([]info, count) // one allocation for all
	var st unix.Stat_t
	for i := range block {
		record := r.names[r.pos:]
		length := int(binary.NativeEndian.Uint16(r.buf[r.pos+direntLength:]))
		name := record[direntName:length]
		name = name[:strings.IndexByte(name, 0)]
		r.pos += length
		if name == "." || name == ".." || !d.shows(name) {
			continue
		}
		e := &block[i]
		e.name, e.owners = name, d.b.owners
		if look {
			err := retry(func() error { return unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
			if err != nil {
				continue // it is gone, or cannot be looked at: then it is not for clients either
			}
			e.attrs = attrsOf(&st)
			if e.isLink() {
				e.attrs = d.target(name, e.attrs)
			}
		}
		infos = append(infos, e)
	}
	return infos
}
