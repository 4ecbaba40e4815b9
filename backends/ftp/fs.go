package ftp

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// filesystem is a Backend bound to a context.
type filesystem struct {
	b      *Backend
	owner  string
	window time.Duration   // for which cut uploads are held; 0: not at all
	bound  context.Context // nil: nothing cancels
}

// WithContext implements vfs.ContextFs.
func (f filesystem) WithContext(ctx context.Context) afero.Fs {
	f.bound = ctx
	return f
}

func (f filesystem) ctx() context.Context {
	if f.bound == nil {
		return context.Background()
	}
	return f.bound
}

// detached is the context of what ends an upload (contract, 5).
func (f filesystem) detached() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(f.ctx()), vfs.PublishTimeout)
}

// Properties implements vfs.Describer.
func (f filesystem) Properties(string) vfs.Properties {
	p := f.b.properties(f.ctx())
	p.Resume = f.window > 0
	return p
}

func (f filesystem) Name() string { return "ftp" }

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// do runs an operation on one connection; again says that it may be repeated.
func (f filesystem) do(op, name string, again bool, do func(*ftpclient.Conn) error) error {
	if err := f.b.with(f.ctx(), again, do); err != nil {
		return pathError(op, name, translate(f.ctx(), err))
	}
	return nil
}

// stat asks for an entry, with the name that clients know.
func (f filesystem) stat(c *ftpclient.Conn, name string) (ftpclient.Entry, error) {
	if err := f.b.visible(name); err != nil {
		return ftpclient.Entry{}, err
	}
	e, err := c.Stat(f.ctx(), f.b.at(name))
	e.Name = lastName(name)
	return e, err
}

