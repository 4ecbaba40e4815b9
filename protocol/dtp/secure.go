package dtp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// ErrHandshake says that the data connection could not be put under TLS.
var ErrHandshake = errors.New("dtp: TLS handshake on the data connection failed")

// errTruncated is a stream that ended without close_notify: nobody knows whether
// that was its end (RFC 8446 §6.1).
var errTruncated = errors.New("the TLS stream ended without close_notify")

// secureWrite is how much is protected, gathered and then sent at once: STAT and a
// cancelled context are served in between. crypto/tls by itself makes a system call for each
// record of 16 KiB. With its overhead this much is still one segment of 64 KiB for the kernel,
// a full 64 KiB is one and a small one (docs/performance.md).
const secureWrite = 63 << 10

// Secure puts the connection under TLS, as the server of PASV and PORT alike
// (RFC 4217 §7). It comes before Send or Receive. The error is ErrHandshake or
// context.Cause(ctx). The caller bounds ctx.
func (t *Transfer) Secure(ctx context.Context, c *tls.Config) (tls.ConnectionState, error) {
	w := &secureWire{TCPConn: t.Conn, transfer: t}
	w.tls = tls.Server(w, c)
	if err := w.tls.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			return tls.ConnectionState{}, context.Cause(ctx)
		}
		return tls.ConnectionState{}, errors.Join(ErrHandshake, err)
	}
	t.secure = w
	return w.tls.ConnectionState(), nil
}

// secureWire is the network side of a transfer under TLS: crypto/tls on top of a wire, so that
// waiting, stalls and cancelling are the same as in clear.
//
// It is also what crypto/tls takes for its connection. During the handshake that is the
// TCP connection itself, and later the wire of Send or Receive, which sets deadlines
// in its own way: those that crypto/tls would set, 5 seconds for its close_notify
// among them, would cut off slow clients, and end the stream of a download as if it were cut.
type secureWire struct {
	*net.TCPConn
	tls      *tls.Conn
	transfer *Transfer

	wire  *wire  // nil: outside of Send and Receive
	out   []byte // records that have not been sent; nil: each is sent at once
	bytes atomic.Int64
	now   bool  // do not wait: errNotYet
	ended bool  // the peer has ended the TCP connection
	err   error // of the wire, as it is to be reported
}

// attach begins Send or Receive.
func (w *secureWire) attach(ctx context.Context, sends bool) error {
	var err error
	if w.wire, err = newWire(ctx, w.transfer); err != nil {
		return err
	}
	w.wire.sends = sends
	w.wire.moved = &w.bytes // what Transfer counts is what was protected
	return nil
}

func (w *secureWire) release() {
	w.wire.release()
	w.wire = nil
}

func (w *secureWire) Read(b []byte) (int, error) {
	if w.wire == nil {
		// GnuTLS (lftp, FileZilla) ends its TLS 1.3 handshake with two small writes, and
		// Nagle's algorithm holds the second back until the first is acknowledged.
		acknowledgeAtOnce(w.TCPConn)
		return w.TCPConn.Read(b)
	}
	n, err := w.wire.readNow(b, w.now)
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
		w.ended = true
	case err != nil && err != errNotYet: //nolint:errorlint // never wrapped
		w.err = err
	}
	return n, err
}

func (w *secureWire) Write(b []byte) (int, error) {
	if w.wire == nil {
		return w.TCPConn.Write(b)
	}
	if w.out != nil && len(b) <= cap(w.out)-len(w.out) {
		w.out = append(w.out, b...)
		return len(b), nil
	}
	if err := w.flush(); err != nil {
		return 0, err
	}
	if err := w.wire.write(b); err != nil {
		w.err = err
		return 0, err
	}
	return len(b), nil
}

// flush sends the records that have been gathered.
func (w *secureWire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	err := w.wire.write(w.out)
	w.out = w.out[:0]
	if err != nil {
		w.err = err
	}
	return err
}

func (w *secureWire) SetDeadline(t time.Time) error {
	if w.wire == nil {
		return w.TCPConn.SetDeadline(t)
	}
	return nil
}

func (w *secureWire) SetReadDeadline(t time.Time) error {
	if w.wire == nil {
		return w.TCPConn.SetReadDeadline(t)
	}
	return nil
}

func (w *secureWire) SetWriteDeadline(t time.Time) error {
	if w.wire == nil {
		return w.TCPConn.SetWriteDeadline(t)
	}
	return nil
}

// write sends all of b.
func (w *secureWire) write(b []byte) error {
	buf := getBuffer()
	defer buf.put()
	w.out = buf.b[:0]
	defer func() { w.out = nil }()
	for len(b) > 0 {
		n, err := w.tls.Write(b[:min(len(b), secureWrite)])
		if err == nil {
			err = w.flush()
		}
		if err != nil {
			return w.fail(err)
		}
		w.transfer.moved.Add(int64(n))
		b = b[n:]
	}
	return nil
}

// finish ends the stream, so that the peer knows it was not cut. It may take as
// long as any other write: the client may be slow and its buffers full. One that
// has hung up after the last byte has what it wanted, as in clear.
func (w *secureWire) finish() error {
	var peer *PeerError
	if err := w.tls.CloseWrite(); err != nil && !errors.As(w.fail(err), &peer) {
		return w.fail(err)
	}
	return nil
}

// read waits for something, and then takes all that is there and fits into b: storage sees
// large writes although TLS comes in records of 16 KiB.
func (w *secureWire) read(b []byte) (n int, err error) {
	w.now = false
	for n < len(b) && err == nil {
		var k int
		k, err = w.tls.Read(b[n:])
		n += k
		w.now = n > 0
	}
	switch {
	case err == nil, errors.Is(err, errNotYet):
		return n, nil
	case err == io.EOF && !w.ended: //nolint:errorlint // a wrapped one is a failure, not the end
		return n, io.EOF // close_notify
	case err == io.EOF && w.transfer.Truncation: //nolint:errorlint // and not in the middle of a record
		return n, io.EOF
	case w.ended:
		// Between two records crypto/tls takes this for the end.
		return n, &PeerError{errTruncated}
	}
	return n, w.fail(err)
}

// fail names the failure of an operation: the wire's own, or that of the protocol.
func (w *secureWire) fail(err error) error {
	if w.err != nil {
		return w.err
	}
	return &PeerError{err}
}

// errNotYet says that nothing has come yet. For crypto/tls it is a timeout, after
// which it goes on where it was.
var errNotYet error = &notYet{os.ErrDeadlineExceeded}

type notYet struct{ error }

func (*notYet) Timeout() bool   { return true }
func (*notYet) Temporary() bool { return true }
