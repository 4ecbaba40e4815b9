package ftpclient

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	pathpkg "path"
	"slices"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Source is where FS takes connections from, such as a Pool.
type Source interface {
	Get(ctx context.Context) (*Conn, error)
	Put(c *Conn)
}

// FS shows a directory of the server as a fs.FS, which also is a fs.ReadDirFS and fs.StatFS. A file takes a
// connection from its first Read until its end or Close. ctx bounds everything done with it.
func FS(ctx context.Context, s Source, root string) fs.FS {
	return &remoteFS{ctx, s, root}
}

type remoteFS struct {
	ctx  context.Context
	s    Source
	root string
}

// with runs f with a connection.
func (r *remoteFS) with(op, name string, f func(c *Conn, path string) error) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	c, err := r.s.Get(r.ctx)
	if err == nil {
		defer r.s.Put(c)
		err = f(c, r.path(name))
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

func (r *remoteFS) path(name string) string {
	if name == "." {
		return r.root
	}
	return join(r.root, name)
}

// Stat implements fs.StatFS.
func (r *remoteFS) Stat(name string) (fs.FileInfo, error) {
	var e Entry
	err := r.with("stat", name, func(c *Conn, path string) (err error) {
		if e, err = c.Stat(r.ctx, path); err == nil && e.Type == ftp.TypeOther {
			e.Type = ftp.TypeFile // it can be tried
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	e.Name = pathpkg.Base(name)
	return e.Info(), nil
}

// ReadDir implements fs.ReadDirFS. It holds the whole directory; one that takes more than 128 MiB is ErrTooLong.
func (r *remoteFS) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	err := r.with("readdir", name, func(c *Conn, path string) error {
		held := 0
		for e, err := range c.List(r.ctx, path) {
			if err != nil {
				return err
			}
			e.alone()
			if held += e.size(); held > maxCollected {
				return fmt.Errorf("%w: too many entries", ErrTooLong)
			}
			all = append(all, e.DirEntry())
		}
		return nil
	})
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, err
}

// Open implements fs.FS.
func (r *remoteFS) Open(name string) (fs.File, error) {
	info, err := r.Stat(name)
	if err != nil {
		err.(*fs.PathError).Op = "open" //nolint:forcetypeassert // Stat makes it
		return nil, err
	}
	return &remoteFile{fs: r, name: name, info: info}, nil
}

// remoteFile is an open file or directory.
type remoteFile struct {
	fs   *remoteFS
	name string
	info fs.FileInfo

	c       *Conn // while d is open
	d       *Download
	err     error // of reading; io.EOF after the end
	entries []fs.DirEntry
	listed  bool
	closed  bool
}

func (f *remoteFile) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// Stat implements fs.File.
func (f *remoteFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Read implements fs.File.
func (f *remoteFile) Read(b []byte) (int, error) {
	switch {
	case f.closed:
		return 0, f.fail("read", fs.ErrClosed)
	case f.info.IsDir():
		return 0, f.fail("read", fs.ErrInvalid)
	case f.err != nil:
		return 0, f.err
	case len(b) == 0:
		return 0, nil
	}
	if f.d == nil {
		if err := f.start(); err != nil {
			f.err = f.fail("read", err)
			return 0, f.err
		}
	}
	n, err := f.d.Read(b)
	if err != nil {
		f.err = err
		if err != io.EOF { //nolint:errorlint // Download's
			f.err = f.fail("read", err)
		}
		f.release()
	}
	return n, f.err
}

func (f *remoteFile) start() (err error) {
	if f.c, err = f.fs.s.Get(f.fs.ctx); err != nil {
		return err
	}
	if f.d, err = f.c.Retrieve(f.fs.ctx, f.fs.path(f.name), 0); err != nil {
		f.release()
	}
	return err
}

func (f *remoteFile) release() {
	if f.c != nil {
		f.fs.s.Put(f.c)
		f.c, f.d = nil, nil
	}
}

// Close implements fs.File. A file that was not read to its end is no error.
func (f *remoteFile) Close() error {
	if f.closed {
		return f.fail("close", fs.ErrClosed)
	}
	f.closed = true
	if f.d != nil {
		_ = f.d.Abort() // the pool looks at the connection
	}
	f.release()
	return nil
}

// ReadDir implements fs.ReadDirFile.
func (f *remoteFile) ReadDir(n int) ([]fs.DirEntry, error) {
	switch {
	case f.closed:
		return nil, f.fail("readdir", fs.ErrClosed)
	case !f.info.IsDir():
		return nil, f.fail("readdir", fs.ErrInvalid)
	}
	if !f.listed {
		all, err := f.fs.ReadDir(f.name)
		if err != nil {
			return nil, err
		}
		f.entries, f.listed = all, true
	}
	if n > 0 && len(f.entries) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(f.entries) {
		n = len(f.entries)
	}
	part := f.entries[:n:n]
	f.entries = f.entries[n:]
	return part, nil
}
