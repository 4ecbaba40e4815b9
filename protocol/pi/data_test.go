package pi_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestBounce: whatever address a client names, only its own is ever connected to (THREATS 1; SEED D19).
func TestBounce(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})})
	victim, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	at := victim.Addr().(*net.TCPAddr).AddrPort()
	c := s.Login("rw")
	for _, line := range []string{
		"PORT " + ftp.FormatHostPort(at),
		"EPRT " + ftp.FormatExtendedPort(at),
		"EPRT |2|::ffff:127.0.0.2|" + strings.Split(at.String(), ":")[1] + "|",
	} {
		c.Cmd(501, "%s", line)
		c.Cmd(425, "RETR f")
	}
	victim.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if conn, err := victim.Accept(); err == nil {
		conn.Close()
		t.Error("the victim was connected to")
	}
}

// TestActiveSource: the server's data connection comes from the address the client reached.
func TestActiveSource(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"}), Address: "127.0.0.3"})
	c := s.Login("rw")
	l := c.Active()
	c.Cmd(150, "RETR f")
	d := l.Accept()
	if got := d.Conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(); got != s.Addr.Addr() {
		t.Errorf("it comes from %s", got)
	}
	d.Receive()
	c.Want(226)
}

// TestPassiveAddress: the port is open on the address of the control connection only (SEED D4).
func TestPassiveAddress(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil)})
	c := s.Login("rw")
	port := c.EPSV()
	conn, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port).String())
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("127.0.0.2: %v", err)
		if err == nil {
			conn.Close()
		}
	}
}

// TestMapped: a client that comes over IPv4 to a dual-stack listener is an IPv4 client (SEED D3).
func TestMapped(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"}), Address: "::"})
	c := ftptest.Dial(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Addr.Port()))
	c.Want(220)
	c.Login("rw")
	r := c.Cmd(227, "PASV")
	if !strings.Contains(r.String(), "(127,0,0,1,") {
		t.Errorf("got %s", r)
	}
	d := c.Passive()
	c.Cmd(150, "RETR f")
	if got := d.Receive(); got != "text" {
		t.Errorf("received %q", got)
	}
	c.Want(226)
	l := c.Active()
	c.Cmd(150, "RETR f")
	l.Accept().Receive()
	c.Want(226)
	c.Cmd(522, "EPSV 2")
}

// TestPublicHost: behind NAT, PASV announces the address that clients can reach (SEED D1).
func TestPublicHost(t *testing.T) {
	announce := func(local, client netip.Addr) netip.Addr {
		switch client {
		case netip.MustParseAddr("127.0.0.1"):
			return netip.MustParseAddr("192.0.2.7")
		case netip.MustParseAddr("127.0.0.2"):
			return netip.AddrFrom4([4]byte{192, 0, 2, local.As4()[3]})
		case netip.MustParseAddr("127.0.0.3"):
			return netip.IPv6Loopback() // has no room in a 227
		}
		return netip.Addr{}
	}
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Address: "127.0.0.9", Endpoint: pi.Endpoint{PublicHost: announce}})
	for from, want := range map[string]string{
		"127.0.0.1": "(192,0,2,7,", "127.0.0.2": "(192,0,2,9,", "127.0.0.3": "(127,0,0,9,", "127.0.0.4": "(127,0,0,9,",
	} {
		c := ftptest.DialFrom(t, from, s.Addr)
		c.Want(220)
		c.Login("rw")
		if r := c.Cmd(227, "PASV"); !strings.Contains(r.String(), want) {
			t.Errorf("%s got %s", from, r)
		}
	}
}

// TestGreeting: the banner is the operator's (SEED C1).
func TestGreeting(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Endpoint: pi.Endpoint{Greeting: []string{"Welcome.", "2 rules:", "be brief."}}})
	c := s.Dial()
	if r := c.Want(220); r.String() != "220-Welcome.\n 2 rules:\n220 be brief." {
		t.Errorf("got %q", r)
	}
}

// TestASCIIFromTheStart: an endpoint may take RFC 959 §5.1 at its word (CLIENTS 3).
func TestASCIIFromTheStart(t *testing.T) {
	base := tree(t, map[string]string{"/f": "a\nb\n"})
	s := ftptest.Start(t, ftptest.Options{FS: base, Endpoint: pi.Endpoint{ASCII: true}})
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "RETR f")
	if got := d.Receive(); got != "a\r\nb\r\n" {
		t.Errorf("received %q", got)
	}
	c.Want(226)
	c.Cmd(550, "SIZE f")
	c.Cmd(200, "TYPE I")
	c.Cmd(213, "SIZE f")
}

// TestGuests: who is greeted as a guest, and whether one is let in, is not this package's
// business (SEED A5 to A7).
func TestGuests(t *testing.T) {
	o := ftptest.Options{Account: func(user string) *pi.Account {
		if user != "rw" {
			return nil
		}
		return ftptest.Accounts(tree(t, nil))(user)
	}, Guest: func(user string) bool { return user == "visitor" }}
	s := ftptest.Start(t, o)
	c := s.Dial()
	c.Want(220)
	if r := c.Cmd(331, "USER visitor"); !strings.Contains(r.String(), "Guest") {
		t.Errorf("got %s", r)
	}
	c.Cmd(530, "PASS x@y")
	if r := c.Cmd(331, "USER anonymous"); strings.Contains(r.String(), "Guest") {
		t.Errorf("got %s", r)
	}
	c.Cmd(530, "PASS x@y")
	c.Cmd(530, "PWD")
}

// TestTypeFirst: everything from old devices passes unchanged until TYPE is sent, whatever its
// bytes (CLIENTS 3), and in TYPE I it does in both directions.
func TestTypeFirst(t *testing.T) {
	all := make([]byte, 300_000)
	for i := range all {
		all[i] = byte(i * 7)
	}
	base := tree(t, nil)
	s := ftptest.Start(t, ftptest.Options{FS: base})
	c := s.Login("rw")
	for _, typ := range []string{"", "TYPE I", "TYPE L 8"} {
		if typ != "" {
			c.Cmd(200, typ)
		}
		d := c.Passive()
		c.Cmd(150, "STOR f")
		d.Send(string(all))
		d.Close()
		c.Want(226)
		if content(base, "/f") != string(all) {
			t.Errorf("%q: stored something else", typ)
		}
		d = c.Passive()
		c.Cmd(150, "RETR f")
		if d.Receive() != string(all) {
			t.Errorf("%q: received something else", typ)
		}
		c.Want(226)
	}
}
