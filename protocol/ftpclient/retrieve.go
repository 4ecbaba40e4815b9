package ftpclient

import (
	"context"
	"io"
)

// Download is one RETR; the package documentation has its states.
type Download struct{ t *transfer }

var (
	_ io.ReadCloser = (*Download)(nil)
	_ io.WriterTo   = (*Download)(nil)
)

// Retrieve starts a download at an offset (REST). The context bounds it to its end.
func (c *Conn) Retrieve(ctx context.Context, path string, offset int64) (*Download, error) {
	t, err := c.open(ctx, "RETR", path, offset, false)
	if err != nil {
		return nil, err
	}
	return &Download{t: t}, nil
}

// Read reads data. io.EOF means the end of data and a good final reply; a transfer that ends otherwise is ErrIncomplete.
func (d *Download) Read(b []byte) (int, error) {
	if d.t.closed {
		return 0, d.outcome()
	}
	n, err := d.t.data.read(b)
	if err != nil {
		err = d.ended(err)
	}
	return n, err
}

// ended is told the error of the data connection, and finds out how the transfer ended.
func (d *Download) ended(err error) error {
	if err != io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
		return d.t.abort(err)
	}
	d.t.data.close()   // proftpd waits for that before its 226
	_ = d.t.complete() // outcome tells
	return d.outcome()
}

func (d *Download) outcome() error {
	if d.t.err == nil {
		return io.EOF
	}
	return d.t.err
}

// WriteTo copies what is left, by splice where the kernel can.
func (d *Download) WriteTo(w io.Writer) (int64, error) {
	if d.t.closed {
		return 0, d.t.err
	}
	n, err := d.t.data.copyTo(w)
	if err == nil {
		err = io.EOF
	}
	if err = d.ended(err); err == io.EOF { //nolint:errorlint // outcome's
		err = nil
	}
	return n, err
}

// Close is nil if the transfer is complete. Before its end it aborts it, and is ErrAborted.
func (d *Download) Close() error {
	if !d.t.closed {
		return d.t.abort(ErrAborted)
	}
	return d.t.err
}

// Abort ends the transfer; it does nothing after its end. The error tells that the connection is broken.
func (d *Download) Abort() error {
	_ = d.Close() // which tells how the transfer ended
	return d.t.c.usable()
}

// usable tells why the connection is of no more use.
func (c *Conn) usable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}
