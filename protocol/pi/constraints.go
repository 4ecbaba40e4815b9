package pi

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

var (
	errNameDenied = errors.New("the account may not store under this name")
	errTooLarge   = errors.New("the file is larger than the account may store")
)

// mayMake refuses a name that the account's DenyNames match. The directories above it
// are looked at only where storing makes them, as in an object store.
func (s *session) mayMake(p string) error {
	if len(s.account.DenyNames) == 0 {
		return nil
	}
	dir, name := vfs.Split(p)
	segments := []string{name}
	if vfs.PropertiesOf(s.account.FS, p).ImpliedDirs {
		segments = append(segments, strings.Split(dir, "/")...)
	}
	for _, pattern := range s.account.DenyNames {
		for _, x := range segments {
			if x != "" && match(strings.ToLower(pattern), strings.ToLower(x)) {
				return errNameDenied
			}
		}
	}
	return nil
}

// bounded makes an upload to dst fail with errTooLarge before the file outgrows the
// account's MaxUpload. It must see every byte, so the kernel's own copying is not for it.
func (s *session) bounded(ctx context.Context, u upload, dst io.Writer) (io.Writer, error) {
	limit := s.account.MaxUpload
	if limit <= 0 {
		return dst, nil
	}
	left := limit - u.offset
	if u.flag == vfs.ModeAppend {
		size, err := s.baseSize(ctx, u.path)
		if err != nil {
			return nil, err
		}
		left -= size
	}
	if left < 0 {
		return nil, errTooLarge
	}
	return &boundedWriter{dst, left}, nil
}

// baseSize is how long what an APPE to path continues is.
func (s *session) baseSize(ctx context.Context, path string) (int64, error) {
	if n := s.held(ctx, path); n >= 0 {
		return n, nil
	}
	switch fi, err := s.fs(ctx).Stat(path); {
	case err == nil:
		return fi.Size(), nil
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	default:
		return 0, err
	}
}

type boundedWriter struct {
	io.Writer
	left int64
}

// Write stores all of p or, if that is too much, nothing of it.
func (w *boundedWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		return 0, errTooLarge
	}
	n, err := w.Writer.Write(p)
	w.left -= int64(n)
	return n, err
}
