package memory

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func (f filesystem) openRead(name string) (afero.File, error) {
	f.b.mu.RLock()
	defer f.b.mu.RUnlock()
	n, err := f.b.find(name)
	if err != nil {
		return nil, err
	}
	if n.dir != nil {
		return &listing{fs: f, name: name, node: n}, nil
	}
	return &reader{fs: f, name: name, info: infoOf(lastName(name), n), content: n.content.retain()}, nil
}

// reader is a file opened for reading: the version that was there then.
// It serves one goroutine at a time.
type reader struct {
	vfs.Refused
	fs      filesystem
	name    string
	info    info
	content *content // nil: closed
	off     int64
}

// ready returns why nothing can be read.
func (r *reader) ready(op string) error {
	if r.content == nil {
		return pathError(op, r.name, fs.ErrClosed)
	}
	if err := r.fs.live(); err != nil {
		return pathError(op, r.name, err)
	}
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.readAt(p, r.off)
	r.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil // the next Read says so
	}
	return n, err
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("read", r.name, fs.ErrInvalid)
	}
	return r.readAt(p, off)
}

func (r *reader) readAt(p []byte, off int64) (n int, err error) {
	if err := r.ready("read"); err != nil {
		return 0, err
	}
	for n < len(p) {
		from := r.content.at(off + int64(n))
		if len(from) == 0 {
			return n, io.EOF
		}
		n += copy(p[n:], from)
	}
	return n, nil
}

// WriteTo writes the rest of the file without copying it first.
func (r *reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := r.ready("read"); err != nil {
			return total, err
		}
		from := r.content.at(r.off)
		if len(from) == 0 {
			return total, nil
		}
		n, err := w.Write(from)
		r.off += int64(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

func (r *reader) Seek(offset int64, whence int) (int64, error) {
	if r.content == nil {
		return 0, pathError("seek", r.name, fs.ErrClosed)
	}
	switch whence {
	case io.SeekCurrent:
		offset += r.off
	case io.SeekEnd:
		offset += r.content.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, pathError("seek", r.name, fs.ErrInvalid)
	}
	r.off = offset
	return offset, nil
}

func (r *reader) Close() error {
	if r.content == nil {
		return pathError("close", r.name, fs.ErrClosed)
	}
	r.content.release()
	r.content = nil
	return nil
}

func (r *reader) Name() string               { return r.name }
func (r *reader) Stat() (os.FileInfo, error) { return &r.info, nil }

// listing is a directory opened for reading. It serves one goroutine at a time.
type listing struct {
	vfs.Refused
	fs      filesystem
	name    string
	node    *node
	closed  bool
	started bool
	place   uint64 // of the last entry returned
	end     uint64 // the latest place when the listing began: newer entries would never end it
}

// Readdir returns the next n entries, or with n <= 0 all that are left.
func (l *listing) Readdir(n int) ([]os.FileInfo, error) {
	if l.closed {
		return nil, pathError("readdir", l.name, fs.ErrClosed)
	}
	if err := l.fs.live(); err != nil {
		return nil, pathError("readdir", l.name, err)
	}
	infos := l.next(n)
	if n > 0 && len(infos) == 0 {
		return nil, io.EOF
	}
	out := make([]os.FileInfo, len(infos))
	for i := range infos {
		out[i] = &infos[i]
	}
	return out, nil
}

func (l *listing) next(n int) []info {
	l.fs.b.mu.RLock()
	defer l.fs.b.mu.RUnlock()
	dir := l.node.dir
	if !l.started {
		l.started, l.end = true, dir.last
	}
	rest := dir.after(l.place)
	if n <= 0 {
		n = len(rest)
	}
	out := make([]info, 0, min(n, len(rest)))
	for _, e := range rest {
		if len(out) == n || e.place > l.end {
			break
		}
		l.place = e.place
		if e.node != nil {
			out = append(out, infoOf(e.name, e.node))
		}
	}
	return out
}

// Readdirnames is Readdir for who wants the names only.
func (l *listing) Readdirnames(n int) ([]string, error) {
	infos, err := l.Readdir(n)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
	}
	return names, err
}

func (l *listing) Read([]byte) (int, error) { return 0, pathError("read", l.name, vfs.ErrIsDir) }

func (l *listing) Close() error {
	if l.closed {
		return pathError("close", l.name, fs.ErrClosed)
	}
	l.closed = true
	return nil
}

func (l *listing) Name() string { return l.name }

func (l *listing) Stat() (os.FileInfo, error) {
	l.fs.b.mu.RLock()
	defer l.fs.b.mu.RUnlock()
	i := infoOf(lastName(l.name), l.node)
	return &i, nil
}
