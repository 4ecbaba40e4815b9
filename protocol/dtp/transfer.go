package dtp

import (
	"context"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// Transfer is the copying of one data connection; its states are in the
// package's documentation. Conn must be set; Send or Receive is called at most
// once, then Close.
//
// The errors of Send and Receive are ErrStalled, *PeerError (the network),
// context.Cause(ctx) when ctx ended, and otherwise what src or dst returned.
type Transfer struct {
	// Conn is the transfer's own: Receive may put another in its place, for the same socket.
	Conn *net.TCPConn
	// Stall is the longest wait for the peer in which not one byte moves. It
	// ends a transfer after one to two such intervals. Waiting for src and dst
	// does not count. 0 means no limit.
	Stall time.Duration
	// ASCII converts between LF in files and CRLF on the network (RFC 959
	// §3.1.1.1). See Send and Receive.
	ASCII bool

	// Truncation takes a TLS stream that ends without close_notify for whole.
	Truncation bool

	secure *secureWire // nil: clear
	moved  atomic.Int64
	whole  bool
	sent   bool
}

// Bytes is how many bytes have moved so far: handed to the network by Send,
// stored by Receive, counted as they are on the network. It may be called from
// any goroutine.
func (t *Transfer) Bytes() int64 { return t.moved.Load() }

// Send copies src to its end. It may return before the peer has all of it, unless closing the
// connection could take the rest from it (see settle). If raw is not nil it is the file that src reads,
// at the same offset, and the kernel may copy from it.
//
// With ASCII every LF becomes CRLF, also one after a CR, so that the peer can
// restore the exact bytes (RFC 1123 §4.1.2.4).
func (t *Transfer) Send(ctx context.Context, src io.Reader, raw *os.File) error {
	t.sent = true
	if w := t.secure; w != nil {
		if err := w.attach(ctx, true); err != nil {
			return err
		}
		defer w.release()
		err := t.send(w.write, nil, src)
		if err == nil {
			err = w.finish()
		}
		if err == nil {
			err = w.wire.settle()
		}
		return t.finish(ctx, err)
	}
	w, err := newWire(ctx, t)
	if err != nil {
		return err
	}
	defer w.release()
	w.sends = true
	sendFile := func() (bool, error) { return w.sendFile(raw) }
	if t.ASCII || raw == nil {
		sendFile = nil
	}
	if err = t.send(w.write, sendFile, src); err == nil {
		err = w.settle()
	}
	return t.finish(ctx, err)
}

// Receive copies to dst until the peer ends the connection in good order; a
// reset is an error. If raw is not nil it is the file that dst writes, at the
// same offset and opened without O_APPEND, and the kernel may copy to it.
//
// With ASCII every CRLF becomes LF; a CR that no LF follows stays.
func (t *Transfer) Receive(ctx context.Context, dst io.Writer, raw *os.File) error {
	if w := t.secure; w != nil {
		if err := w.attach(ctx, false); err != nil {
			return err
		}
		defer w.release()
		return t.finish(ctx, t.receive(w.read, nil, dst, raw != nil))
	}
	w, err := newWire(ctx, t)
	if err != nil {
		return err
	}
	defer w.release()
	receiveFile := func() (bool, error) { return w.receiveFile(raw, dst) }
	if raw == nil {
		receiveFile = nil
	}
	return t.finish(ctx, t.receive(w.read, receiveFile, dst, raw != nil))
}

// finish notes how the transfer ended. A storage that is cancelled by the same
// context may say so in its own words.
func (t *Transfer) finish(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	t.whole = err == nil
	return err
}

// replace puts another connection, of the same socket, in the place of Conn.
func (t *Transfer) replace(c *net.TCPConn) {
	t.Conn = c
	if t.secure != nil {
		t.secure.TCPConn = c
	}
}

// Close closes the connection. After a transfer that reached its end the peer
// sees the end of the file, after everything that was sent; otherwise the
// connection is reset, so that nobody takes a cut file for a whole one.
func (t *Transfer) Close() error {
	if !t.whole {
		_ = t.Conn.SetLinger(0)
		return t.Conn.Close()
	}
	if t.secure != nil && !t.sent {
		_ = t.secure.tls.CloseWrite() // the client may have closed already
	}
	if t.sent {
		// Unread bytes would turn the end of the file into a reset.
		discardUnread(t.Conn)
	}
	return t.Conn.Close()
}

// send copies src through a buffer; once it turns out to be long, sendFile (nil: not
// possible here) may do the rest.
func (t *Transfer) send(write func([]byte) error, sendFile func() (bool, error), src io.Reader) error {
	buf := getBuffer()
	defer func() { buf.put() }()
	begin, fast := time.Now(), false
	for first := true; ; first = false {
		n, err := readChunk(src, buf.b, t.ASCII)
		if n > 0 {
			if err := write(buf.b[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case err != nil:
			return err
		case first && n == len(buf.b) && sendFile != nil:
			if done, err := sendFile(); done || err != nil {
				return err
			}
			buf = buf.grow()
		case n > len(buf.b)/2:
			buf = buf.grow()
		}
		if !fast && t.Bytes() >= fastFrom {
			if fast = true; time.Since(begin) < time.Second {
				buf = buf.growFast()
			}
		}
	}
}

// readChunk reads once, at most what fits into b when it is converted.
func readChunk(src io.Reader, b []byte, ascii bool) (int, error) {
	at := 0
	if ascii {
		at = (len(b) + 1) / 2
	}
	for range maxEmptyReads {
		n, err := src.Read(b[at:])
		if n == 0 && err == nil {
			continue
		}
		if ascii {
			n = expandLF(b, at, n)
		}
		return n, err
	}
	return 0, io.ErrNoProgress
}

// receive copies through a buffer to dst; once it turns out to be long, receiveFile
// (nil: not possible here) may do the rest.
func (t *Transfer) receive(read func([]byte) (int, error), receiveFile func() (bool, error), dst io.Writer, file bool) error {
	if t.ASCII {
		return t.receiveASCII(read, dst)
	}
	buf := getBuffer()
	defer func() { buf.put() }()
	for {
		n, err := read(buf.b)
		if n > 0 {
			if err := t.store(dst, buf.b[:n], n); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case err != nil:
			return err
		case receiveFile != nil && t.Bytes() >= spliceFrom:
			if done, err := receiveFile(); done || err != nil {
				return err
			}
			receiveFile = nil
		case file && n == len(buf.b):
			buf = buf.grow() // what is no file has buffers of its own, and may make a thousand uploads wait
		}
	}
}

func (t *Transfer) receiveASCII(read func([]byte) (int, error), dst io.Writer) error {
	buf := getBuffer()
	defer func() { buf.put() }()
	held := 0 // 1: buf.b[0] is a CR whose successor has not come
	for {
		n, err := read(buf.b[held:])
		text, cr := joinCRLF(buf.b[:held+n], err == nil)
		if n > 0 || len(text) > 0 {
			if err := t.store(dst, text, n); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			return nil
		case err != nil:
			return err
		case held+n == len(buf.b):
			buf = buf.grow()
		}
		if held = 0; cr {
			buf.b[0] = '\r'
			held = 1
		}
	}
}

// store writes all of b and counts the n bytes of the network it came from.
func (t *Transfer) store(dst io.Writer, b []byte, n int) error {
	if len(b) > 0 {
		k, err := dst.Write(b)
		if err == nil && k < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
	}
	t.moved.Add(int64(n))
	return nil
}
