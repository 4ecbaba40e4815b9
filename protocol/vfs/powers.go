package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"

	"github.com/spf13/afero"
)

// ContextFs is a filesystem whose operations can be cancelled.
// Fallback: the filesystem itself, whose operations then run to their end.
type ContextFs interface {
	WithContext(ctx context.Context) afero.Fs
}

// WithContext binds fsys to ctx if it can be bound.
func WithContext(ctx context.Context, fsys afero.Fs) afero.Fs {
	if c, ok := fsys.(ContextFs); ok {
		return c.WithContext(ctx)
	}
	return fsys
}

// Aborter is mandatory for files opened for writing: Abort discards what was
// written and leaves the old state.
type Aborter interface {
	Abort() error
}

// ErrNoAbort is what Abort returns for a file that breaks the contract.
var ErrNoAbort = errors.New("vfs: file opened for writing has no Abort")

// Abort discards f. It never falls back to Close, which would publish.
func Abort(f afero.File) error {
	if a, ok := f.(Aborter); ok {
		return a.Abort()
	}
	return ErrNoAbort
}

// Keeper is a file opened for writing whose content can be held back for a
// later APPE or REST by the same owner instead of being discarded.
type Keeper interface {
	Keep() error
}

// FreeCloser is a file opened in ModeCreate whose Close can take another name in the same
// directory when its own has been taken meanwhile. CloseFree is that Close: it publishes
// under the file's own name or, as long as the last one tried is taken, the next one of others.
// It draws none that it does not try, and returns the one it took, "" for its own. Drawing one
// must not use the filesystem, which may be locked meanwhile.
// fs.ErrExist: every one was taken, or the file has become too large to be tried again.
// Then, as after any error of Close, nothing is published and the file is gone.
// Fallback: Close, and the first fs.ErrExist is the last.
type FreeCloser interface {
	CloseFree(others iter.Seq[string]) (name string, err error)
}

// CloseFree closes f under its own name or, if f can, under a free one of others.
func CloseFree(f afero.File, others iter.Seq[string]) (name string, err error) {
	if c, ok := f.(FreeCloser); ok {
		return c.CloseFree(others)
	}
	return "", f.Close()
}

// SizeHinter is a file opened for writing that can make use of how many bytes will be
// written. HintSize is called once at most, before the first Write and Seek, with an n above 0 that a
// client has announced (ALLO): it may be wrong, by any amount and either way, and neither what
// can be written nor what is taken in advance may depend on it beyond a bound of the backend's own.
// Fallback: nobody tells.
type SizeHinter interface {
	HintSize(n int64)
}

// HintSize tells f, if it wants to know, that n bytes are announced.
func HintSize(f afero.File, n int64) {
	if h, ok := f.(SizeHinter); ok && n > 0 {
		h.HintSize(n)
	}
}

// Pacer is a file opened for writing that may give up on a client which keeps it waiting between two
// Writes. Paced tells that the time until the next Write, or what ends the file, is the server's own, as that
// of a rate limit is. It returns at once.
// Fallback: nobody is told.
type Pacer interface {
	Paced()
}

// Paced tells f, if it wants to know, that its client is not waited for until the next Write.
func Paced(f afero.File) {
	if p, ok := f.(Pacer); ok {
		p.Paced()
	}
}

// Resumer is a filesystem that holds partial uploads for its owner. Held
// returns the size of the one held under name, or fs.ErrNotExist.
// A held partial takes precedence over the finished file of that name in
// ModeAppend and ModeRestart, and never shows in listings or in ModeRead.
// Fallback: nothing is ever held.
type Resumer interface {
	Held(name string) (size int64, err error)
}

// Held reports the size of the partial upload held under name.
func Held(fsys afero.Fs, name string) (int64, error) {
	if r, ok := fsys.(Resumer); ok {
		return r.Held(name)
	}
	return 0, fs.ErrNotExist
}

// ExclusiveRenamer renames without ever replacing: fs.ErrExist if newname exists.
// Fallback: a look before the rename, which a concurrent writer can slip between.
type ExclusiveRenamer interface {
	RenameExclusive(oldname, newname string) error
}

// RenameExclusive renames oldname to newname unless newname exists.
func RenameExclusive(fsys afero.Fs, oldname, newname string) error {
	if r, ok := fsys.(ExclusiveRenamer); ok {
		return r.RenameExclusive(oldname, newname)
	}
	if oldname == newname || oldname == "/" || newname == "/" {
		return fsys.Rename(oldname, newname) // never replaces anything
	}
	switch _, err := fsys.Stat(newname); {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return fsys.Rename(oldname, newname)
}

// DirectoryView is a filesystem where an object and a directory of one name can both
// exist (Properties.ImpliedDirs). Directories returns a view in which every
// name means the directory, never the object: Stat, Open and Remove of a name that is only
// an object's are fs.ErrNotExist.
// Fallback: the filesystem itself, where a name is one thing.
type DirectoryView interface {
	Directories() afero.Fs
}

// Directories returns the view of fsys in which names mean directories.
func Directories(fsys afero.Fs) afero.Fs {
	if d, ok := fsys.(DirectoryView); ok {
		return d.Directories()
	}
	return fsys
}

// RawFile gives access to the operating system's file below a file, for
// sendfile and splice. Only wrappers that do not transform bytes have it.
type RawFile interface {
	OSFile() *os.File
}

// OSFile returns the *os.File that f is or wraps, or nil.
func OSFile(f any) *os.File {
	switch f := f.(type) {
	case *os.File:
		return f
	case RawFile:
		return f.OSFile()
	}
	return nil
}

// Identifier is a FileInfo that knows a stable identity of its object, shown
// as the "unique" fact (RFC 3659 §7.5.2): two names of one object have the same.
// Fallback: no such fact.
type Identifier interface {
	Identity() string
}

// Owned is a FileInfo that knows the names shown as owner and group in LIST,
// and its number of links. Fallback: "ftp", "ftp" and 1.
type Owned interface {
	Owner() (user, group string, links int)
}
