package ftpclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Dial connects, reads the greeting (a 120 is awaited) and, with Explicit, puts the connection
// under TLS. A port missing from the address is 21, or 990 with Implicit.
func Dial(ctx context.Context, address string, o Options) (*Conn, error) {
	o.setDefaults()
	host, port, err := splitAddress(address, o.Security)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(host+port, func(c rune) bool { return c <= ' ' || c == 0x7F }) {
		return nil, fmt.Errorf("%w in %q", ErrBadName, address) // it may be sent to a proxy as it is
	}
	c := &Conn{
		o:    o,
		host: host,
		base: context.WithoutCancel(ctx),
		turn: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.ConnectTimeout, ErrTimeout)
	defer cancel()
	if c.tcp, err = c.connect(ctx, net.JoinHostPort(host, port)); err != nil {
		return nil, err
	}
	if o.Dialer == nil {
		c.peer = addrPort(c.tcp.RemoteAddr()).Addr()
	}
	c.conn = c.tcp
	c.lines = ftp.NewLineReader(&c.in, o.MaxLine)
	c.in.r = c.conn
	if err := c.greet(ctx); err != nil {
		c.tcp.Close()
		return nil, err
	}
	return c, nil
}

// greet does everything up to the login.
func (c *Conn) greet(ctx context.Context) error {
	if c.o.Security != Plain {
		c.newTLS()
	}
	if c.o.Security == Implicit {
		if err := c.startTLS(ctx); err != nil {
			return err
		}
	}
	e, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer e.end()
	if c.greeting, err = e.reply(); err == nil && c.greeting.Code == 120 {
		c.greeting, err = e.reply() // service ready in so many minutes
	}
	switch {
	case err != nil:
		return err
	case c.greeting.Code/100 != 2:
		return fmt.Errorf("the server takes no connection: %w", refusal("", "", c.greeting))
	case c.o.Security == Explicit:
		return e.authTLS(ctx)
	}
	return nil
}

func splitAddress(address string, s Security) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err == nil && port != "" {
		return host, port, nil
	}
	port = "21"
	if s == Implicit {
		port = "990"
	}
	if host, _, err = net.SplitHostPort(net.JoinHostPort(address, port)); err == nil {
		return host, port, nil
	}
	// "host:" and "[::1]" without a port.
	if host, _, err = net.SplitHostPort(address + port); err == nil {
		return host, port, nil
	}
	if host, _, err = net.SplitHostPort(address + ":" + port); err == nil {
		return host, port, nil
	}
	return "", "", err
}

// connect makes a connection of any kind, with its PROXY header.
func (c *Conn) connect(ctx context.Context, address string) (net.Conn, error) {
	var dialer Dialer = &net.Dialer{}
	if c.o.Dialer != nil {
		dialer = c.o.Dialer
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		if ctx.Err() != nil {
			err = &worded{context.Cause(ctx).Error(), fmt.Errorf("%w: %w", context.Cause(ctx), err)}
		}
		return nil, InWords(err)
	}
	if c.o.ProxySource.IsValid() {
		if err := writeProxyHeader(ctx, conn, c.o.ProxySource); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// addrPort is a TCP address, never IPv4-mapped; invalid for others.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := tcp.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// Greeting is the 220 reply.
func (c *Conn) Greeting() ftp.Reply { return c.greeting }

// RemoteAddr is the peer of the control connection.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// LocalAddr is this end of the control connection.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// TLS is the state of the control connection; ok is false in clear.
func (c *Conn) TLS() (state tls.ConnectionState, ok bool) {
	if s, ok := c.conn.(*tls.Conn); ok {
		return s.ConnectionState(), true
	}
	return state, false
}
