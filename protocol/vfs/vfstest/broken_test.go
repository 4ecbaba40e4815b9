package vfstest

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// sound is a backend that keeps the contract.
func sound() Backend {
	tree := func(limit int64) Tree {
		var late atomic.Int64
		b := memory.New(memory.Options{MaxSize: limit, Now: func() time.Time {
			return time.Now().Add(time.Duration(late.Load()))
		}})
		return Tree{
			Open:   func(owner string) afero.Fs { return b.Open(owner, time.Hour) },
			Expire: func() { late.Add(int64(time.Hour)) },
		}
	}
	return Backend{
		New:        func(TB) Tree { return tree(0) },
		NewLimited: func(_ TB, limit int64) Tree { return tree(limit) },
	}
}

// wrapped is sound with every filesystem it opens wrapped.
func wrapped(wrap func(afero.Fs) afero.Fs) Backend {
	with := func(tree Tree) Tree {
		open := tree.Open
		tree.Open = func(owner string) afero.Fs { return wrap(open(owner)) }
		return tree
	}
	b := sound()
	return Backend{
		New:        func(t TB) Tree { return with(b.New(t)) },
		NewLimited: func(t TB, limit int64) Tree { return with(b.NewLimited(t, limit)) },
	}
}

// broken is a sound filesystem of which some methods are replaced. What is nil
// is forwarded. The hooks get the filesystem below, bound to the context.
type broken struct {
	afero.Fs
	faults *faults
}

type faults struct {
	deaf       bool // does not pass contexts on
	viewless   bool // has no view of directories
	open       func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error)
	file       func(below afero.Fs, name string, flag int, f afero.File) *file // wraps what was opened
	name       func(string) string                                             // rewrites every name
	errorText  string                                                          // prefixes every error
	stat       func(below afero.Fs, name string) (os.FileInfo, error)
	mkdir      func(below afero.Fs, name string) error
	remove     func(below afero.Fs, name string) error
	rename     func(below afero.Fs, oldname, newname string) error
	exclusive  func(below afero.Fs, oldname, newname string) error
	chtimes    func(below afero.Fs, name string, mtime time.Time) error
	chmod      func(below afero.Fs, name string, mode fs.FileMode) error
	held       func(below afero.Fs, name string) (int64, error)
	digest     func(below afero.Fs, name string, h vfs.Hashes) ([]byte, int64, error)
	properties func(vfs.Properties) vfs.Properties
}

// file is an open file of which some methods are replaced.
type file struct {
	afero.File
	write        func([]byte) (int, error)
	seek         func(int64, int) (int64, error)
	read         func([]byte) (int, error)
	readdir      func(int) ([]os.FileInfo, error)
	readdirnames func(int) ([]string, error)
	close        func() error
	abort        func() error
	keep         func() error
	hint         func(n int64)
	closeFree    func(others iter.Seq[string]) (string, error)
}

func (f faults) wrap(fsys afero.Fs) afero.Fs { return broken{fsys, &f} }

func (b broken) n(name string) string {
	if b.faults.name != nil {
		return b.faults.name(name)
	}
	return name
}

type textError struct {
	error
	text string
}

func (e textError) Error() string { return e.text + e.error.Error() }
func (e textError) Unwrap() error { return e.error }

func (b broken) e(err error) error {
	if err == nil || b.faults.errorText == "" {
		return err
	}
	return textError{err, b.faults.errorText}
}

func (b broken) WithContext(ctx context.Context) afero.Fs {
	if b.faults.deaf {
		return b
	}
	return broken{vfs.WithContext(ctx, b.Fs), b.faults}
}

// Directories passes the view on; the faults stay.
func (b broken) Directories() afero.Fs {
	if b.faults.viewless {
		return b
	}
	return broken{vfs.Directories(b.Fs), b.faults}
}

func (b broken) Properties(name string) vfs.Properties {
	p := vfs.PropertiesOf(b.Fs, name)
	if b.faults.properties != nil {
		p = b.faults.properties(p)
	}
	return p
}

func (b broken) Open(name string) (afero.File, error) { return b.OpenFile(name, vfs.ModeRead, 0) }

