package ftpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// dataConn is one data connection. Each read and each write may take StallTimeout without any
// byte moving. It is closed from another goroutine to cut it off.
type dataConn struct {
	raw   net.Conn
	tcp   *net.TCPConn // raw, if it is one
	tls   *tlsData     // nil: clear
	stall time.Duration
	// truncation takes the end of a TLS stream without close_notify for its end.
	truncation bool
}

func newDataConn(raw net.Conn, stall time.Duration) *dataConn {
	d := &dataConn{raw: raw, stall: stall}
	d.tcp, _ = raw.(*net.TCPConn)
	return d
}

// secure puts the connection under TLS, as its client whoever has connected (RFC 4217 §7).
func (d *dataConn) secure(ctx context.Context, config *tls.Config) error {
	t := &tlsData{d: d, Conn: d.raw}
	t.tls = tls.Client(t, config)
	if err := t.tls.HandshakeContext(ctx); err != nil {
		if cache, ok := config.ClientSessionCache.(*sessions); ok && (ctx.Err() != nil || isCutHandshake(err)) {
			cache.restore()
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("TLS handshake of the data connection: %w", InWords(err))
	}
	d.raw.SetDeadline(time.Time{})
	t.up = true
	d.tls = t
	return nil
}

// read reads what has come. io.EOF is the end of the data in good order.
func (d *dataConn) read(b []byte) (int, error) {
	if d.tls != nil {
		return d.tls.read(b)
	}
	return d.readRaw(b)
}

func (d *dataConn) readRaw(b []byte) (int, error) {
	d.raw.SetReadDeadline(time.Now().Add(d.stall))
	n, err := d.raw.Read(b)
	return n, stalled(err)
}

func stalled(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrStalled
	}
	return err
}

// write sends all of b.
func (d *dataConn) write(b []byte) (int, error) {
	if d.tls != nil {
		return d.tls.write(b)
	}
	return d.writeRaw(b)
}

// writeRaw goes on after a timeout in which something was sent.
func (d *dataConn) writeRaw(b []byte) (sent int, err error) {
	for {
		d.raw.SetWriteDeadline(time.Now().Add(d.stall))
		n, err := d.raw.Write(b[sent:])
		sent += n
		if err == nil || n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return sent, stalled(err)
		}
	}
}

// endWrite ends an upload in good order and leaves the connection open: closing it now could
// reset it, if the server has sent something (a TLS ticket) that was never read.
func (d *dataConn) endWrite() error {
	if d.tls != nil {
		if err := d.tls.endWrite(); err != nil {
			return err
		}
	}
	if half, ok := d.raw.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return d.raw.Close()
}

// wasReset reports whether the peer has reset the connection, as far as it is known by now.
func (d *dataConn) wasReset() bool {
	s, ok := d.raw.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	reset := false
	_ = raw.Control(func(fd uintptr) { reset = hasFailed(fd) })
	return reset
}

// close closes the socket in good order.
func (d *dataConn) close() {
	if d.tls != nil {
		_ = d.tls.endWrite() // the server may be gone
	}
	d.raw.Close()
}

// reset closes it so that the server cannot take this for the end of the data.
func (d *dataConn) reset() {
	if d.tcp != nil {
		_ = d.tcp.SetLinger(0) // closed already
	}
	d.raw.Close()
}

// copyChunk is how much the kernel copies at most at a time, and copyBuffer what a buffer holds.
const (
	copyChunk  = 16 << 20
	copyBuffer = 256 << 10
)

// buffers are for copying. A pool is no state: what it holds is nobody's.
var buffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// copyTo copies all data to w.
func (d *dataConn) copyTo(w io.Writer) (int64, error) {
	if d.tls == nil && d.tcp != nil {
		switch w := w.(type) {
		case *os.File:
			if isSpliceable(w) {
				return d.spliceTo(w)
			}
		case *net.TCPConn:
			return d.spliceTo(w)
		}
	}
	buffer := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buffer)
	var moved int64
	for {
		n, err := d.read(buffer[:])
		if n > 0 {
			m, err := w.Write(buffer[:n])
			moved += int64(m)
			if err == nil && m < n {
				err = io.ErrShortWrite
			}
			if err != nil {
				return moved, &localError{err}
			}
		}
		if err == io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
			return moved, nil
		}
		if err != nil {
			return moved, err
		}
	}
}

// isSpliceable reports whether the kernel copies to a file: to some devices it does not, tapes for one, and finds out too late.
func isSpliceable(f *os.File) bool {
	i, err := f.Stat()
	return err == nil && (i.Mode().IsRegular() || i.Mode()&os.ModeNamedPipe != 0)
}

// spliceTo has the kernel copy, and never more than copyChunk without a new deadline.
func (d *dataConn) spliceTo(w io.ReaderFrom) (moved int64, err error) {
	for {
		d.raw.SetReadDeadline(time.Now().Add(d.stall))
		n, err := w.ReadFrom(&io.LimitedReader{R: d.tcp, N: copyChunk})
		moved += n
		switch {
		case err == nil && n < copyChunk:
			return moved, nil
		case err == nil, n > 0 && errors.Is(err, os.ErrDeadlineExceeded):
		default:
			return moved, stalled(err)
		}
	}
}

// copyFrom sends all of r.
func (d *dataConn) copyFrom(r io.Reader) (int64, error) {
	if f, ok := r.(*os.File); ok && d.tls == nil && d.tcp != nil {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return d.sendFile(f)
		}
	}
	buffer := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buffer)
	var moved int64
	for {
		n, err := r.Read(buffer[:])
		if n > 0 {
			m, err := d.write(buffer[:n])
			moved += int64(m)
			if err != nil {
				return moved, err
			}
		}
		if err == io.EOF { //nolint:errorlint // as io.Copy
			return moved, nil
		}
		if err != nil {
			return moved, &localError{err}
		}
	}
}

// sendFile has the kernel copy from a regular file, whose offset is right after each timeout.
func (d *dataConn) sendFile(f *os.File) (moved int64, err error) {
	start, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, &localError{err}
	}
	for {
		d.raw.SetWriteDeadline(time.Now().Add(d.stall))
		n, err := d.tcp.ReadFrom(&io.LimitedReader{R: f, N: copyChunk})
		moved += n
		switch {
		case err == nil && n < copyChunk:
			return moved, nil
		case err == nil:
		case n > 0 && errors.Is(err, os.ErrDeadlineExceeded):
			// Where the kernel did not copy, more has been read than was sent.
			if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != start+moved {
				return moved, ErrStalled
			}
		default:
			return moved, stalled(err)
		}
	}
}

// localError is an error of the caller's own reader or writer, and not of the network.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }
