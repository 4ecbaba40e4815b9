package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// maxCopies bounds the parts that the head of a file is copied in, so that enough are
// left for what follows. Of the largest part that can be copied, so many make 5 TiB.
const maxCopies = maxSize / maxPartSize

// continuing is what ModeAppend and ModeRestart know of the object that they continue.
type continuing struct {
	base   *object // nil: there is none
	keep   int64   // bytes of it that stay; -1: Seek has not said yet
	staged bool    // the upload holds them
	kept   kept
}

// continues reports whether the upload keeps the head of what is there.
func (u *upload) continues() bool {
	return u.flag == vfs.ModeAppend || u.flag == vfs.ModeRestart
}

// look finds the object to continue: one HEAD, and one request more if it has tags. It is looked at again by every request
// that follows.
func (u *upload) look() error {
	o, whole, err := u.fs.headWhole(u.ctx, u.key)
	switch {
	case errors.Is(err, fs.ErrNotExist) && u.flag == vfs.ModeAppend:
		return nil
	case err != nil:
		return err
	case u.fs.o.Uniform:
		return vfs.ErrUnsupported
	}
	u.from.base = &o
	if u.from.keep = o.size; u.flag == vfs.ModeRestart {
		u.from.keep = -1
	}
	return u.keep(whole)
}

// Seek sets where a ModeRestart upload goes on, once, before the first Write.
func (u *upload) Seek(offset int64, whence int) (int64, error) {
	err := u.step("seek", func() error {
		if u.flag != vfs.ModeRestart || u.from.keep >= 0 || whence != io.SeekStart ||
			offset < 0 || offset > u.from.base.size {
			return fs.ErrInvalid
		}
		u.from.keep = offset
		return nil
	})
	if err != nil {
		return 0, err
	}
	return offset, nil
}

// stage makes the head that stays the beginning of the upload, unless it is already.
// A long one is copied by the store; a short one, which cannot be a part, is read.
func (u *upload) stage() error {
	f := &u.from
	if f.staged || !u.continues() {
		return nil
	}
	if f.keep < 0 {
		return fs.ErrInvalid // it has to say where
	}
	f.staged = true
	u.size = f.keep
	switch {
	case f.keep == 0:
		return nil
	case f.keep < u.fs.o.minPart:
		return u.readHead()
	}
	return u.copyHead()
}

// readHead makes the head a part of what is collected.
func (u *upload) readHead() error {
	d := &download{fs: u.fs, name: u.name, object: *u.from.base, end: u.from.keep, ctx: u.ctx, cancel: func() {}}
	defer d.Close()
	b := make([]byte, smallChunk)
	for {
		n, err := d.read(b)
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case status(err) == http.StatusNotFound:
			return failedAs(vfs.ErrTransient, err)
		case err != nil:
			return err
		}
		if err := u.collected().append(u.ctx, b[:n]); err != nil {
			return err
		}
	}
}

// copyHead begins to copy the head, in equal parts at once.
func (u *upload) copyHead() error {
	keep := u.from.keep
	n := (keep + u.fs.o.CopyPart - 1) / u.fs.o.CopyPart
	n = max(1, min(n, maxCopies, keep/u.fs.o.minPart))
	m := u.multi()
	m.copies = true
	for i := range n {
		number, err := m.place()
		if err != nil {
			return err
		}
		first, last := keep*i/n, keep*(i+1)/n-1 // none is smaller than keep/n
		m.wg.Go(func() {
			m.run(number, func(id string) (types.CompletedPart, error) { return m.copyPart(id, number, first, last) })
		})
	}
	return nil
}

func (m *multipart) copyPart(id string, number int32, first, last int64) (types.CompletedPart, error) {
	u := m.u
	var part types.CompletedPart
	err := m.outlast(atOnce, func(ctx context.Context) (err error) {
		part, err = u.fs.copyPart(ctx, &sdk.UploadPartCopyInput{
			Bucket: &u.fs.o.Bucket, Key: &u.key, UploadId: &id, PartNumber: &number,
			CopySource: aws.String(u.fs.copySource(u.key)), CopySourceIfMatch: text(u.from.base.etag),
			CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
		})
		return err
	})
	if s := status(err); s == http.StatusPreconditionFailed || s == http.StatusNotFound {
		err = failedAs(vfs.ErrTransient, err)
	}
	return part, err
}

// isBase fails with vfs.ErrTransient if what the upload continues has changed. The
// request that publishes says so too, where the store has conditions.
func (u *upload) isBase() error {
	ctx, cancel := u.fs.detached()
	defer cancel()
	o, err := u.fs.head(ctx, u.key)
	switch base := u.from.base; {
	case errors.Is(err, fs.ErrNotExist):
		if base == nil {
			return nil
		}
	case err != nil:
		return err
	case base != nil && o.etag == base.etag && o.modified.Equal(base.modified):
		return nil
	}
	return errChanged
}

var errChanged = fmt.Errorf("%w: the file has changed since the upload began", vfs.ErrTransient)

// metadata is that of the new object: what the old one had and what is configured, but
// neither its time nor a digest of its content.
func (u *upload) metadata() map[string]string {
	configured := u.fs.o.Put.Metadata
	if u.from.base == nil || len(u.from.base.metadata) == 0 {
		return configured
	}
	m := maps.Clone(u.from.base.metadata)
	delete(m, mtimeKey)
	delete(m, md5Key)
	delete(m, copyOfKey)
	maps.Copy(m, configured)
	return m
}
