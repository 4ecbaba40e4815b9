package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
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

// begin asks for the object as it is now, from an offset.
func (d *download) begin(off int64) error {
	asked := time.Now()
	in := &sdk.GetObjectInput{Bucket: &d.fs.o.Bucket, Key: &d.object.key}
	if off > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", off))
	}
	out, err := d.fs.api.GetObject(d.ctx, in)
	if off > 0 && status(err) == http.StatusRequestedRangeNotSatisfiable {
		// There is nothing to read from there, but there is an object.
		if d.object, err = d.fs.head(d.ctx, d.object.key); err != nil {
			return err
		}
		d.end = d.object.size
		return nil
	}
	if err != nil {
		return err
	}
	at, size, ok := extent(out)
	if !ok || at != 0 && at != off {
		_ = out.Body.Close()
		return fmt.Errorf("%w: the storage does not say how long the object is", vfs.ErrTransient)
	}
	d.object = object{
		key: d.object.key, etag: aws.ToString(out.ETag), size: size,
		modified: aws.ToTime(out.LastModified).Truncate(time.Second), metadata: out.Metadata,
		storageClass: string(out.StorageClass), whole: true, asked: asked,
	}
	d.object.mtime, _ = parseMtime(out.Metadata[mtimeKey])
	d.object.parts = partsOf(d.object.etag)
	d.stream, d.at, d.end, d.seen = out.Body, at, d.object.size, false
	d.fs.seen(d.object)
	return nil
}

// extent is where an answer begins in its object, and how long that one is. A range that
// was asked for goes to the end, unless the store knows no ranges.
func extent(out *sdk.GetObjectOutput) (at, size int64, ok bool) {
	if out.ContentLength == nil {
		return 0, 0, false
	}
	if out.ContentRange == nil {
		return 0, *out.ContentLength, true
	}
	var last int64
	n, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/%d", &at, &last, &size)
	return at, size, n == 3 && err == nil && last == size-1 && size-at == *out.ContentLength
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

// readStream reads from the one stream, and opens it first if need be.
func (d *download) readStream(p []byte) (int, error) {
	for {
		if d.stream == nil {
			body, err := d.get(d.ctx, d.off, d.end)
			if err != nil {
				return 0, err
			}
			d.stream, d.at = body, d.off
		}
		n, err := 0, d.broken
		if err == nil {
			n, err = d.stream.Read(p)
		}
		if n > 0 {
			d.tries, d.broken = 0, err
			d.at += int64(n)
			return n, nil
		}
		if err == nil {
			continue
		}
		d.closeStream()
		if d.tries, err = again(d.ctx, d.tries, err); err != nil {
			return 0, err
		}
	}
}

// again waits before a stream that broke with err is taken up, or returns why it is not.
func again(ctx context.Context, tries int, err error) (int, error) {
	if ctx.Err() != nil {
		return tries, ctx.Err()
	}
	if tries == streamRetries {
		return tries, fmt.Errorf("%w: reading broke off %d times: %v", vfs.ErrTransient, tries+1, err) //nolint:errorlint // what it is called here is no matter
	}
	select {
	case <-time.After(time.Duration(tries) * streamDelay):
		return tries + 1, nil
	case <-ctx.Done():
		return tries, ctx.Err()
	}
}

// get asks for the bytes from off to end of the version that was opened.
func (d *download) get(ctx context.Context, off, end int64) (io.ReadCloser, error) {
	in := &sdk.GetObjectInput{Bucket: &d.fs.o.Bucket, Key: &d.object.key, IfMatch: text(d.object.etag)}
	if off > 0 || end < d.object.size {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", off, end-1))
	}
	out, err := d.fs.api.GetObject(ctx, in)
	if err == nil {
		if n := aws.ToInt64(out.ContentLength); n != end-off {
			_ = out.Body.Close()
			return nil, fmt.Errorf("%w: %d bytes were asked for at %d, the storage sends %d", vfs.ErrTransient, end-off, off, n)
		}
		return out.Body, nil
	}
	if s := status(err); s == http.StatusPreconditionFailed || s == http.StatusNotFound && off > 0 {
		d.fs.changed(d.object.key) // so that the next attempt sees the new one
		err = failedAs(vfs.ErrTransient, err)
	}
	return nil, err
}

// finish looks whether the stream ended as it should: the SDK compares the checksum
// when it has seen the end.
func (d *download) finish() error {
	if d.stream != nil {
		n, err := 0, d.broken
		if err == nil {
			n, err = d.stream.Read(make([]byte, 1))
		}
		d.closeStream()
		if n > 0 || !errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: the object did not end as it should: %v", vfs.ErrTransient, err) //nolint:errorlint // what it is called here is no matter
		}
	}
	return io.EOF
}

func (d *download) closeStream() {
	if d.stream != nil {
		_ = d.stream.Close() // whatever was wrong, Read has said it
		d.stream = nil
	}
	d.broken = nil
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
