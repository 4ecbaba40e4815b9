package s3

import (
	"context"
	"net"
	"time"
)

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
}

func (c *quietConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *quietConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
