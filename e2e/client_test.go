package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client is an FTP client that does exactly what it is told.
type client struct {
	t       testing.TB
	control *net.TCPConn
	replies *textproto.Reader
}

// connect opens a control connection and reads the greeting.
func connect(t testing.TB, server netip.AddrPort) *client {
	t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, control: conn, replies: textproto.NewReader(bufio.NewReader(conn))}
	c.expect(220)
	return c
}

// login connects and logs in, in binary.
func login(t testing.TB, server netip.AddrPort, user string) *client {
	t.Helper()
	c := connect(t, server)
	c.do(331, "USER %s", user)
	c.do(230, "PASS %s", password)
	c.do(200, "TYPE I")
	return c
}

// address is the client's end of the control connection, as the log has it.
func (c *client) address() string { return c.control.LocalAddr().String() }

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.control, format+"\r\n", args...); err != nil {
		c.t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// reply reads one reply.
func (c *client) reply() (code int, text string) {
	c.t.Helper()
	c.control.SetReadDeadline(time.Now().Add(patience))
	code, text, err := c.replies.ReadResponse(0)
	if err != nil {
		c.t.Fatalf("no reply: %v", err)
	}
	return code, text
}

// expect reads one reply, which must have this code.
func (c *client) expect(code int) string {
	c.t.Helper()
	got, text := c.reply()
	if got != code {
		c.t.Fatalf("reply %d %s, want %d", got, text, code)
	}
	return text
}

// do sends a command whose reply must have this code.
func (c *client) do(code int, format string, args ...any) string {
	c.t.Helper()
	c.send(format, args...)
	got, text := c.reply()
	if got != code {
		c.t.Fatalf("%s: reply %d %s, want %d", fmt.Sprintf(format, args...), got, text, code)
	}
	return text
}

// passive opens a data connection with EPSV.
func (c *client) passive() *net.TCPConn {
	c.t.Helper()
	text := c.do(229, "EPSV")
	_, port, _ := strings.Cut(text, "|||")
	port, _, _ = strings.Cut(port, "|")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		c.t.Fatalf("EPSV: %q", text)
	}
	server := c.control.RemoteAddr().(*net.TCPAddr)
	data, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: server.IP, Port: int(n)})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { data.Close() })
	return data
}

// fetch runs a command that sends data. It returns nil and the code if that is refused.
func (c *client) fetch(format string, args ...any) ([]byte, int) {
	c.t.Helper()
	data := c.passive()
	defer data.Close()
	c.send(format, args...)
	if code, _ := c.reply(); code != 150 {
		return nil, code
	}
	data.SetDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(data)
	if err != nil {
		c.t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	c.expect(226)
	if got == nil {
		got = []byte{}
	}
	return got, 226
}

// store runs a command that takes data, to the end.
func (c *client) store(content []byte, format string, args ...any) {
	c.t.Helper()
	data := c.passive()
	c.do(150, format, args...)
	if _, err := data.Write(content); err != nil {
		c.t.Fatal(err)
	}
	data.Close()
	c.expect(226)
}

// names are what NLST shows of dir.
func (c *client) names(dir string) []string {
	c.t.Helper()
	list, code := c.fetch("NLST %s", dir)
	if code != 226 {
		c.t.Fatalf("NLST %s: reply %d", dir, code)
	}
	var names []string
	for line := range bytes.Lines(list) {
		names = append(names, strings.TrimPrefix(strings.TrimRight(string(line), "\r\n"), dir+"/"))
	}
	slices.Sort(names)
	return names
}

// arrived waits until the running upload has taken n bytes. STAT is answered
// while a transfer runs (RFC 959 §4.1.3).
func (c *client) arrived(n int) {
	c.t.Helper()
	for limit := time.Now().Add(patience); ; {
		text := c.do(211, "STAT")
		if strings.Contains(text, fmt.Sprintf(": %d bytes so far", n)) {
			return
		}
		if time.Now().After(limit) {
			c.t.Fatalf("waited for %d bytes to arrive: %s", n, text)
		}
	}
}

// quit says goodbye.
func (c *client) quit() {
	c.t.Helper()
	c.do(221, "QUIT")
	c.control.Close()
}

// gone waits until the gateway is done with the session of a client that connected
// when the log was so many lines long. (Ports come back: the client's address alone
// may mean an earlier session.)
func (g *gateway) gone(t testing.TB, client string, since int) {
	t.Helper()
	ctx := context.Background()
	begin, err := g.log.waitFrom(ctx, since, func(l logLine) bool {
		return (l.Message == "connected" || l.Message == "logged in") && l.Client == client
	})
	if err == nil {
		_, err = g.log.waitFrom(ctx, since, func(l logLine) bool {
			return l.Message == "disconnected" && l.Session == begin.Session
		})
	}
	if err != nil {
		t.Fatalf("end of the session of %s: %v", client, err)
	}
}
