//go:build !unix

package local

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

// folder is a directory by its path, on systems without calls relative to a
// descriptor. It is still os.Root that resolves the path, once per call, so
// nothing leads out; but what is done in two calls can be raced.
type folder struct {
	root  *os.Root
	rel   string
	f     *os.File // only for a folder from sub, and for the top
	owned bool
	known *facts
}

const errLink = syscall.ELOOP

func isAbsolute(target string) bool {
	return filepath.IsAbs(target) || target[0] == '/' || target[0] == '\\' || filepath.VolumeName(target) != ""
}

func openTop(root *os.Root) (folder, error) {
	f, err := root.Open(".")
	return folder{root: root, rel: ".", f: f}, err
}

func openFolder(root *os.Root, rel string) (folder, error) {
	info, err := root.Stat(rel)
	if err != nil {
		return folder{}, plain(err)
	}
	if !info.IsDir() {
		return folder{}, syscall.ENOTDIR
	}
	return folder{root: root, rel: rel}, nil
}

func (d folder) path(base string) string { return path.Join(d.rel, base) }

func (d folder) close() {
	if d.owned && d.f != nil {
		d.f.Close()
	}
}

// plain turns an error of package os into the number that the rest of this package looks for.
func plain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrExist):
		return syscall.EEXIST
	}
	return err
}

func (d folder) lstat(base string) (attrs, error) {
	info, err := d.root.Lstat(d.path(base))
	if err != nil {
		return attrs{}, plain(err)
	}
	return attrsOf(info), nil
}

func (d folder) open(base, _ string) (*os.File, attrs, error) {
	a, err := d.lstat(base)
	switch {
	case err != nil:
		return nil, a, err
	case a.isLink():
		return nil, a, errLink
	case !a.mode.IsRegular() && !a.mode.IsDir():
		return nil, a, syscall.ENXIO
	}
	f, err := d.root.Open(d.path(base))
	return f, a, plain(err)
}

func (d folder) create(base, _ string, mode fs.FileMode) (*os.File, error) {
	f, err := d.root.OpenFile(d.path(base), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	return f, plain(err)
}

func (d folder) reopen(base, _ string) (*os.File, error) {
	f, err := d.root.OpenFile(d.path(base), os.O_WRONLY, 0)
	return f, plain(err)
}

func (d folder) sub(base string) (folder, error) {
	f, err := d.root.Open(d.path(base))
	if err != nil {
		return folder{}, plain(err)
	}
	return folder{root: d.root, rel: d.path(base), f: f, owned: true}, nil
}

func (d folder) readlink(base string) (string, error) {
	target, err := d.root.Readlink(d.path(base))
	return filepath.ToSlash(target), plain(err)
}

func (d folder) mkdir(base string, mode fs.FileMode) error {
	return plain(d.root.Mkdir(d.path(base), mode.Perm()))
}

func (d folder) unlink(base string) error {
	switch a, err := d.lstat(base); {
	case err != nil:
		return err
	case a.mode.IsDir():
		return syscall.EISDIR
	}
	return plain(d.root.Remove(d.path(base)))
}

func (d folder) rmdir(base string) error {
	switch a, err := d.lstat(base); {
	case err != nil:
		return err
	case !a.mode.IsDir():
		return syscall.ENOTDIR
	}
	return plain(d.root.Remove(d.path(base)))
}

func (d folder) rename(base string, to folder, toBase string) error {
	return plain(d.root.Rename(d.path(base), to.path(toBase)))
}

func (d folder) renameExclusive(base string, to folder, toBase string) error {
	a, err := d.lstat(base)
	if err != nil {
		return err
	}
	if a.mode.IsRegular() {
		if err := d.root.Link(d.path(base), to.path(toBase)); err != nil {
			return plain(err)
		}
		return d.unlink(base)
	}
	if _, err := to.lstat(toBase); err == nil {
		return syscall.EEXIST
	}
	return d.rename(base, to, toBase)
}

func (d folder) chtimes(base string, atime, mtime time.Time) error {
	return plain(d.root.Chtimes(d.path(base), atime, mtime))
}

func (d folder) writable() error    { return nil }
func (d folder) sync() error        { return nil }
func (d folder) secure(facts) error { return nil }

type facts struct {
	id    fileID
	mode  fs.FileMode
	uid   uint32
	gid   uint32
	mount uint64
}

func (d folder) facts() (facts, error) { return facts{}, nil }

func attrsOf(info fs.FileInfo) attrs {
	t := info.ModTime()
	return attrs{
		size: info.Size(), sec: t.Unix(), nsec: uint32(t.Nanosecond()),
		mode: info.Mode(), nlink: 1,
	}
}

func statFile(f *os.File) (attrs, error) {
	info, err := f.Stat()
	if err != nil {
		return attrs{}, err
	}
	return attrsOf(info), nil
}

func bootID() string { return "" }

// errLocked is what lockFile returns while somebody else holds the lock.
const errLocked = syscall.EWOULDBLOCK

// lockFile cannot lock. So every process counts as alive, and only what was
// kept is resumed and swept.
func lockFile(*os.File) error { return syscall.ENOSYS }
