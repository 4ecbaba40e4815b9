package ftpclient

import (
	"context"
	"io"
	"strings"
)

// Upload is one STOR, APPE or STOU; the package documentation has its states.
type Upload struct{ t *transfer }

var (
	_ io.WriteCloser = (*Upload)(nil)
	_ io.ReaderFrom  = (*Upload)(nil)
)

// Store starts an upload (STOR) at an offset (REST), which the server has accepted (150) when it returns.
func (c *Conn) Store(ctx context.Context, path string, offset int64) (*Upload, error) {
	return c.upload(ctx, "STOR", path, offset, false)
}

// Append starts an upload to the end of a file (APPE).
func (c *Conn) Append(ctx context.Context, path string) (*Upload, error) {
	return c.upload(ctx, "APPE", path, 0, false)
}

// StoreUnique starts an upload under a name of the server's choice (STOU); path, a hint, may be "".
func (c *Conn) StoreUnique(ctx context.Context, path string) (*Upload, error) {
	return c.upload(ctx, "STOU", path, 0, false)
}

func (c *Conn) upload(ctx context.Context, verb, path string, offset int64, eager bool) (*Upload, error) {
	t, err := c.open(ctx, verb, path, offset, eager)
	if err != nil {
		return nil, err
	}
	return &Upload{t: t}, nil
}

// earlyBytes is what is sent before the server has accepted an upload. It fits into the buffers of the socket, so
// that a server which refuses and reads nothing does not hold the client up.
const earlyBytes = 32 << 10

// StoreFrom uploads all of r, and is nil when the server has all of it. It spares a small file a round trip by
// sending before the server has accepted.
func (c *Conn) StoreFrom(ctx context.Context, path string, r io.Reader) (int64, error) {
	u, err := c.upload(ctx, "STOR", path, 0, true)
	if err != nil {
		return 0, err
	}
	var n int64
	if u.t.eager {
		var whole bool
		if n, whole, err = u.early(r); err != nil || whole {
			return n, err
		}
	}
	m, err := u.ReadFrom(r)
	if err != nil {
		return n + m, err
	}
	return n + m, u.Close()
}

// early sends the start of r, and if that is all of it, ends the upload.
func (u *Upload) early(r io.Reader) (n int64, whole bool, err error) {
	buffer := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buffer)
	got, err := io.ReadFull(r, buffer[:earlyBytes])
	whole = err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // as ReadFull returns them
	if err != nil && !whole {
		return 0, false, u.t.abort(&localError{err})
	}
	sent, err := u.Write(buffer[:got])
	if err != nil {
		return int64(sent), false, err
	}
	// A connection that is over before the transfer began is none, for some servers: so not for an empty file.
	if got == 0 || !whole {
		if err := u.t.begun(); err != nil {
			return int64(sent), false, u.t.abort(err)
		}
	}
	if whole {
		err = u.Close()
	}
	return int64(sent), whole, err
}

// Write sends data.
func (u *Upload) Write(b []byte) (int, error) {
	if u.t.closed {
		return 0, u.over()
	}
	n, err := u.t.data.write(b)
	if err != nil {
		err = u.t.abort(err)
	}
	return n, err
}

// ReadFrom sends all of r, by sendfile where the kernel can. An error of r aborts the upload.
func (u *Upload) ReadFrom(r io.Reader) (int64, error) {
	if u.t.closed {
		return 0, u.over()
	}
	n, err := u.t.data.copyFrom(r)
	if err != nil {
		err = u.t.abort(err)
	}
	return n, err
}

func (u *Upload) over() error {
	if u.t.err == nil {
		return io.ErrClosedPipe
	}
	return u.t.err
}

// Close ends the data and waits for the final reply. nil means that the server has all of it. After
// a failed Write it returns that error.
func (u *Upload) Close() error {
	if u.t.closed {
		return u.t.err
	}
	if u.t.ctx.Err() != nil { // or the server would have the whole of it
		return u.t.abort(context.Cause(u.t.ctx))
	}
	if err := u.t.data.endWrite(); err != nil {
		return u.t.abort(err)
	}
	return u.t.complete()
}

// Abort discards the upload as far as the server lets it: many keep what had come. It does
// nothing after Close. The error tells that the connection is broken.
func (u *Upload) Abort() error {
	if !u.t.closed {
		_ = u.t.abort(ErrAborted) // which is what was asked for
	}
	return u.t.c.usable()
}

// Name is what the server called a StoreUnique file; "" if it did not tell (RFC 1123 §4.1.2.9).
func (u *Upload) Name() string {
	for _, line := range u.t.first.Lines {
		if len(line) > 6 && strings.EqualFold(line[:6], "FILE: ") {
			return u.t.c.decode(line[6:])
		}
	}
	return ""
}
