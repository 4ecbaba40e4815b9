package vfs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"
)

// ReadOnly returns a view of fsys that forwards reading and refuses
// everything else with fs.ErrPermission, whatever fsys could do. Files come
// through unwrapped, so a raw *os.File stays one: it was opened for reading.
func ReadOnly(fsys afero.Fs) afero.Fs {
	return readOnly{fsys}
}

type readOnly struct{ fsys afero.Fs }

func (r readOnly) WithContext(ctx context.Context) afero.Fs {
	return readOnly{WithContext(ctx, r.fsys)}
}

func (r readOnly) Directories() afero.Fs { return readOnly{Directories(r.fsys)} }

func (r readOnly) Properties(name string) Properties {
	p := PropertiesOf(r.fsys, name)
	return Properties{
		ReadOnly: true, ImpliedDirs: p.ImpliedDirs, RawNames: p.RawNames,
		MaxName: p.MaxName, ExactErrors: p.ExactErrors,
		Hashes: p.Hashes, UsualHash: p.UsualHash, ComputeHashes: p.ComputeHashes,
	}
}

func (r readOnly) Name() string { return r.fsys.Name() }

func (r readOnly) Open(name string) (afero.File, error) { return r.fsys.Open(name) }

func (r readOnly) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	switch flag {
	case ModeRead:
		return r.fsys.OpenFile(name, flag, perm)
	case ModeReplace, ModeCreate, ModeAppend, ModeRestart:
		return nil, denied("open", name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
}

func (r readOnly) Stat(name string) (os.FileInfo, error) { return r.fsys.Stat(name) }

// Digest implements Hasher.
func (r readOnly) Digest(name string, algorithm Hashes) ([]byte, int64, error) {
	return Digest(r.fsys, name, algorithm)
}

func (r readOnly) Create(name string) (afero.File, error)    { return nil, denied("create", name) }
func (r readOnly) Mkdir(name string, _ fs.FileMode) error    { return denied("mkdir", name) }
func (r readOnly) MkdirAll(name string, _ fs.FileMode) error { return denied("mkdir", name) }
func (r readOnly) Remove(name string) error                  { return denied("remove", name) }
func (r readOnly) RemoveAll(name string) error               { return denied("remove", name) }
func (r readOnly) Rename(oldname, _ string) error            { return denied("rename", oldname) }
func (r readOnly) Chmod(name string, _ fs.FileMode) error    { return denied("chmod", name) }
func (r readOnly) Chown(name string, _, _ int) error         { return denied("chown", name) }
func (r readOnly) Chtimes(name string, _, _ time.Time) error { return denied("chtimes", name) }

// errReadOnly is fs.ErrPermission with a reason for the log.
var errReadOnly = errors.Join(fs.ErrPermission, errors.New("read-only filesystem"))

func denied(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: errReadOnly}
}
