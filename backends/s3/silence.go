package s3

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errForeign, in the words of net/http: what the peer has said is neither HTTP nor the beginning of TLS.
var errForeign = errors.New("malformed HTTP response")

// quietDialer makes connections that fail when nothing has moved on them, in either
// direction, for a while.
type quietDialer struct{ connect, silence time.Duration }

func (d quietDialer) withDefaults() quietDialer {
	return quietDialer{orLonger(d.connect, DefaultConnectTimeout), orLonger(d.silence, DefaultTimeout)}
}

func orLonger(value, otherwise time.Duration) time.Duration {
	if value == 0 {
		return otherwise
	}
	return value
}

func (d quietDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: d.connect}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &quietConn{Conn: c, silence: d.silence}, nil
}

// quietConn is one of them. A read waits for the answer while the request is still
// being written, so a write prolongs both.
type quietConn struct {
	net.Conn
	silence time.Duration
	heard   atomic.Bool // read has returned bytes
	foreign atomic.Bool // the first of them begins neither HTTP nor TLS
}

func (c *quietConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.heard.CompareAndSwap(false, true) {
		const handshake = 22 // type of the TLS record that a server begins with (RFC 8446, 5.1)
		c.foreign.Store(p[0] != 'H' && p[0] != handshake)
	}
	return n, err
}

// Write says why when net/http has closed the connection under it because of an answer that
// is none: which of its two goroutines is heard is chance.
func (c *quietConn) Write(p []byte) (n int, err error) {
	if err = c.SetDeadline(time.Now().Add(c.silence)); err == nil {
		n, err = c.Conn.Write(p)
	}
	if err != nil && c.foreign.Load() {
		err = errForeign
	}
	return n, err
}