func (f filesystem) Stat(name string) (os.FileInfo, error) {
	var e ftpclient.Entry
	err := f.do("stat", name, true, func(c *ftpclient.Conn) (err error) {
		e, err = f.stat(c, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return e.Info(), nil
}

func (f filesystem) Open(name string) (afero.File, error) { return f.OpenFile(name, vfs.ModeRead, 0) }

// Create opens name in vfs.ModeReplace.
func (f filesystem) Create(name string) (afero.File, error) {
	return f.OpenFile(name, vfs.ModeReplace, vfs.NewFileMode)
}

// OpenFile leaves modes to the server.
func (f filesystem) OpenFile(name string, flag int, _ fs.FileMode) (afero.File, error) {
	var file afero.File
	var err error
	switch flag {
	case vfs.ModeRead:
		file, err = f.openRead(name)
	case vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart:
		file, err = f.openUpload(name, flag)
	default:
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, pathError("open", name, translate(f.ctx(), err))
	}
	return file, nil
}

func (f filesystem) Mkdir(name string, _ fs.FileMode) error {
	return f.do("mkdir", name, false, func(c *ftpclient.Conn) error { return f.mkdir(c, name) })
}

func (f filesystem) mkdir(c *ftpclient.Conn, name string) error {
	if name == "/" {
		return fs.ErrExist
	}
	if err := f.b.creatable(name); err != nil {
		return err
	}
	if err := f.faithful(c, name); err != nil {
		return err
	}
	_, err := c.MakeDir(f.ctx(), f.b.at(name))
	f.b.changed(err, name)
	if err != nil {
		return f.why(c, name, fs.ErrExist, err)
	}
	return nil
}

func (f filesystem) MkdirAll(name string, _ fs.FileMode) error {
	return f.do("mkdir", name, false, func(c *ftpclient.Conn) error { return f.mkdirAll(c, name) })
}

func (f filesystem) mkdirAll(c *ftpclient.Conn, name string) error {
	e, err := f.stat(c, name)
	switch {
	case err == nil && !e.IsDir():
		return vfs.ErrNotDir
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if dir, _ := vfs.Split(name); dir != name {
		if err := f.mkdirAll(c, dir); err != nil {
			return err
		}
	}
	if err := f.mkdir(c, name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (f filesystem) Remove(name string) error {
	if name == "/" {
		return pathError("remove", name, fs.ErrPermission)
	}
	return f.do("remove", name, false, func(c *ftpclient.Conn) error {
		e, err := f.stat(c, name)
		if err != nil {
			return untouched{err}
		}
		unlock, err := f.b.names.lock(f.ctx(), name)
		if err != nil {
			return err
		}
		defer unlock()
		if e.IsDir() {
			return f.removeDir(c, name)
		}
		err = c.Delete(f.ctx(), f.b.at(name))
		f.b.changed(err, name)
		if err != nil {
			return f.gone(c, name, err)
		}
		return nil
	})
}

// removeDir removes an empty directory. One with uploads under way is not empty,
// though clients see nothing in it.
func (f filesystem) removeDir(c *ftpclient.Conn, name string) error {
	var err error
	for again := range 2 { // what was in the way may be gone when it is looked for
		err = c.RemoveDir(f.ctx(), f.b.at(name))
		if f.b.changed(err, name); err == nil {
			return nil
		}
		if !isRefusal(err) || !c.Usable() {
			return err
		}
		if f.b.names.isUploadingIn(name) { // some servers do not list names with a dot
			return because(vfs.ErrNotEmpty, err)
		}
		hidden := false
		for e, listed := range c.List(f.ctx(), f.b.at(name)) {
			if listed == nil && !f.b.isReserved("/"+e.Name) {
				return because(vfs.ErrNotEmpty, err)
			}
			hidden = hidden || listed == nil
		}
		if again == 1 && hidden {
			return failed(err, vfs.ErrNotEmpty, errLeftovers)
		}
		// What is held below it is in nobody's way.
		f.b.dropWhere(func(key heldKey, _ *held) bool { return vfs.Within(name, key.name) })
		f.b.tidy(f.ctx(), c)
	}
	return f.gone(c, name, err)
}

// errLeftovers tells the user what no listing does.
var errLeftovers = ftp.Errorf(550, "Directory not empty: it holds uploads that have not ended. Those of nobody go after 7 days.")

// gone finds out whether the removal of a name was refused because somebody else was faster.
func (f filesystem) gone(c *ftpclient.Conn, name string, err error) error {
	if isRefusal(err) && c.Usable() {
		if _, looked := f.stat(c, name); errors.Is(looked, fs.ErrNotExist) {
			return because(fs.ErrNotExist, err)
		}
	}
	return err
}

// RemoveAll removes name and all below it; one that does not exist is no error.
func (f filesystem) RemoveAll(name string) error {
	if name == "/" {
		return pathError("remove", name, fs.ErrPermission)
	}
	return f.do("remove", name, false, func(c *ftpclient.Conn) error {
		if f.b.visible(name) != nil {
			return nil
		}
		err := c.RemoveAll(f.ctx(), f.b.at(name))
		f.b.names.change(name) // whatever is gone of it
		return err
	})
}

// Chmod is not supported: a replaced file would lose its mode.
func (f filesystem) Chmod(name string, _ fs.FileMode) error {
	return pathError("chmod", name, vfs.ErrUnsupported)
}

// Chown is not supported: FTP knows no owners.
func (f filesystem) Chown(name string, _, _ int) error {
	return pathError("chown", name, vfs.ErrUnsupported)
}

// Chtimes sets the modification time, the only one there is.
func (f filesystem) Chtimes(name string, _, mtime time.Time) error {
	return f.do("chtimes", name, true, func(c *ftpclient.Conn) error {
		if err := f.b.visible(name); err != nil {
			return err
		}
		features, err := c.Features(f.ctx())
		if err != nil {
			return err
		}
		if !features.Has("MFMT") {
			return vfs.ErrUnsupported
		}
		if err := c.SetModTime(f.ctx(), f.b.at(name), mtime); err != nil {
			return f.gone(c, name, err)
		}
		return nil
	})
}
