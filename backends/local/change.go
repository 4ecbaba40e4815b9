package local

import (
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// special are the mode bits that clients neither see nor set, and that a
// directory keeps: new files in a set-group-id directory belong to its group.
const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Mkdir makes one directory, with mode perm or the configured one whatever the umask.
func (f *Fs) Mkdir(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func() error { return f.b.mkdir(name, f.b.dirMode(perm)) })
}

func (b *Backend) mkdir(name string, mode fs.FileMode) error {
	s, err := b.locate(name, true)
	if err != nil {
		return err
	}
	defer s.close()
	if s.base == "." {
		return fs.ErrExist
	}
	if err := s.dir.mkdir(s.base, mode); err != nil {
		return err
	}
	if b.options.Sync {
		if err := s.dir.sync(); err != nil {
			return err
		}
	}
	a, err := s.dir.lstat(s.base)
	if err != nil || a.mode.Perm() == mode {
		return err
	}
	return b.root.Chmod(name[1:], mode|a.mode&special)
}

// MkdirAll makes a directory and what is missing above it.
func (f *Fs) MkdirAll(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func() error { return f.b.mkdirAll(name, f.b.dirMode(perm)) })
}

func (b *Backend) mkdirAll(name string, mode fs.FileMode) error {
	switch a, err := b.stat(name); {
	case err == nil && a.mode.IsDir():
		return nil
	case err == nil:
		return vfs.ErrNotDir
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	// A path that cannot be located ends here, before the recursion does.
	if _, err := relative(name); err != nil {
		return err
	}
	above, _ := vfs.Split(name)
	if err := b.mkdirAll(above, mode); err != nil {
		return err
	}
	err := b.mkdir(name, mode)
	if errors.Is(err, fs.ErrExist) { // somebody else was faster
		if a, again := b.stat(name); again == nil && a.mode.IsDir() {
			return nil
		}
	}
	return err
}

// Remove removes a file, a link, or an empty directory.
func (f *Fs) Remove(name string) error {
	return f.do("remove", name, func() error { return f.b.remove(name) })
}

func (b *Backend) remove(name string) error {
	s, err := b.locate(name, false)
	if err != nil {
		return err
	}
	defer s.close()
	if s.base == "." {
		return errTop
	}
	b.publishing.RLock()
	defer b.publishing.RUnlock()
	// EPERM is how systems other than Linux say that it is a directory.
	if err = s.dir.unlink(s.base); err == syscall.EISDIR || err == syscall.EPERM {
		switch again := s.dir.rmdir(s.base); again {
		case syscall.ENOTDIR:
		case syscall.ENOTEMPTY, syscall.EEXIST:
			err = b.rmdirStaged(s)
		default:
			err = again
		}
	}
	if err == nil {
		b.forget(name)
	}
	return err
}

// rmdirStaged removes a directory in which nothing is left but an empty
// staging directory, which clients do not see.
func (b *Backend) rmdirStaged(s spot) error {
	if dir, err := s.dir.sub(s.base); err == nil {
		_ = dir.rmdir(reservedName) // it is not empty, or not there: rmdir tells
		dir.close()
	}
	if err := s.dir.rmdir(s.base); err != syscall.EEXIST {
		return err
	}
	return syscall.ENOTEMPTY
}

// RemoveAll removes a file or a whole tree. What is missing is no error.
func (f *Fs) RemoveAll(name string) error {
	return f.do("remove", name, func() error {
		rel, err := relative(name)
		switch {
		case err == errReserved:
			return nil
		case err != nil:
			return err
		case rel == "":
			return errTop
		}
		f.b.publishing.RLock()
		defer f.b.publishing.RUnlock()
		return f.b.root.RemoveAll(rel)
	})
}

// Chmod sets the permission bits.
func (f *Fs) Chmod(name string, mode fs.FileMode) error {
	return f.do("chmod", name, func() error {
		return f.change(name, func(rel string, _ spot, a attrs) error {
			bits := mode.Perm()
			if a.mode.IsDir() {
				bits |= a.mode & special
			}
			return f.b.root.Chmod(rel, bits)
		})
	})
}

// Chown sets the numeric owner and group; -1 leaves one as it is.
func (f *Fs) Chown(name string, uid, gid int) error {
	return f.do("chown", name, func() error {
		return f.change(name, func(rel string, _ spot, _ attrs) error {
			return f.b.root.Chown(rel, uid, gid)
		})
	})
}

// Chtimes sets the times; a zero time leaves one as it is.
func (f *Fs) Chtimes(name string, atime, mtime time.Time) error {
	return f.do("chtimes", name, func() error {
		return f.change(name, func(_ string, s spot, _ attrs) error {
			return s.dir.chtimes(s.base, atime, mtime)
		})
	})
}

// change calls do for what name leads to, which exists. rel is a path of it for os.Root.
func (f *Fs) change(name string, do func(rel string, s spot, a attrs) error) error {
	s, a, exists, err := f.b.find(name, false)
	if err != nil {
		return err
	}
	defer s.close()
	if !exists {
		return fs.ErrNotExist
	}
	rel := s.base
	if s.parent != "" {
		rel = s.parent + "/" + s.base
	}
	return do(rel, s, a)
}
