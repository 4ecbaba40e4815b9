package s3

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A stream that breaks is taken up where it broke, this often without getting any further.
const (
	streamRetries = 5
	streamDelay   = 100 * time.Millisecond // before the second one, and so much more before each other
)

// download is an object opened for reading: the version that was there then. It serves
// one goroutine at a time. Its states are in the package's documentation.
type download struct {
	vfs.Refused
	fs     *fsys
	name   string
	object object
	seen   bool // all that is known comes from the cache

	ctx    context.Context
	cancel context.CancelFunc // also ends every request
	closed bool

	off    int64
	end    int64         // where it is read to: its size
	stream io.ReadCloser // nil: none is open
	at     int64         // where the stream is
	broken error         // what the stream said with its last bytes
	ahead  *readAhead    // nil: there is one stream
	pace   pace
	tries  int // since the last byte
}

// openDownload asks for the object, from where it will be read (vfs.Offset), unless it has
// been seen just now: then nothing is asked before the first Read, which begins where Seek says.
func (f *fsys) openDownload(name string) (afero.File, error) {
	key, err := f.key(name)
	if err == nil {
		err = f.ctx.Err()
	}
	if err != nil {
		return nil, fault("open", name, err)
	}
	d := &download{fs: f, name: name}
	d.ctx, d.cancel = context.WithCancel(f.ctx)
	d.object = object{key: key}
	if o, ok := f.lookup(key); ok {
		d.object, d.end, d.seen = o, o.size, true
	} else if err := d.begin(vfs.Offset(f.ctx)); err != nil {
		d.cancel()
		return nil, fault("open", name, err)
	}
	return d, nil
}

// ready returns why nothing can be read.
func (d *download) ready() error {
	if d.closed {
		return fs.ErrClosed
	}
	return d.fs.ctx.Err()
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.read(p)
	if err != nil {
		err = fault("read", d.name, err)
	}
	return n, err
}

func (d *download) read(p []byte) (n int, err error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	if d.seen && d.off == 0 {
		// What others have replaced meanwhile is read as it is now.
		if err := d.begin(0); err != nil {
			return 0, err
		}
	}
	if d.stream != nil && d.at != d.off {
		d.closeStream()
	}
	if d.off >= d.end {
		return 0, d.finish()
	}
	if len(p) == 0 {
		return 0, nil
	}
	d.pace.begin()
	if d.ahead != nil {
		n, err = d.ahead.read(p)
		if n == 0 && err == nil { // there was no memory to go on with
			d.ahead = nil
		}
	}
	if d.ahead == nil {
		n, err = d.readStream(p)
	}
	d.off += int64(n)
	if d.pace.end(n) && d.ahead == nil && err == nil {
		d.ahead = d.newReadAhead()
	}
	return n, err
}

// ReadAt reads with a request of its own.
func (d *download) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.readAt(p, off)
	if err != nil {
		err = fault("read", d.name, err)
	}
	return n, err
}

func (d *download) readAt(p []byte, off int64) (int, error) {
	if err := d.ready(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	end := min(off+int64(len(p)), d.object.size)
	if end <= off {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	body, err := d.get(d.ctx, off, end)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	n, err := io.ReadFull(body, p[:end-off])
	switch {
	case err != nil:
		return n, fmt.Errorf("%w: %v", vfs.ErrTransient, err) //nolint:errorlint // as above
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

// Seek sets where the next Read goes on. It asks nothing.
func (d *download) Seek(offset int64, whence int) (int64, error) {
	if d.closed {
		return 0, fault("seek", d.name, fs.ErrClosed)
	}
	switch whence {
	case io.SeekCurrent:
		offset += d.off
	case io.SeekEnd:
		offset += d.object.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, fault("seek", d.name, fs.ErrInvalid)
	}
	if offset != d.off && (d.stream == nil || d.at != offset) {
		d.stop()
	}
	d.off = offset
	return offset, nil
}

// stop ends what is on its way.
func (d *download) stop() {
	d.closeStream()
	if d.ahead != nil {
		d.ahead.close()
		d.ahead = nil
	}
}

// Close ends what is on its way and waits for it.
func (d *download) Close() error {
	if d.closed {
		return fault("close", d.name, fs.ErrClosed)
	}
	d.closed = true
	d.cancel()
	d.stop()
	return nil
}

func (d *download) Name() string               { return d.name }
func (d *download) Stat() (os.FileInfo, error) { return d.fs.objectInfo(&d.object), nil }
