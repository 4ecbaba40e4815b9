package local

import (
	"io/fs"
	"os"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// directory is an opened directory. It lists the entries that exist for
// clients, in the order in which the host gives them.
type directory struct {
	*os.File
	fs      *Fs
	b       *Backend
	name    string // the virtual path
	attrs   attrs
	entries entryReader
}

func (d *directory) Stat() (fs.FileInfo, error) { return d.b.info(d.name, d.attrs), nil }

// Readdir returns the next n entries, or all that are left if n <= 0. Links are
// shown as what they lead to; only those that lead nowhere, or out of the root,
// are links.
func (d *directory) Readdir(n int) ([]fs.FileInfo, error) { return d.list(n, true) }

// Readdirnames is Readdir without a look at the entries.
func (d *directory) Readdirnames(n int) ([]string, error) {
	infos, err := d.list(n, false)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
	}
	return names, err
}

func (d *directory) list(n int, look bool) ([]fs.FileInfo, error) {
	if err := d.fs.begin(); err != nil {
		return nil, wrap("readdir", d.name, err)
	}
	defer d.b.leave()
	infos, err := d.read(n, look)
	return infos, wrap("readdir", d.name, err)
}

// Close ends the listing.
func (d *directory) Close() error {
	d.entries.release(d.b)
	return d.File.Close()
}

// Read fails: a directory has no content.
func (d *directory) Read([]byte) (int, error) { return 0, wrap("read", d.name, vfs.ErrIsDir) }

// shows reports whether an entry of this name exists for clients. Names that
// hold CR or LF could be taken for the end of a line of a listing.
func (d *directory) shows(name string) bool {
	if isReserved(name) {
		return false
	}
	if !strings.ContainsAny(name, "\r\n") {
		return true
	}
	if d.b.options.Skipped != nil {
		d.b.options.Skipped(d.name, name)
	}
	return false
}

// target returns the attributes of what a link leads to, or the link's own.
func (d *directory) target(name string, link attrs) attrs {
	if a, err := d.b.stat(vfs.Join(d.name, name)); err == nil {
		return a
	}
	return link
}
