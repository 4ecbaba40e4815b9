package ftptest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Data is one data connection, from the client's side. Its methods fail the test.
type Data struct {
	Conn *net.TCPConn
	TLS  *tls.Conn // over Conn, after StartTLS; else nil
	t    testing.TB
}

// Passive sends EPSV and connects to the port it is told.
func (c *Client) Passive() *Data {
	c.t.Helper()
	return c.Connect(c.EPSV())
}

// EPSV returns the port that the server answers.
func (c *Client) EPSV() uint16 {
	c.t.Helper()
	r := c.Cmd(229, "EPSV")
	port, err := ftp.ParseExtendedPassiveReply(ftp.Reply{Code: r.Code, Lines: []string{r.Lines[0][4:]}})
	if err != nil {
		c.t.Fatalf("ftptest: %q: %v", r, err)
	}
	return port
}

// Connect makes a data connection to a port of the server.
func (c *Client) Connect(port uint16) *Data {
	c.t.Helper()
	return c.connectFrom(netip.Addr{}, port)
}

// ConnectFrom makes it from another address of this machine, such as 127.0.0.2.
func (c *Client) ConnectFrom(from string, port uint16) *Data {
	c.t.Helper()
	return c.connectFrom(netip.MustParseAddr(from), port)
}

func (c *Client) connectFrom(from netip.Addr, port uint16) *Data {
	c.t.Helper()
	server := c.Conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
	conn := dialTCP(c.t, from, netip.AddrPortFrom(server, port))
	c.t.Cleanup(func() { conn.Close() })
	return &Data{Conn: conn, t: c.t}
}

// Listener waits for an active data connection.
type Listener struct {
	Addr netip.AddrPort
	l    *net.TCPListener
	t    testing.TB
}

// Listen opens a port at the client's end of the control connection.
func (c *Client) Listen() *Listener {
	c.t.Helper()
	host := c.Conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		c.t.Fatalf("ftptest: %v", err)
	}
	c.t.Cleanup(func() { l.Close() })
	return &Listener{Addr: l.Addr().(*net.TCPAddr).AddrPort(), l: l, t: c.t}
}

// Active listens and sends EPRT.
func (c *Client) Active() *Listener {
	c.t.Helper()
	l := c.Listen()
	c.Cmd(200, "EPRT %s", ftp.FormatExtendedPort(l.Addr))
	return l
}

// Accept takes one connection and closes the listener.
func (l *Listener) Accept() *Data {
	l.t.Helper()
	l.l.SetDeadline(time.Now().Add(Patience))
	conn, err := l.l.AcceptTCP()
	l.l.Close()
	if err != nil {
		l.t.Fatalf("ftptest: waiting for the server's data connection: %v", err)
	}
	l.t.Cleanup(func() { conn.Close() })
	return &Data{Conn: conn, t: l.t}
}

// Close closes the listener.
func (l *Listener) Close() { l.l.Close() }

// Send sends bytes to the server.
func (d *Data) Send(b string) {
	d.t.Helper()
	d.Conn.SetWriteDeadline(time.Now().Add(Patience))
	if _, err := io.WriteString(over(d.Conn, d.TLS), b); err != nil {
		d.t.Fatalf("ftptest: sending data: %v", err)
	}
}

// Receive reads to the end; a reset fails the test, and so does a TLS stream without close_notify.
func (d *Data) Receive() string {
	d.t.Helper()
	d.Conn.SetReadDeadline(time.Now().Add(Patience))
	var b strings.Builder
	if _, err := io.Copy(&b, over(d.Conn, d.TLS)); err != nil {
		d.t.Fatalf("ftptest: receiving data, after %d bytes: %v", b.Len(), err)
	}
	if d.cut() {
		d.t.Fatalf("ftptest: the TLS stream ended without close_notify, after %d bytes", b.Len())
	}
	d.Close()
	return b.String()
}

// ReceiveSome reads exactly n bytes.
func (d *Data) ReceiveSome(n int) string {
	d.t.Helper()
	d.Conn.SetReadDeadline(time.Now().Add(Patience))
	b := make([]byte, n)
	if _, err := io.ReadFull(over(d.Conn, d.TLS), b); err != nil {
		d.t.Fatalf("ftptest: receiving data: %v", err)
	}
	return string(b)
}

// Gone waits until the server has ended or reset the connection, and returns how many bytes came before that.
func (d *Data) Gone() int {
	d.t.Helper()
	d.Conn.SetReadDeadline(time.Now().Add(Patience))
	n, err := io.Copy(io.Discard, d.Conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		d.t.Fatalf("ftptest: the data connection stays open: %v", err)
	}
	d.Conn.Close()
	return int(n)
}

// Close ends the connection in good order: the server sees the end of data.
func (d *Data) Close() { over(d.Conn, d.TLS).Close() }

// Reset ends the connection with RST.
func (d *Data) Reset() {
	d.Conn.SetLinger(0)
	d.Conn.Close()
}
