package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"syscall"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// fault is an error of the contract together with the operating system's
// reason. Only kind is found by errors.Is: ENOTEMPTY, for one, would otherwise
// count as fs.ErrExist too.
type fault struct{ kind, reason error }

func (f *fault) Error() string { return f.kind.Error() + " (" + f.reason.Error() + ")" }
func (f *fault) Unwrap() error { return f.kind }

var (
	errEscape   = &fault{fs.ErrPermission, errors.New("path leads out of the root")}
	errReserved = &fault{vfs.ErrBadName, errors.New("reserved name")}
	errChanged  = &fault{vfs.ErrTransient, errors.New("the file changed since the upload began")}
	errTop      = &fault{fs.ErrInvalid, errors.New("the root directory")}
)

// wrap is the one place where errors get their operation and virtual path. It
// drops what the standard library says about host paths.
func wrap(op, name string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: translate(err)}
}

// translate finds the contract's error for err.
func translate(err error) error {
	if f, ok := err.(*fault); ok {
		return f
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &fault{kindOf(errno), errno}
	}
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, fs.ErrClosed, fs.ErrInvalid, fs.ErrExist, fs.ErrNotExist,
		vfs.ErrTransient, vfs.ErrIsDir, vfs.ErrNotDir, vfs.ErrNotRegular, vfs.ErrBadName, vfs.ErrUnsupported,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return errEscape // what is left are the refusals of os.Root, which have no error of their own
	}
	return err
}

func kindOf(errno syscall.Errno) error {
	switch errno {
	case syscall.ENOENT:
		return fs.ErrNotExist
	case syscall.EEXIST:
		return fs.ErrExist
	case syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ELOOP, syscall.EBUSY:
		return fs.ErrPermission
	case syscall.ENOTEMPTY:
		return vfs.ErrNotEmpty
	case syscall.ENOTDIR:
		return vfs.ErrNotDir
	case syscall.EISDIR:
		return vfs.ErrIsDir
	case syscall.ENXIO, syscall.ENODEV:
		return vfs.ErrNotRegular
	case syscall.ENAMETOOLONG, syscall.EILSEQ, syscall.EINVAL:
		return vfs.ErrBadName
	case syscall.ENOSPC, syscall.EMLINK:
		return vfs.ErrNoSpace
	case syscall.EDQUOT, syscall.EFBIG:
		return vfs.ErrQuota
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT,
		syscall.EAGAIN, syscall.EINTR:
		return vfs.ErrTransient
	case syscall.EXDEV:
		return vfs.ErrUnsupported
	}
	if errors.Is(errno, errors.ErrUnsupported) {
		return vfs.ErrUnsupported
	}
	// The numbers of other systems.
	for _, known := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission} {
		if errors.Is(errno, known) {
			return known
		}
	}
	return errno
}
