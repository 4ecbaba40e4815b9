//go:build unix

package local

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// folder is an opened directory whose entries are used by name, without ever
// following a link. It is closed once, except for the Backend's own.
type folder struct {
	f     *os.File
	fd    int
	owned bool
	known *facts // what facts returns, if it was asked already
}

// errLink says that a name is a link, where that is not followed.
const errLink = unix.ELOOP

func isAbsolute(target string) bool { return target[0] == '/' }

func openTop(root *os.Root) (folder, error) {
	f, err := root.OpenFile(".", folderFlags, 0)
	if err != nil {
		return folder{}, err
	}
	return folder{f: f, fd: int(f.Fd())}, nil
}

// openFolder opens a directory through root, which refuses to leave it.
func openFolder(root *os.Root, rel string) (folder, error) {
	f, err := root.OpenFile(rel, folderFlags, 0)
	if err != nil {
		return folder{}, err
	}
	return folder{f: f, fd: int(f.Fd()), owned: true}, nil
}

func (d folder) close() {
	if d.owned {
		d.f.Close()
	}
}

// retry repeats a call that a signal interrupted, as package os does.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func (d folder) lstat(base string) (attrs, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstatat(d.fd, base, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil {
		return attrs{}, err
	}
	return attrsOf(&st), nil
}

// open opens a regular file or a directory for reading; anything else is
// ErrNotRegular, a link errLink. The file's own name is the virtual one, which
// is what its errors will show.
func (d folder) open(base, virtual string) (*os.File, attrs, error) {
	// Without O_NONBLOCK the open of a FIFO would wait for a writer. On files and directories it has no effect.
	fd, err := d.openat(base, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, attrs{}, err
	}
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		unix.Close(fd)
		return nil, attrs{}, err
	}
	a := attrsOf(&st)
	if !a.mode.IsRegular() && !a.mode.IsDir() {
		unix.Close(fd)
		return nil, attrs{}, syscall.ENXIO
	}
	return os.NewFile(uintptr(fd), virtual), a, nil
}

// create makes a file that must not exist, for writing.
func (d folder) create(base, virtual string, mode fs.FileMode) (*os.File, error) {
	fd, err := d.openat(base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, uint32(mode.Perm()))
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), virtual), nil
}

// reopen opens an existing file of our own for writing.
func (d folder) reopen(base, virtual string) (*os.File, error) {
	fd, err := d.openat(base, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), virtual), nil
}

// sub opens a directory in d, for listing too.
func (d folder) sub(base string) (folder, error) {
	fd, err := d.openat(base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return folder{}, err
	}
	return folder{f: os.NewFile(uintptr(fd), base), fd: fd, owned: true}, nil
}

func (d folder) openat(base string, flags int, mode uint32) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Openat(d.fd, base, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

func (d folder) readlink(base string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(d.fd, base, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func (d folder) mkdir(base string, mode fs.FileMode) error {
	return retry(func() error { return unix.Mkdirat(d.fd, base, uint32(mode.Perm())) })
}

func (d folder) unlink(base string) error {
	return retry(func() error { return unix.Unlinkat(d.fd, base, 0) })
}

func (d folder) rmdir(base string) error {
	return retry(func() error { return unix.Unlinkat(d.fd, base, unix.AT_REMOVEDIR) })
}

func (d folder) rename(base string, to folder, toBase string) error {
	return retry(func() error { return unix.Renameat(d.fd, base, to.fd, toBase) })
}

// linkExclusive is renameExclusive where the kernel has no such rename: a file
// is linked and unlinked, and a directory replaces an empty one made for it.
func (d folder) linkExclusive(base string, to folder, toBase string) error {
	a, err := d.lstat(base)
	if err != nil {
		return err
	}
	if !a.mode.IsDir() {
		if err := unix.Linkat(d.fd, base, to.fd, toBase, 0); err != nil {
			return err
		}
		return d.unlink(base)
	}
	if err := to.mkdir(toBase, 0o700); err != nil {
		return err
	}
	if err := d.rename(base, to, toBase); err != nil {
		_ = to.rmdir(toBase) // the rename's error is the one to tell
		return err
	}
	return nil
}

func (d folder) chtimes(base string, atime, mtime time.Time) error {
	times := []unix.Timespec{timespec(atime), timespec(mtime)}
	return retry(func() error { return unix.UtimesNanoAt(d.fd, base, times, unix.AT_SYMLINK_NOFOLLOW) })
}

// writable reports whether entries can be made in d.
func (d folder) writable() error { return unix.Faccessat(d.fd, ".", unix.W_OK|unix.X_OK, 0) }

// sync brings renames in d to the medium.
func (d folder) sync() error {
	dir, err := d.sub(".")
	if err != nil {
		return err
	}
	defer dir.close()
	return dir.f.Sync()
}

// facts are what matters of a directory in which a file will be published.
type facts struct {
	id    fileID
	mode  fs.FileMode
	uid   uint32
	gid   uint32
	mount uint64 // renames work within one; the device where the kernel does not tell
}

func attrsOf(st *unix.Stat_t) attrs {
	return attrs{
		dev: uint64(st.Dev), ino: uint64(st.Ino), size: st.Size,
		sec: int64(st.Mtim.Sec), nsec: uint32(st.Mtim.Nsec),
		mode: modeOf(uint32(st.Mode)), nlink: uint32(st.Nlink), uid: st.Uid, gid: st.Gid,
	}
}

func modeOf(bits uint32) fs.FileMode {
	mode := fs.FileMode(bits & 0o777)
	switch bits & unix.S_IFMT {
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	case unix.S_IFREG:
	case unix.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		mode |= fs.ModeSocket
	case unix.S_IFCHR:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		mode |= fs.ModeDevice
	default:
		mode |= fs.ModeIrregular
	}
	if bits&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if bits&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if bits&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// secure makes a staging directory private. One that belongs to somebody else
// and is open to others is refused: they could change what is published.
func (d folder) secure(is facts) error {
	root := os.Geteuid() == 0
	if is.mode.Perm()&0o077 == 0 && (!root || is.uid == 0) {
		return nil
	}
	if root {
		_ = unix.Fchown(d.fd, 0, -1) // refused by network filesystems that do not trust root
	}
	bits := uint32(0o700)
	if is.mode&fs.ModeSetgid != 0 {
		bits |= unix.S_ISGID
	}
	return retry(func() error { return unix.Fchmod(d.fd, bits) })
}

// statFile describes an open file.
func statFile(f *os.File) (attrs, error) {
	var st unix.Stat_t
	err := retry(func() error { return unix.Fstat(int(f.Fd()), &st) })
	return attrsOf(&st), err
}
