package memory

import (
	"context"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// filesystem is one owner's view of a Backend.
type filesystem struct {
	b      *Backend
	owner  string
	window time.Duration
	ctx    context.Context // nil: nothing cancels
}

// WithContext implements vfs.ContextFs.
func (f filesystem) WithContext(ctx context.Context) afero.Fs {
	f.ctx = ctx
	return f
}

// Properties implements vfs.Describer.
func (f filesystem) Properties(string) vfs.Properties {
	return vfs.Properties{
		Append: true, Restart: true, Resume: f.window > 0, AtomicRename: true,
		SetTimes: true, SetMode: true, RawNames: true, MaxName: maxName, ExactErrors: true,
		ComputeHashes: true,
	}
}

// live returns the context's error once it is cancelled.
func (f filesystem) live() error {
	if f.ctx == nil {
		return nil
	}
	return f.ctx.Err()
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// change runs do under the tree's lock unless the context is cancelled.
func (f filesystem) change(op, name string, do func() error) error {
	err := f.live()
	if err == nil {
		f.b.mu.Lock()
		err = do()
		f.b.mu.Unlock()
	}
	if err != nil {
		return pathError(op, name, err)
	}
	return nil
}

func (f filesystem) Name() string { return "memory" }

func (f filesystem) Open(name string) (afero.File, error) {
	return f.OpenFile(name, vfs.ModeRead, 0)
}

// Create opens name in vfs.ModeReplace.
func (f filesystem) Create(name string) (afero.File, error) {
	return f.OpenFile(name, vfs.ModeReplace, vfs.NewFileMode)
}

func (f filesystem) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	err := f.live()
	if err == nil {
		var file afero.File
		switch flag {
		case vfs.ModeRead:
			file, err = f.openRead(name)
		case vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart:
			file, err = f.openUpload(name, flag, perm)
		default:
			err = fs.ErrInvalid
		}
		if err == nil {
			return file, nil
		}
	}
	return nil, pathError("open", name, err)
}

func (f filesystem) Stat(name string) (os.FileInfo, error) {
	if err := f.live(); err != nil {
		return nil, pathError("stat", name, err)
	}
	f.b.mu.RLock()
	defer f.b.mu.RUnlock()
	n, err := f.b.find(name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	i := infoOf(lastName(name), n)
	return &i, nil
}

// lastName is the name a FileInfo shows for path; the root's is "/".
func lastName(path string) string {
	if _, name := vfs.Split(path); name != "" {
		return name
	}
	return "/"
}

func (f filesystem) Mkdir(name string, perm fs.FileMode) error {
	return f.change("mkdir", name, func() error { return f.b.mkdir(name, perm) })
}

func (b *Backend) mkdir(path string, perm fs.FileMode) error {
	if path == "/" {
		return fs.ErrExist
	}
	dir, name, err := b.parent(path)
	if err != nil {
		return err
	}
	if dir.dir.lookup(name) != nil {
		return fs.ErrExist
	}
	if err := checkName(name); err != nil {
		return err
	}
	if err := b.takeLocked(EntryCost); err != nil {
		return err
	}
	n := b.newNode(perm)
	n.dir = newDirectory()
	dir.dir.insert(name, n)
	dir.mtime = n.mtime
	return nil
}

func (f filesystem) MkdirAll(path string, perm fs.FileMode) error {
	return f.change("mkdir", path, func() error {
		for i := 1; i <= len(path); i++ {
			if i < len(path) && path[i] != '/' {
				continue
			}
			n, err := f.b.find(path[:i])
			switch {
			case err != nil:
				if err := f.b.mkdir(path[:i], perm); err != nil {
					return err
				}
			case n.dir == nil:
				return vfs.ErrNotDir
			}
		}
		return nil
	})
}

func (f filesystem) Remove(name string) error {
	return f.change("remove", name, func() error {
		dir, last, err := f.b.parent(name)
		if err != nil {
			return err
		}
		n := dir.dir.lookup(last)
		switch {
		case n == nil:
			return fs.ErrNotExist
		case n.dir != nil && len(n.dir.byName) > 0:
			return vfs.ErrNotEmpty
		}
		f.b.detach(dir, last)
		return nil
	})
}

// RemoveAll removes name and all below it; one that does not exist is no error.
func (f filesystem) RemoveAll(name string) error {
	return f.change("remove", name, func() error {
		dir, last, err := f.b.parent(name)
		if err != nil {
			return err
		}
		if dir.dir.lookup(last) != nil {
			f.b.detach(dir, last)
		}
		return nil
	})
}

// detach takes the entry out of dir and gives back what it and all below it
// count. The caller holds b.mu.
func (b *Backend) detach(dir *node, name string) {
	n := dir.dir.lookup(name)
	dir.dir.remove(name)
	dir.mtime = b.now()
	b.discard(n)
}

func (b *Backend) discard(n *node) {
	b.budget.give(EntryCost)
	if n.dir == nil {
		n.content.release()
		return
	}
	for _, e := range n.dir.byName {
		b.discard(e.node)
	}
	n.dir = newDirectory() // a listing that still has it open ends
}

func (f filesystem) Chmod(name string, mode fs.FileMode) error {
	return f.change("chmod", name, func() error {
		n, err := f.b.find(name)
		if err == nil {
			n.mode = mode.Perm()
		}
		return err
	})
}

// Chown fails with vfs.ErrUnsupported: files in memory have no owners.
func (f filesystem) Chown(name string, _, _ int) error {
	return pathError("chown", name, vfs.ErrUnsupported)
}

// Chtimes sets the modification time, the only one there is.
func (f filesystem) Chtimes(name string, _, mtime time.Time) error {
	return f.change("chtimes", name, func() error {
		n, err := f.b.find(name)
		if err == nil {
			n.mtime = mtime
		}
		return err
	})
}
