package pi_test

import (
	"errors"
	"io"

	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// The load balancer of these tests is 127.0.0.2; what it says of its client.
const (
	balancer = "127.0.0.2"
	header1  = "PROXY TCP4 203.0.113.5 198.51.100.1 40000 21\r\n"
	header2  = signature2 + "\x21\x11\x00\x0c" + "\xcb\x00\x71\x05" + "\xc6\x33\x64\x01" + "\x9c\x40" + "\x00\x15"
	probe2   = signature2 + "\x20\x00\x00\x00"

	signature2 = "\r\n\r\n\x00\r\nQUIT\n"
)

func behindProxy(t *testing.T, o ftptest.Options) *ftptest.Server {
	t.Helper()
	trusted := []netip.Prefix{netip.MustParsePrefix(balancer + "/32")}
	o.Endpoint.Proxies, o.Passive.Proxies = trusted, trusted
	return ftptest.Start(t, o)
}

// TestBehindProxy: behind a load balancer everything is as it is without one, for the
// client that the headers name.
func TestBehindProxy(t *testing.T) {
	for version, header := range map[string]string{"1": header1, "2": header2} {
		t.Run(version, func(t *testing.T) {
			base, l := tree(t, map[string]string{"/f": "text"}), newLog()
			started := make(chan pi.SessionInfo, 1)
			trace := l.trace()
			trace.SessionStart = func(i pi.SessionInfo) { started <- i }
			s := behindProxy(t, ftptest.Options{FS: base, Trace: trace})
			c := ftptest.DialFrom(t, balancer, s.Addr)
			c.Write(header + "USER rw\r\nPASS rw\r\n") // in one segment
			c.Want(220)
			c.Want(331)
			c.Want(230)
			i := await(t, started, "the session")
			if i.Remote != netip.MustParseAddrPort("203.0.113.5:40000") || i.Local != netip.MustParseAddrPort("198.51.100.1:21") {
				t.Errorf("%+v", i)
			}
			if r := c.Cmd(227, "PASV"); !strings.Contains(r.String(), "(198,51,100,1,") {
				t.Errorf("not the address that the client reached: %s", r)
			}
			d := c.ConnectFrom(balancer, c.EPSV())
			d.Send(header)
			c.Cmd(150, "RETR f")
			if got := d.Receive(); got != "text" {
				t.Errorf("received %q", got)
			}
			c.Want(226)
			all := strings.Repeat("PROXY\r\n", 100_000)
			d = c.ConnectFrom(balancer, c.EPSV())
			d.Send(header + all[:1000]) // in one segment
			c.Cmd(150, "STOR up")
			d.Send(all[1000:])
			d.Close()
			c.Want(226)
			if got := content(base, "/up"); got != all {
				t.Errorf("stored %d bytes instead of %d", len(got), len(all))
			}
			c.Cmd(501, "PORT 127,0,0,2,200,0") // the balancer is not the client
			c.Cmd(200, "PORT 203,0,113,5,200,0")
			c.Urgent("\xff\xf4\xff\xf2")
			c.Cmd(225, "ABOR")
		})
	}
}

// TestTLSBehindProxy: the header comes before the handshake, on both connections, and
// clear text behind it is what it always is.
func TestTLSBehindProxy(t *testing.T) {
	base := tree(t, nil)
	authority := ftptest.NewAuthority(t)
	s := behindProxy(t, ftptest.Options{FS: base, Endpoint: pi.Endpoint{TLS: authority.TLS(nil)}})
	config, _ := authority.TrustTLS(0)
	c := ftptest.DialFrom(t, balancer, s.Addr)
	c.Write(header2 + "AUTH TLS\r\nDELE f\r\n")
	c.Want(220)
	c.Want(234)
	c.StartTLS(config)
	c.Private()
	c.Login("rw")
	d := c.ConnectFrom(balancer, c.EPSV())
	c.Send("STOR f")
	io.WriteString(d.Conn, header1)
	c.Want(150)
	d.StartTLS(config).Send("text")
	d.Close()
	c.Want(226)
	if got := content(base, "/f"); got != "text" {
		t.Errorf("stored %q", got)
	}
}

// TestSpoofedHeader: a header from anywhere else is garbage, and the address that counts
// is the sender's own (THREATS 2, 8).
func TestSpoofedHeader(t *testing.T) {
	var mu sync.Mutex
	asked := make(map[netip.Addr]int)
	s := behindProxy(t, ftptest.Options{FS: tree(t, nil), Admit: func(_ string, remote netip.Addr) string {
		mu.Lock()
		defer mu.Unlock()
		asked[remote]++
		return ""
	}})
	c := s.Dial()
	c.Want(220)
	c.Write(header1 + "USER rw\r\n")
	if r := c.Want(421); !strings.Contains(r.String(), "PROXY headers are not accepted") {
		t.Errorf("got %s", r)
	}
	c.WantEnd()
	c = s.Dial()
	c.Want(220)
	c.Write(header2 + "USER rw\r\n")
	for r, err := c.Next(); err == nil; r, err = c.Next() {
		if r.Code != 500 && r.Code != 221 { // its signature holds a QUIT
			t.Errorf("got %s", r)
		}
	}
	// In a session the words mean nothing either.
	c = s.Login("rw")
	c.Cmd(500, "%s", strings.TrimSpace(header1))
	if r := c.Cmd(211, "STAT"); !strings.Contains(r.String(), "Connected from 127.0.0.1 ") {
		t.Errorf("got %s", r)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 1 || asked[netip.MustParseAddr("127.0.0.1")] != 3 {
		t.Errorf("asked about %v", asked)
	}
}

// TestProxyWithoutHeader: a balancer that does not say for whom it speaks is closed without
// a byte; one that only looks whether we live is in no report, has no place
// and is asked for nothing.
func TestProxyWithoutHeader(t *testing.T) {
	for name, x := range map[string]struct {
		sent  string
		reset bool
		want  string
	}{
		"no header":     {"USER anonymous\r\n", false, "refused the connection begins with something else"},
		"half a header": {"PROXY TCP4 203.0.113.5", false, "refused it did not come in time"},
		"silence":       {"", false, "refused it did not come in time"},
		"health probe":  {"", true, "probe"}, // of the direct client after it
	} {
		t.Run(name, func(t *testing.T) {
			limits := pi.Limits{}
			if strings.Contains(x.want, "in time") {
				limits.LoginTimeout = 50 * time.Millisecond
			}
			l := newLog()
			trace := l.trace()
			trace.Refused = func(_ string, remote netip.AddrPort, reason string) {
				if remote.Addr() != netip.MustParseAddr(balancer) {
					t.Errorf("%s was refused", remote)
				}
				l.add("refused%s", reason[strings.LastIndex(reason, ":")+1:])
			}
			s := behindProxy(t, ftptest.Options{
				FS: tree(t, nil), Trace: trace, Limits: limits,
				Admit: func(_ string, remote netip.Addr) string {
					if remote == netip.MustParseAddr(balancer) {
						t.Error("asked")
					}
					return ""
				},
			})
			c := ftptest.DialFrom(t, balancer, s.Addr)
			c.Write(x.sent)
			if x.reset {
				c.Reset()
				direct := s.Dial() // accepted after it
				direct.Want(220)
				direct.Close()
				await(t, l.ended, "the end of the session")
			} else if n, err := io.Copy(io.Discard, c.Conn); n > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %d bytes, %v", n, err)
			}
			s.Close()
			if got := l.String(); got != x.want {
				t.Errorf("reported %q", got)
			}
		})
	}
}

// TestProxyProbe: LOCAL is the balancer itself, with its own address, and hangs up like any
// other probe.
func TestProxyProbe(t *testing.T) {
	l := newLog()
	s := behindProxy(t, ftptest.Options{FS: tree(t, nil), Trace: l.trace()})
	for _, header := range []string{probe2, "PROXY UNKNOWN\r\n"} {
		c := ftptest.DialFrom(t, balancer, s.Addr)
		c.Write(header)
		c.Want(220)
		c.Close()
		await(t, l.ended, "the end of the session")
	}
	if got := l.String(); got != "probe\nprobe" {
		t.Errorf("reported %q", got)
	}
	c := ftptest.DialFrom(t, balancer, s.Addr)
	c.Write(probe2)
	c.Want(220)
	c.Login("rw")
	if r := c.Cmd(211, "STAT"); !strings.Contains(r.String(), "Connected from "+balancer) {
		t.Errorf("got %s", r)
	}
}

// TestLimitsBehindProxy: clients of one balancer are counted one by one.
func TestLimitsBehindProxy(t *testing.T) {
	s := behindProxy(t, ftptest.Options{
		FS: tree(t, nil), Limits: pi.Limits{MaxConnectionsPerIP: 1},
		Admit: func(_ string, remote netip.Addr) string {
			if remote == netip.MustParseAddr("203.0.113.66") {
				return "Not you."
			}
			return ""
		},
	})
	dial := func(client string) *ftptest.Client {
		c := ftptest.DialFrom(t, balancer, s.Addr)
		c.Write(strings.Replace(header1, "203.0.113.5", client, 1))
		return c
	}
	first := dial("203.0.113.5")
	first.Want(220)
	dial("203.0.113.6").Want(220)
	if r := dial("203.0.113.5").Want(421); !strings.Contains(r.String(), "from your address") {
		t.Errorf("got %s", r)
	}
	if r := dial("203.0.113.66").Want(421); r.String() != "421 Not you." {
		t.Errorf("got %s", r)
	}
	first.Quit()
	dial("203.0.113.5").Want(220)
}

// TestCloseWithHeadersAwaited: a server that stops does not wait for headers.
func TestCloseWithHeadersAwaited(t *testing.T) {
	start := time.Now()
	s := behindProxy(t, ftptest.Options{FS: tree(t, nil)})
	c := ftptest.DialFrom(t, balancer, s.Addr)
	c.Write("PROXY")
	direct := s.Dial() // accepted after the other
	direct.Want(220)
	s.Close()
	if took := time.Since(start); took >= dtp.DefaultHeaderTimeout {
		t.Errorf("it took %s", took)
	}
}

// TestForeignData: a client whose data connection comes from another address is told so,
// without that address, and the report has both; with a pool it is served.
func TestForeignData(t *testing.T) {
	base, l := tree(t, map[string]string{"/f": "text"}), newLog()
	s := ftptest.Start(t, ftptest.Options{FS: base, Trace: l.trace(), Limits: pi.Limits{DataTimeout: 100 * time.Millisecond}})
	c := s.Login("rw")
	d := c.ConnectFrom("127.0.0.9", c.EPSV())
	if n := d.Gone(); n > 0 {
		t.Errorf("%d bytes", n)
	}
	r := c.Cmd(425, "RETR f")
	if text := r.String(); !strings.Contains(text, "another address was refused") || strings.Contains(text, "127.") {
		t.Errorf("got %s", r)
	}
	var stranger *dtp.StrangerError
	if err := l.last().Err; !errors.As(err, &stranger) || stranger.Waiting.String() != "127.0.0.1" || stranger.Came.String() != "127.0.0.9" {
		t.Errorf("reported %v", err)
	}
	c.EPSV()
	if r := c.Cmd(425, "RETR f"); r.String() != "425 Can't open data connection." {
		t.Errorf("nobody came, got %s", r)
	}

	pool := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/28")}
	s = ftptest.Start(t, ftptest.Options{FS: base, Passive: dtp.PassiveOptions{Pools: pool}})
	c = s.Login("rw")
	d = c.ConnectFrom("127.0.0.9", c.EPSV())
	c.Cmd(150, "RETR f")
	if got := d.Receive(); got != "text" {
		t.Errorf("received %q", got)
	}
	c.Want(226)
	c.Cmd(501, "EPRT %s", ftp.FormatExtendedPort(netip.MustParseAddrPort("127.0.0.9:40000")))
}
