package ftpclient

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// tlsData is the network side of a data connection under TLS, on which crypto/tls sits. It reads and
// writes in large pieces, where crypto/tls would make a system call for each record of
// 16 KiB, and keeps the deadlines: those of crypto/tls end a stream that is merely slow.
type tlsData struct {
	net.Conn // for addresses, and for everything during the handshake
	d        *dataConn
	tls      *tls.Conn
	up       bool // the handshake is over

	in         []byte // received and not yet taken
	buffer     *[copyBuffer]byte
	out        []byte // records to be sent; nil: each at once
	ended, now bool   // FIN has come; do not wait
}

// tlsWrite is how much is protected and then sent at once.
const tlsWrite = 128 << 10

// recordOverhead is more than a record adds to its 16 KiB.
const recordOverhead = 64

// Read implements net.Conn for crypto/tls.
func (t *tlsData) Read(b []byte) (int, error) {
	if !t.up {
		return t.Conn.Read(b)
	}
	if len(t.in) == 0 {
		if t.now {
			return 0, errNothing
		}
		if t.buffer == nil {
			t.buffer = buffers.Get().(*[copyBuffer]byte)
		}
		n, err := t.d.readRaw(t.buffer[:])
		t.in = t.buffer[:n]
		if n == 0 {
			t.ended = t.ended || err == io.EOF //nolint:errorlint // a wrapped one is a failure, not the end
			return 0, err
		}
	}
	n := copy(b, t.in)
	t.in = t.in[n:]
	return n, nil
}

// Write implements net.Conn for crypto/tls.
func (t *tlsData) Write(b []byte) (int, error) {
	switch {
	case !t.up:
		return t.Conn.Write(b)
	case t.out != nil && len(t.out)+len(b) <= cap(t.out):
		t.out = append(t.out, b...)
		return len(b), nil
	}
	if err := t.flush(); err != nil {
		return 0, err
	}
	return t.d.writeRaw(b)
}

func (t *tlsData) flush() error {
	if len(t.out) == 0 {
		return nil
	}
	_, err := t.d.writeRaw(t.out)
	t.out = t.out[:0]
	return err
}

// SetDeadline and the like: see tlsData.
func (t *tlsData) SetDeadline(d time.Time) error {
	if t.up {
		return nil
	}
	return t.Conn.SetDeadline(d)
}

// SetReadDeadline implements net.Conn.
func (t *tlsData) SetReadDeadline(d time.Time) error {
	if t.up {
		return nil
	}
	return t.Conn.SetReadDeadline(d)
}

// SetWriteDeadline implements net.Conn.
func (t *tlsData) SetWriteDeadline(d time.Time) error {
	if t.up {
		return nil
	}
	return t.Conn.SetWriteDeadline(d)
}

// read waits for something and then takes all that is there and fits.
func (t *tlsData) read(b []byte) (n int, err error) {
	t.now = false
	for n < len(b) && err == nil {
		var k int
		k, err = t.tls.Read(b[n:])
		n += k
		t.now = n > 0
	}
	t.now = false
	switch {
	case errors.Is(err, errNothing):
		err = nil
	case err == nil:
	case t.ended && !t.d.truncation:
		err = errTruncated // crypto/tls takes it for the end if it comes between two records
	case t.ended && errors.Is(err, io.EOF):
		err = io.EOF
	}
	if err != nil {
		t.free()
	}
	return n, err
}

// free gives the buffer back; nothing is read after the end or an error.
func (t *tlsData) free() {
	if t.buffer != nil {
		buffers.Put(t.buffer)
		t.buffer, t.in = nil, nil
	}
}

var errTruncated = errors.New("the TLS stream of the data connection ended without close_notify")

// write sends all of b.
func (t *tlsData) write(b []byte) (sent int, err error) {
	if len(b) > 16<<10 && t.out == nil {
		t.out = make([]byte, 0, tlsWrite+tlsWrite/(16<<10)*recordOverhead)
	}
	for len(b) > 0 && err == nil {
		piece := b[:min(len(b), tlsWrite)]
		if _, err = t.tls.Write(piece); err == nil {
			err = t.flush()
		}
		if err == nil {
			sent += len(piece)
		}
		b = b[len(piece):]
	}
	return sent, err
}

// endWrite sends close_notify.
func (t *tlsData) endWrite() error {
	if err := t.tls.CloseWrite(); err != nil {
		return err
	}
	return t.flush()
}

// errNothing says that nothing has come yet. For crypto/tls it is a timeout, after which it can go on.
var errNothing error = &nothing{os.ErrDeadlineExceeded}

type nothing struct{ error }

func (*nothing) Timeout() bool   { return true }
func (*nothing) Temporary() bool { return true }
