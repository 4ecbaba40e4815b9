package gateway

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// login logs in from an address and returns the connection.
func (r *running) login(from string) *bufio.ReadWriter {
	r.t.Helper()
	c, line := r.dial(from)
	cmd(c, "USER alice")
	if got := cmd(c, "PASS secret words"); !strings.HasPrefix(got, "230") {
		r.t.Fatalf("%q, then %q", line, got)
	}
	return c
}

// epsv returns the passive port that a session is given.
func (r *running) epsv(c *bufio.ReadWriter) netip.AddrPort {
	r.t.Helper()
	line := strings.TrimSpace(cmd(c, "EPSV"))
	if !strings.HasPrefix(line, "229 ") {
		r.t.Fatalf("got %q", line)
	}
	port, err := ftp.ParseExtendedPassiveReply(ftp.Reply{Code: 229, Lines: []string{line[4:]}})
	if err != nil {
		r.t.Fatalf("%q: %v", line, err)
	}
	return netip.AddrPortFrom(r.Addrs()[0].(*net.TCPAddr).AddrPort().Addr(), port)
}

// knock connects from an address and returns when the other end has closed.
func knock(t *testing.T, from string, to netip.AddrPort) {
	t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	conn, err := d.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if n, _ := conn.Read(make([]byte, 1)); n > 0 {
		t.Error("it got data")
	}
}

// The operator of a client with two addresses finds both in the log, and what to set;
// so does whoever reads the line of its transfer.
func TestForeignDataIsLogged(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.Limits.DataTimeout = 50 * time.Millisecond })
	c := r.login("127.0.0.1")
	knock(t, "127.0.0.9", r.epsv(c))
	if got := cmd(c, "LIST"); !strings.HasPrefix(got, "425 ") {
		t.Fatalf("got %q", got)
	}
	for _, want := range []string{
		`"client":"127\.0\.0\.9:\d+","control":"127\.0\.0\.1","setting":"data_peers"`,
		`"control":"127\.0\.0\.1","data":"127\.0\.0\.9","setting":"data_peers".*"verb":"LIST"`,
	} {
		if !regexp.MustCompile(want).MatchString(r.log.String()) {
			t.Errorf("%s is not in\n%s", want, r.log)
		}
	}
}

// With the setting, the client is served.
func TestDataPeers(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Listeners[0].DataPeers = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/28")}
	})
	c := r.login("127.0.0.1")
	at := r.epsv(c)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
	conn, err := d.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := cmd(c, "NLST"); !strings.HasPrefix(got, "150 ") {
		t.Errorf("got %q", got)
	}
	if got, _ := c.ReadString('\n'); !strings.HasPrefix(got, "226 ") {
		t.Errorf("got %q", got)
	}
}

// When ports run out the log says so once, with what there is and what to set, however
// often it is asked; the client may try again, and gets one when one is free.
func TestExhaustionIsLogged(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Listeners[0].Address = netip.AddrPortFrom(ownAddress(), 0)
		c.Listeners[0].PassivePorts = config.PortRange{First: 20000, Last: 20001}
		c.Limits.DataTimeout = patience
	})
	first, second, third := r.login("127.0.0.1"), r.login("127.0.0.1"), r.login("127.0.0.1")
	r.epsv(first)
	r.epsv(second)
	for range 20 {
		if got := cmd(third, "EPSV"); !strings.HasPrefix(got, "425 No passive port is free for your address") {
			t.Fatalf("got %q", got)
		}
	}
	r.epsv(r.login("127.0.0.3")) // other addresses are not affected
	cmd(first, "QUIT")
	io.Copy(io.Discard, first) // the port is given back before the connection is closed
	r.epsv(third)
	lines := regexp.MustCompile(`.*"message":"no passive port.*`).FindAllString(r.log.String(), -1)
	want := `"listener":"main","client":"127.0.0.1","ports":2,"reserved":2,"resting":0,"setting":"passive_ports"`
	if len(lines) != 1 || !strings.Contains(lines[0], want) {
		t.Errorf("logged\n%s\nwant %s", strings.Join(lines, "\n"), want)
	}
	if strings.Contains(r.log.String(), `"verb":"EPSV"`) {
		t.Errorf("each refusal is logged:\n%s", r.log)
	}
}

// ownAddress is a loopback address that no other process uses, so that all of its
// ports are free.
func ownAddress() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 66, byte(pid >> 8), byte(pid)})
}

// Behind a load balancer bans and networks are about the clients; the balancer's probes
// are in no line of the log.
func TestBehindBalancer(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Listeners[0].ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
		c.Listeners[0].DenyFrom = []netip.Prefix{netip.MustParsePrefix("203.0.113.66/32"), netip.MustParsePrefix("127.0.0.2/32")}
	})
	through := func(header string) (*bufio.ReadWriter, string) {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		conn, err := d.Dial("tcp", r.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(patience))
		c := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
		if header == "" {
			conn.Close()
			return c, ""
		}
		c.WriteString(header)
		c.Flush()
		line, _ := c.ReadString('\n')
		return c, line
	}
	from := func(client string) string { return "PROXY TCP4 " + client + " 198.51.100.1 40000 21\r\n" }
	for range 10 {
		through("")
	}
	c, line := through(from("203.0.113.5"))
	if !strings.HasPrefix(line, "220") {
		t.Fatalf("got %q", line)
	}
	for range 3 {
		cmd(c, "USER alice")
		cmd(c, "PASS wrong")
	}
	for client, want := range map[string]string{"203.0.113.5": "421 Too many failed", "203.0.113.66": "421 Connections from your", "203.0.113.7": "220"} {
		if _, line := through(from(client)); !strings.HasPrefix(line, want) {
			t.Errorf("%s: got %q", client, line)
		}
	}
	if got := r.log.String(); strings.Contains(got, "127.0.0.2") || !strings.Contains(got, "203.0.113.5:40000") {
		t.Errorf("logged\n%s", got)
	}
	// Words without a header from there are a line of their own.
	through("USER anonymous\r\n")
	eventually(t, "the refusal in the log", func() bool {
		return regexp.MustCompile(`"client":"127\.0\.0\.2:\d+","reason":"[^"]*no good PROXY header`).MatchString(r.log.String())
	})
}
