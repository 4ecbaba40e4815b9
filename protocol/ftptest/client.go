package ftptest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Client is one control connection, without any cleverness. Its methods fail the test.
type Client struct {
	Conn   *net.TCPConn
	TLS    *tls.Conn // over Conn, after AuthTLS or StartTLS; else nil
	Telnet []byte    // the Telnet commands that stood between the replies

	t testing.TB
	r *bufio.Reader
}

// Reply is a reply as it stood on the wire: every line with its code, without CRLF.
type Reply struct {
	Code  ftp.Code
	Lines []string
}

func (r Reply) String() string { return strings.Join(r.Lines, "\n") }

// Dial connects to a server; the connection is closed when the test ends.
func Dial(t testing.TB, addr netip.AddrPort) *Client {
	t.Helper()
	return dialFrom(t, netip.Addr{}, addr)
}

// DialFrom connects from another address of this machine, such as 127.0.0.2.
func DialFrom(t testing.TB, from string, addr netip.AddrPort) *Client {
	t.Helper()
	return dialFrom(t, netip.MustParseAddr(from), addr)
}

func dialFrom(t testing.TB, from netip.Addr, addr netip.AddrPort) *Client {
	t.Helper()
	conn := dialTCP(t, from, addr)
	t.Cleanup(func() { conn.Close() })
	return &Client{Conn: conn, t: t, r: bufio.NewReader(conn)}
}

// dialTCP connects from an address, or from the usual one if it is zero.
func dialTCP(t testing.TB, from netip.Addr, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	d := net.Dialer{Timeout: Patience}
	d.SetMultipathTCP(false) // urgent data
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	conn, err := d.Dial("tcp", addr.String())
	if err != nil {
		t.Fatalf("ftptest: %v", err)
	}
	return conn.(*net.TCPConn)
}

// Write sends bytes as they are.
func (c *Client) Write(b string) {
	c.t.Helper()
	c.Conn.SetWriteDeadline(time.Now().Add(Patience))
	defer c.Conn.SetWriteDeadline(time.Time{}) // for who writes to Conn himself
	if _, err := io.WriteString(over(c.Conn, c.TLS), b); err != nil {
		c.t.Fatalf("ftptest: sending %.60q: %v", b, err)
	}
}

// Send sends a command line. Without args the format is the line itself.
func (c *Client) Send(format string, args ...any) {
	c.t.Helper()
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	c.Write(format + "\r\n")
}

// Cmd sends a command line, and wants a reply with this code.
func (c *Client) Cmd(code ftp.Code, format string, args ...any) Reply {
	c.t.Helper()
	c.Send(format, args...)
	return c.Want(code)
}

// Want reads a reply and fails the test if it has another code.
func (c *Client) Want(code ftp.Code) Reply {
	c.t.Helper()
	r := c.Reply()
	if r.Code != code {
		c.t.Fatalf("ftptest: got %q, want %d", r, code)
	}
	return r
}

// Reply reads one reply.
func (c *Client) Reply() Reply {
	c.t.Helper()
	r, err := c.Next()
	if err != nil {
		c.t.Fatalf("ftptest: waiting for a reply: %v", err)
	}
	return r
}

// Next reads one reply, or tells why there is none: io.EOF, or a reset. A
// reply that breaks the framing fails the test.
func (c *Client) Next() (Reply, error) {
	c.t.Helper()
	c.Conn.SetReadDeadline(time.Now().Add(Patience))
	line, err := c.line()
	if err != nil {
		return Reply{}, err
	}
	var code ftp.Code
	if len(line) >= 4 {
		fmt.Sscanf(line[:3], "%3d", &code)
	}
	if code < 100 || line[3] != ' ' && line[3] != '-' {
		c.t.Fatalf("ftptest: not a reply: %q", line)
	}
	r := Reply{Code: code, Lines: []string{line}}
	for end := line[:3] + " "; !strings.HasPrefix(line, end); {
		if line, err = c.line(); err != nil {
			c.t.Fatalf("ftptest: in the middle of a reply: %v", err)
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

// line reads one line, and takes Telnet commands out of it.
func (c *Client) line() (string, error) {
	var b []byte
	for {
		x, err := c.r.ReadByte()
		if err != nil {
			if err == io.EOF && len(b) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		switch {
		case x == 0xFF: // IAC
			verb, err := c.r.ReadByte()
			if err != nil {
				return "", err
			}
			if verb == 0xFF {
				b = append(b, x)
				continue
			}
			option, err := c.r.ReadByte()
			if err != nil {
				return "", err
			}
			c.Telnet = append(c.Telnet, x, verb, option)
		case x == '\n':
			line, ok := strings.CutSuffix(string(b), "\r")
			if !ok || strings.ContainsFunc(line, unicode.IsControl) {
				c.t.Fatalf("ftptest: a line that breaks the framing: %q", b)
			}
			return line, nil
		default:
			b = append(b, x)
		}
	}
}

// WaitStored asks STAT, during an upload, until so many bytes have arrived.
func (c *Client) WaitStored(n int) {
	c.t.Helper()
	want := fmt.Sprintf(": %d bytes so far", n)
	Eventually(c.t, strconv.Itoa(n)+" bytes to arrive", func() bool {
		return strings.Contains(c.Cmd(211, "STAT").String(), want)
	})
}

// WantEnd fails the test unless the server now closes the connection.
func (c *Client) WantEnd() {
	c.t.Helper()
	if r, err := c.Next(); err == nil {
		c.t.Fatalf("ftptest: got %q, want the end of the connection", r)
	} else if isTimeout(err) {
		c.t.Fatalf("ftptest: the connection stays open")
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// Login logs in as one of the users of Accounts.
func (c *Client) Login(user string) {
	c.t.Helper()
	c.Cmd(331, "USER %s", user)
	c.Cmd(230, "PASS %s", user)
}

// Quit says goodbye and wants the server to close.
func (c *Client) Quit() {
	c.t.Helper()
	c.Cmd(221, "QUIT")
	c.WantEnd()
}

// Close closes the connection in good order.
func (c *Client) Close() { over(c.Conn, c.TLS).Close() }

// Reset ends the connection with RST.
func (c *Client) Reset() {
	c.Conn.SetLinger(0)
	c.Conn.Close()
}
