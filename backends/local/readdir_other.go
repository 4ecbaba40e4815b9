//go:build !linux

package local

import (
	"io"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

const direntBuffer = 1 // package os has its own

type entryReader struct{}

func (*entryReader) release(*Backend) {}

// read returns the next entries of d as Readdir does. It always looks at them.
func (d *directory) read(n int, _ bool) ([]fs.FileInfo, error) {
	var infos []fs.FileInfo
	for {
		names, err := d.File.Readdirnames(n)
		for _, name := range names {
			if !d.shows(name) {
				continue
			}
			a, err := d.b.lstat(vfs.Join(d.name, name))
			if err != nil {
				continue // it is gone
			}
			if a.isLink() {
				a = d.target(name, a)
			}
			infos = append(infos, &info{attrs: a, name: name, owners: d.b.owners})
		}
		if err == io.EOF && len(infos) > 0 {
			err = nil
		}
		if err != nil || n <= 0 || len(infos) > 0 {
			return infos, err
		}
	}
}

// lstat describes what name is, without following a link.
func (b *Backend) lstat(name string) (attrs, error) {
	s, err := b.locate(name, false)
	if err != nil {
		return attrs{}, err
	}
	defer s.close()
	return s.dir.lstat(s.base)
}
