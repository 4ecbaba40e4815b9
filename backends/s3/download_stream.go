package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

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
