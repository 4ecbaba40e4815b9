package s3

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// fsys is a Backend as one command sees it.
type fsys struct {
	*Backend
	ctx  context.Context
	dirs bool // names mean directories (vfs.DirectoryView)
}

var (
	_ afero.Fs             = (*fsys)(nil)
	_ vfs.ContextFs        = (*fsys)(nil)
	_ vfs.Describer        = (*fsys)(nil)
	_ vfs.DirectoryView    = (*fsys)(nil)
	_ vfs.ExclusiveRenamer = (*fsys)(nil)
)

// WithContext implements vfs.ContextFs.
func (f *fsys) WithContext(ctx context.Context) afero.Fs {
	return &fsys{Backend: f.Backend, ctx: ctx, dirs: f.dirs}
}

// Directories implements vfs.DirectoryView.
func (f *fsys) Directories() afero.Fs {
	return &fsys{Backend: f.Backend, ctx: f.ctx, dirs: true}
}

// Properties implements vfs.Describer.
func (f *fsys) Properties(string) vfs.Properties {
	return vfs.Properties{
		Append: !f.o.Uniform, Restart: !f.o.Uniform,
		ImpliedDirs: true, SetTimes: true, ExactErrors: true,
		Hashes: storedHashes, UsualHash: f.usualHash(),
	}
}

// Name says what kind of storage this is.
func (f *fsys) Name() string { return "s3" }

// detached is the context of what must not stop half-way.
func (f *fsys) detached() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(f.ctx), vfs.PublishTimeout)
}

// Open opens an object or a directory for reading.
func (f *fsys) Open(name string) (afero.File, error) { return f.OpenFile(name, vfs.ModeRead, 0) }

// Create opens an object in vfs.ModeReplace.
func (f *fsys) Create(name string) (afero.File, error) {
	return f.OpenFile(name, vfs.ModeReplace, vfs.NewFileMode)
}

// OpenFile opens an object in one of the modes of package vfs or, for reading
// and if there is no object, the directory of that name.
func (f *fsys) OpenFile(name string, flag int, _ fs.FileMode) (afero.File, error) {
	err := f.ctx.Err()
	var file afero.File
	if err == nil {
		switch flag {
		case vfs.ModeRead:
			file, err = f.openRead(name)
		case vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart:
			file, err = f.openUpload(name, flag)
		default:
			err = fs.ErrInvalid
		}
	}
	if err != nil {
		return nil, fault("open", name, err)
	}
	return file, nil
}

func (f *fsys) openRead(name string) (afero.File, error) {
	if name != "/" && !f.dirs {
		file, err := f.openDownload(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return f.openDir(name)
}

// Stat describes the object or, if there is none, the directory: a HEAD, and a
// LIST of one key where that finds nothing. The root is always there.
func (f *fsys) Stat(name string) (os.FileInfo, error) {
	i, err := f.stat(name)
	if err != nil {
		return nil, fault("stat", name, err)
	}
	return i, nil
}

func (f *fsys) stat(name string) (*info, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	if name != "/" && !f.dirs {
		o, err := f.find(name)
		if err == nil {
			return f.objectInfo(&o), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	dirKey, err := f.dirKey(name)
	if err == nil && name != "/" {
		err = f.findDir(f.ctx, dirKey)
	}
	if err != nil {
		return nil, err
	}
	return f.directoryInfo(dirKey), nil
}

// find is the object of that name: what has just been seen of it, or a HEAD.
func (f *fsys) find(name string) (object, error) {
	key, err := f.key(name)
	if err != nil {
		return object{}, err
	}
	if o, ok := f.lookup(key); ok {
		return o, nil
	}
	return f.head(f.ctx, key)
}

// Chmod fails: objects have no modes.
func (f *fsys) Chmod(name string, _ fs.FileMode) error {
	return fault("chmod", name, vfs.ErrUnsupported)
}

// Chown fails: objects have owners of another kind.
func (f *fsys) Chown(name string, _, _ int) error {
	return fault("chown", name, vfs.ErrUnsupported)
}