func (b broken) OpenFile(name string, flag int, perm fs.FileMode) (f afero.File, err error) {
	if b.faults.open != nil {
		f, err = b.faults.open(b.Fs, b.n(name), flag, perm)
	} else {
		f, err = b.Fs.OpenFile(b.n(name), flag, perm)
	}
	if err != nil {
		return nil, b.e(err)
	}
	if b.faults.file != nil {
		w := b.faults.file(b.Fs, b.n(name), flag, f)
		w.File = f
		return w, nil
	}
	return f, nil
}

func (b broken) Stat(name string) (os.FileInfo, error) {
	if b.faults.stat != nil {
		info, err := b.faults.stat(b.Fs, b.n(name))
		return info, b.e(err)
	}
	info, err := b.Fs.Stat(b.n(name))
	return info, b.e(err)
}

func (b broken) Mkdir(name string, perm fs.FileMode) error {
	if b.faults.mkdir != nil {
		return b.e(b.faults.mkdir(b.Fs, b.n(name)))
	}
	return b.e(b.Fs.Mkdir(b.n(name), perm))
}

func (b broken) Remove(name string) error {
	if b.faults.remove != nil {
		return b.e(b.faults.remove(b.Fs, b.n(name)))
	}
	return b.e(b.Fs.Remove(b.n(name)))
}

func (b broken) Rename(oldname, newname string) error {
	if b.faults.rename != nil {
		return b.e(b.faults.rename(b.Fs, b.n(oldname), b.n(newname)))
	}
	return b.e(b.Fs.Rename(b.n(oldname), b.n(newname)))
}

func (b broken) RenameExclusive(oldname, newname string) error {
	if b.faults.exclusive != nil {
		return b.e(b.faults.exclusive(b.Fs, b.n(oldname), b.n(newname)))
	}
	return b.e(vfs.RenameExclusive(b.Fs, b.n(oldname), b.n(newname)))
}

func (b broken) Chtimes(name string, atime, mtime time.Time) error {
	if b.faults.chtimes != nil {
		return b.e(b.faults.chtimes(b.Fs, b.n(name), mtime))
	}
	return b.e(b.Fs.Chtimes(b.n(name), atime, mtime))
}

func (b broken) Chmod(name string, mode fs.FileMode) error {
	if b.faults.chmod != nil {
		return b.e(b.faults.chmod(b.Fs, b.n(name), mode))
	}
	return b.e(b.Fs.Chmod(b.n(name), mode))
}

func (b broken) Held(name string) (int64, error) {
	if b.faults.held != nil {
		return b.faults.held(b.Fs, b.n(name))
	}
	return vfs.Held(b.Fs, b.n(name))
}

func (b broken) Digest(name string, h vfs.Hashes) ([]byte, int64, error) {
	digest := b.faults.digest
	if digest == nil {
		digest = vfs.Digest
	}
	sum, size, err := digest(b.Fs, b.n(name), h)
	return sum, size, b.e(err)
}

func (f *file) Write(p []byte) (int, error) {
	if f.write != nil {
		return f.write(p)
	}
	return f.File.Write(p)
}

func (f *file) HintSize(n int64) {
	if f.hint != nil {
		f.hint(n)
		return
	}
	vfs.HintSize(f.File, n)
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	if f.seek != nil {
		return f.seek(offset, whence)
	}
	return f.File.Seek(offset, whence)
}

func (f *file) Read(p []byte) (int, error) {
	if f.read != nil {
		return f.read(p)
	}
	return f.File.Read(p)
}

func (f *file) Readdir(n int) ([]os.FileInfo, error) {
	if f.readdir != nil {
		return f.readdir(n)
	}
	return f.File.Readdir(n)
}

func (f *file) Readdirnames(n int) ([]string, error) {
	if f.readdirnames != nil {
		return f.readdirnames(n)
	}
	return f.File.Readdirnames(n)
}

func (f *file) Close() error {
	if f.close != nil {
		return f.close()
	}
	return f.File.Close()
}

func (f *file) CloseFree(others iter.Seq[string]) (string, error) {
	switch {
	case f.closeFree != nil:
		return f.closeFree(others)
	case f.close != nil:
		return "", f.close()
	}
	return vfs.CloseFree(f.File, others)
}

func (f *file) Abort() error {
	if f.abort != nil {
		return f.abort()
	}
	return vfs.Abort(f.File)
}

func (f *file) Keep() error {
	if f.keep != nil {
		return f.keep()
	}
	return f.File.(vfs.Keeper).Keep()
}
