package pi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// versions are those that are spoken without asking.
var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// secureServer is a server with TLS for tests.
type secureServer struct {
	*ftptest.Server
	authority *ftptest.Authority
	log       *log
}

// startTLS runs a server over files; change (may be nil) alters its protection.
func startTLS(t testing.TB, o ftptest.Options, change func(*pi.TLS)) *secureServer {
	t.Helper()
	s := &secureServer{authority: ftptest.NewAuthority(t), log: newLog()}
	o.Endpoint.TLS = s.authority.TLS(nil)
	if change != nil {
		change(o.Endpoint.TLS)
	}
	if o.FS == nil {
		o.FS = tree(t, nil)
	}
	if o.Trace == nil {
		o.Trace = s.log.trace()
	}
	s.Server = ftptest.Start(t, o)
	return s
}

// protected logs in under TLS of a version, with protected data connections and in binary.
func (s *secureServer) protected(t testing.TB, version uint16) (*ftptest.Client, *tls.Config, *ftptest.Tickets) {
	t.Helper()
	config, tickets := s.authority.TrustTLS(version)
	c := s.Dial()
	c.Want(220)
	c.AuthTLS(config)
	c.Login("rw")
	c.Private()
	c.Cmd(200, "TYPE I")
	return c, config, tickets
}

// TestAuth goes through the commands of RFC 4217 and RFC 2228 and their order.
func TestAuth(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, nil)
			config, _ := s.authority.TrustTLS(version)
			for _, mechanism := range []string{"TLS", "TLS-C", "SSL", "tls"} {
				c := s.Dial()
				c.Want(220)
				c.Cmd(504, "AUTH GSSAPI")
				c.Cmd(501, "AUTH")
				c.Cmd(503, "PBSZ 0")
				c.Cmd(503, "PROT P")
				c.Cmd(533, "CCC")
				c.Cmd(234, "AUTH %s", mechanism)
				c.StartTLS(config)
				c.Cmd(503, "AUTH TLS")
				c.Cmd(503, "PROT P") // PBSZ first
				c.Cmd(501, "PBSZ x")
				if r := c.Cmd(200, "PBSZ 16384"); r.String() != "200 PBSZ=0" {
					t.Error(r)
				}
				c.Cmd(200, "PROT C")
				c.Cmd(536, "PROT S")
				c.Cmd(536, "PROT E")
				c.Cmd(504, "PROT X")
				c.Cmd(200, "PROT p")
				c.Cmd(534, "CCC")
				c.Login("rw")
				c.Cmd(502, "REIN") // would end the protection
				c.Cmd(503, "AUTH TLS")
				c.Cmd(257, "PWD")
				// PROT was sent before USER, and lasts (RFC 4217 §9).
				c.Cmd(331, "USER rw")
				c.Cmd(230, "PASS rw")
				d := c.Passive()
				c.Cmd(150, "RETR f")
				if got := d.StartTLS(config).Receive(); got != "text" {
					t.Errorf("got %q", got)
				}
				c.Want(226)
				c.Quit()
			}
		})
	}
}

// TestAuthResetsLogin: AUTH in the middle of a session ends the login and all that came
// with it (RFC 2228 §3), a passive port that is waiting included.
func TestAuthResetsLogin(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, nil)
	config, _ := s.authority.TrustTLS(0)
	c := s.Login("rw")
	c.Cmd(350, "RNFR f")
	c.EPSV()
	c.AuthTLS(config)
	if n := s.Passive.Stats().Reservations; n != 0 {
		t.Errorf("%d reservations are left", n)
	}
	c.Cmd(530, "PWD")
	c.Cmd(530, "RNTO g")
	c.Cmd(503, "PASS rw") // not even a USER that was sent in clear
	c.Login("rw")
	c.Cmd(503, "RNTO g")
	c.Cmd(425, "RETR f")
	c.Quit()
	if got := s.log.String(); !strings.Contains(got, `command AUTH "TLS" 234`) {
		t.Error(got)
	}
}

// TestAuthOnlyWhereTLSIs: without TLS the verbs are 502 and FEAT does not have them.
func TestAuthOnlyWhereTLSIs(t *testing.T) {
	lines := []string{" AUTH TLS", " PBSZ", " PROT"}
	plain := ftptest.Start(t, ftptest.Options{FS: tree(t, nil)})
	c := plain.Dial()
	c.Want(220)
	for _, command := range []string{"AUTH TLS", "PBSZ 0", "PROT P", "CCC"} {
		c.Cmd(502, command)
	}
	c.Cmd(501, "HELP AUTH")
	for _, line := range c.Cmd(211, "FEAT").Lines {
		for _, l := range lines {
			if line == l {
				t.Errorf("FEAT has %q", line)
			}
		}
	}
	c.Quit()
	s := startTLS(t, ftptest.Options{}, nil)
	c = s.Dial()
	c.Want(220)
	c.Cmd(214, "HELP AUTH")
	for _, line := range lines {
		if feat := c.Cmd(211, "FEAT").String(); !strings.Contains(feat, "\n"+line+"\n") {
			t.Errorf("FEAT lacks %q: %s", line, feat)
		}
	}
	c.Quit()
}

// TestNothingOfTheClearTextSurvives is THREATS 6: what an attacker put behind AUTH TLS
// in clear text is never executed (CVE-2011-0411).
func TestNothingOfTheClearTextSurvives(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, nil)
	config, _ := s.authority.TrustTLS(0)
	for _, injected := range []string{"USER rw\r\nPASS rw\r\nDELE f\r\n", "NOOP\r\n", "USER r", "\r\n", "\xff", strings.Repeat("x", 10_000)} {
		c := s.Dial()
		c.Want(220)
		c.Write("AUTH TLS\r\n" + injected)
		c.Want(234)
		if err := c.TryTLS(config); err != nil {
			// The rest of a segment that was split stood where the handshake belongs.
			if len(injected) < 250 {
				t.Errorf("%.20q: %v", injected, err)
			}
			continue
		}
		c.Cmd(530, "PWD") // the very next reply
		c.Login("rw")
		c.Cmd(213, "SIZE f")
		c.Quit()
	}
	if got := s.log.String(); strings.Contains(got, "DELE") || strings.Contains(got, "NOOP") {
		t.Errorf("executed:\n%s", got)
	}
}

// TestInjectedLater: what comes in clear text behind the 234 is no handshake.
func TestInjectedLater(t *testing.T) {
	s := startTLS(t, ftptest.Options{}, nil)
	for _, garbage := range []string{"USER rw\r\nPASS rw\r\n", "GET / HTTP/1.1\r\n\r\n", "\x80\x2e\x01\x00\x02", "\x16\x03\x01\xff\xff" + strings.Repeat("x", 100)} {
		c := s.Dial()
		c.Want(220)
		c.Cmd(234, "AUTH TLS")
		c.Write(garbage)
		c.Conn.CloseWrite()
		b, _ := io.ReadAll(c.Conn)
		if strings.Contains(string(b), "331") {
			t.Errorf("%q was answered %q", garbage, b)
		}
		if reason := await(t, s.log.ended, "the end"); !strings.HasPrefix(reason, "TLS handshake failed: ") {
			t.Errorf("%q: reason %q", garbage, reason)
		}
	}
	ftptest.Eventually(t, "slots to be free", func() bool { return s.SlotsTaken() == 0 })
	if got := s.log.String(); strings.Contains(got, "USER") {
		t.Errorf("executed:\n%s", got)
	}
}

// TestAuthBehindTransfer: AUTH sent ahead waits for the transfer, and what is behind it is dropped.
func TestAuthBehindTransfer(t *testing.T) {
	s := startTLS(t, ftptest.Options{}, nil)
	config, _ := s.authority.TrustTLS(0)
	c := s.Login("rw")
	c.Cmd(200, "TYPE I")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	c.Write("SIZE f\r\nAUTH TLS\r\nDELE f\r\n")
	d.Send("text")
	d.Close()
	c.Want(226)
	c.Want(213)
	c.Want(234)
	c.StartTLS(config)
	c.Cmd(530, "PWD")
	c.Login("rw")
	c.Cmd(213, "SIZE f")
	c.Quit()
	if strings.Contains(s.log.String(), "DELE") {
		t.Error(s.log)
	}
}

// TestCutAtBarrier: a session that waits to begin its handshake can be cut.
func TestCutAtBarrier(t *testing.T) {
	s := startTLS(t, ftptest.Options{}, nil)
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	c.Write("AUTH TLS\r\n")
	s.Close()
	d.Gone()
	if reason := await(t, s.log.ended, "the end"); reason != "server is shutting down" {
		t.Errorf("reason %q", reason)
	}
}

// TestRequireLogin: without TLS no password is asked for, and one that is sent is not looked at.
func TestRequireLogin(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, func(x *pi.TLS) { x.Require = pi.ProtectLogin })
	c := s.Dial()
	c.Want(220)
	for _, user := range []string{"rw", "anonymous", "nobody"} {
		c.Cmd(530, "USER %s", user)
		c.Cmd(503, "PASS rw")
	}
	if got := s.log.String(); strings.Contains(got, "login") {
		t.Errorf("a login was tried:\n%s", got)
	}
	config, _ := s.authority.TrustTLS(0)
	c.AuthTLS(config)
	c.Login("rw")
	// Data may be clear.
	d := c.Passive()
	c.Cmd(150, "RETR f")
	if got := d.Receive(); got != "text" {
		t.Errorf("got %q", got)
	}
	c.Want(226)
	c.Quit()
}

// TestRequireData: no transfer in clear text, and none is begun.
func TestRequireData(t *testing.T) {
	touched := make(chan string, 100)
	fsys := hooked(tree(t, map[string]string{"/f": "text"}), func(_ context.Context, op, path string) error {
		touched <- op + " " + path
		return nil
	})
	s := startTLS(t, ftptest.Options{FS: fsys}, func(x *pi.TLS) { x.Require = pi.ProtectData })
	config, _ := s.authority.TrustTLS(0)
	c := s.Dial()
	c.Want(220)
	c.Cmd(530, "USER rw")
	c.AuthTLS(config)
	c.Login("rw")
	for _, command := range []string{"RETR f", "STOR f", "APPE f", "STOU", "LIST", "NLST", "MLSD"} {
		c.EPSV()
		c.Cmd(521, command)
	}
	if n := len(touched); n != 0 {
		t.Errorf("storage was touched: %s", <-touched)
	}
	if n := s.Passive.Stats().Reservations; n != 0 {
		t.Errorf("%d reservations are left", n)
	}
	c.Cmd(200, "PBSZ 0")
	c.Cmd(534, "PROT C")
	c.Cmd(200, "PROT P")
	d := c.Passive()
	c.Cmd(150, "RETR f")
	d.StartTLS(config).Receive()
	c.Want(226)
	c.Quit()
}

// TestRequireOfUser: a user can need more than the listener demands.
func TestRequireOfUser(t *testing.T) {
	for _, require := range []pi.Protection{pi.ProtectLogin, pi.ProtectData} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprint(require, known), func(t *testing.T) {
				closed := 0
				s := startTLS(t, ftptest.Options{
					FS: tree(t, map[string]string{"/f": "text"}),
					Change: func(user string, a *pi.Account) {
						if user == "rw" {
							a.Require, a.Close = require, func() { closed++ }
						}
					},
					Needs: func(user string) pi.Protection {
						if known && user == "rw" {
							return require
						}
						return pi.ProtectNothing
					},
				}, nil)
				config, _ := s.authority.TrustTLS(0)
				c := s.Dial()
				c.Want(220)
				if known {
					c.Cmd(530, "USER rw")
					c.Cmd(503, "PASS rw")
				} else { // the last line of defence
					c.Cmd(331, "USER rw")
					c.Cmd(530, "PASS rw")
					if closed != 1 || strings.Contains(s.log.String(), "login rw <nil>") {
						t.Errorf("closed %d times\n%s", closed, s.log)
					}
				}
				c.Cmd(530, "PWD")
				c.Login("readonly")
				c.AuthTLS(config)
				c.Cmd(200, "PBSZ 0")
				c.Cmd(200, "PROT C")
				c.Login("rw")
				c.EPSV()
				if require == pi.ProtectData {
					c.Cmd(521, "RETR f")
					c.Cmd(534, "PROT C")
				} else {
					c.Cmd(200, "PROT C")
				}
				c.Quit()
			})
		}
	}
}

// TestImplicit: TLS from the first byte, and protected data without PBSZ and PROT.
func TestImplicit(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})},
				func(x *pi.TLS) { x.Implicit, x.Require = true, pi.ProtectData })
			config, _ := s.authority.TrustTLS(version)
			c := s.Dial()
			c.StartTLS(config)
			c.Want(220)
			c.Cmd(503, "AUTH TLS")
			c.Login("rw")
			d := c.Passive()
			c.Cmd(150, "RETR f")
			if got := d.StartTLS(config).Receive(); got != "text" {
				t.Errorf("got %q", got)
			}
			c.Want(226)
			c.Private() // as some clients send here, too
			c.Cmd(534, "PROT C")
			c.Quit()
			if reason := await(t, s.log.ended, "the end"); reason != "221 Goodbye." {
				t.Errorf("reason %q", reason)
			}
		})
	}
}

// TestALPN is THREATS 8: a client that wants to speak something else is turned away in the handshake.
func TestALPN(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, nil)
	for _, x := range []struct {
		protocols []string
		ok        bool
	}{{nil, true}, {[]string{"ftp"}, true}, {[]string{"ftp-data"}, true}, {[]string{"h2", "ftp"}, true}, {[]string{"h2"}, false}, {[]string{"http/1.1"}, false}} {
		config, _ := s.authority.TrustTLS(0)
		config.NextProtos = x.protocols
		c := s.Dial()
		c.Want(220)
		c.Cmd(234, "AUTH TLS")
		err := c.TryTLS(config)
		if (err == nil) != x.ok {
			t.Errorf("%q: %v", x.protocols, err)
		}
		if err != nil {
			if reason := await(t, s.log.ended, "the end"); !strings.Contains(reason, "application protocol") {
				t.Errorf("reason %q", reason)
			}
			continue
		}
		c.Login("rw")
		c.Private()
		d := c.Passive()
		c.Cmd(150, "LIST")
		d.StartTLS(config).Receive()
		c.Want(226)
		c.Quit()
		await(t, s.log.ended, "the end")
	}
	// The same on the data connection.
	c, config, _ := s.protected(t, 0)
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	d := c.Passive()
	c.Cmd(150, "LIST")
	if err := d.TryTLS(config); err == nil {
		t.Error("h2 on a data connection")
	}
	c.Want(522)
	c.Quit()
}

// TestHandshakeTimeout: who announces a handshake, or connects to an implicit listener, and
// says nothing, is dropped when the login timeout is over, counted from the start.
func TestHandshakeTimeout(t *testing.T) {
	limits := pi.Limits{LoginTimeout: 30 * time.Second}
	for _, implicit := range []bool{false, true} {
		x := ftptest.NewAuthority(t).TLS(nil)
		x.Implicit = implicit
		o := ftptest.Options{FS: tree(t, nil), Limits: limits, Endpoint: pi.Endpoint{TLS: x}}
		onFakeTime(t, o, func(t *testing.T, p *pipes, c net.Conn, r *bufio.Reader) {
			start := time.Now()
			if !implicit {
				expect(t, r, "220 ")
				time.Sleep(20 * time.Second)
				fmt.Fprint(c, "AUTH TLS\r\n")
				expect(t, r, "234 ")
				time.Sleep(5 * time.Second)
			}
			b, err := io.ReadAll(r)
			if took := time.Since(start); err != nil || took != limits.LoginTimeout {
				t.Errorf("implicit %v: ended after %s, %v, with %q", implicit, took, err, b)
			}
		})
	}
}

// TestHandshakesTakePlaces: connections in their handshake count like others (THREATS 18), and
// their places are free when the login timeout has ended them.
func TestHandshakesTakePlaces(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		a := ftptest.NewAuthority(t)
		x := a.TLS(nil)
		x.Implicit = implicit
		o := ftptest.Options{FS: tree(t, nil), Limits: pi.Limits{MaxConnections: 3}, Endpoint: pi.Endpoint{TLS: x}}
		onFakeTime(t, o, func(t *testing.T, p *pipes, c net.Conn, r *bufio.Reader) {
			conns := []net.Conn{c, p.dial(), p.dial()}
			for _, c := range conns {
				if !implicit {
					r := bufio.NewReader(c)
					expect(t, r, "220")
					send(t, c, r, "AUTH TLS", "234")
				}
				io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00")
			}
			late := p.dial()
			if implicit {
				trust, _ := a.TrustTLS(tls.VersionTLS13)
				late = tls.Client(late, trust)
			}
			expectAfter(t, bufio.NewReader(late), "421", 250*time.Millisecond)
			late.Close()
			start := time.Now()
			for _, c := range conns {
				io.Copy(io.Discard, c)
			}
			if took := time.Since(start); took > pi.DefaultLoginTimeout {
				t.Errorf("they were there for another %v", took)
			}
			for range 3 {
				c := p.dial()
				if !implicit {
					expect(t, bufio.NewReader(c), "220")
				} else if _, err := io.WriteString(c, "\x16"); err != nil {
					t.Error(err)
				}
				c.Close()
			}
		})
	}
}

// TestIdleUnderTLS: the timers of the control connection are the same under TLS, and a
// deadline that passes does no harm to the stream.
func TestIdleUnderTLS(t *testing.T) {
	a := ftptest.NewAuthority(t)
	o := ftptest.Options{
		FS: tree(t, nil), Limits: pi.Limits{LoginTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute},
		Endpoint: pi.Endpoint{TLS: a.TLS(nil)},
	}
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			onFakeTime(t, o, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
				expect(t, r, "220 ")
				fmt.Fprint(c, "AUTH TLS\r\n")
				expect(t, r, "234 ")
				config, _ := a.TrustTLS(version)
				secure := tls.Client(c, config)
				r = bufio.NewReader(secure)
				for _, x := range [][2]string{{"USER rw", "331 "}, {"PASS rw", "230 "}} {
					fmt.Fprint(secure, x[0]+"\r\n")
					expect(t, r, x[1])
				}
				for range 5 {
					time.Sleep(4 * time.Minute)
					fmt.Fprint(secure, "NOOP\r\n")
					expect(t, r, "200 ")
				}
				time.Sleep(11 * time.Second) // beyond the login timeout
				fmt.Fprint(secure, "NOOP\r\n")
				expect(t, r, "200 ")
				start := time.Now()
				expect(t, r, "421 ")
				if took := time.Since(start); took != 5*time.Minute {
					t.Errorf("421 after %s", took)
				}
				if _, err := r.ReadByte(); err != io.EOF { // close_notify
					t.Error(err)
				}
			})
		})
	}
}

// TestRepliesAreProtected: nothing of a session under TLS is sent beside it.
func TestRepliesAreProtected(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/secret": "text"})}, nil)
	c := s.Dial()
	c.Want(220)
	c.Cmd(234, "AUTH TLS")
	seen := &recorder{Conn: c.Conn}
	config, _ := s.authority.TrustTLS(0)
	secure := tls.Client(seen, config)
	r := bufio.NewReader(secure)
	for _, command := range []string{"USER rw", "PASS rw", "STAT", "STAT secret", "SIZE secret", "HELP", "\xff\xfd\x01NOOP", "QUIT"} {
		fmt.Fprint(secure, command+"\r\n")
	}
	if b, err := io.ReadAll(r); err != nil || !strings.Contains(string(b), "221 ") {
		t.Fatalf("%q, %v", b, err)
	}
	for _, word := range []string{"211", "Goodbye", "secret"} {
		if strings.Contains(seen.b.String(), word) {
			t.Errorf("%q in clear text", word)
		}
	}
}

// recorder writes down what is read.
type recorder struct {
	net.Conn
	b strings.Builder
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.b.Write(b[:n])
	return n, err
}

// TestReasonsUnderTLS: the log tells why a client has gone.
func TestReasonsUnderTLS(t *testing.T) {
	s := startTLS(t, ftptest.Options{}, nil)
	config, _ := s.authority.TrustTLS(0)
	config.RootCAs = ftptest.NewAuthority(t).Pool
	c := s.Dial()
	c.Want(220)
	c.Cmd(234, "AUTH TLS")
	if err := c.TryTLS(config); err == nil {
		t.Error("the certificate is trusted")
	}
	if reason := await(t, s.log.ended, "the end"); !strings.Contains(reason, "tls: ") || !strings.Contains(reason, "certificate") {
		t.Errorf("reason %q", reason)
	}
	c, _, _ = s.protected(t, 0)
	c.Close()
	if reason := await(t, s.log.ended, "the end"); reason != "closed by the client" {
		t.Errorf("reason %q", reason)
	}
}

// TestShutdownUnderTLS: an idle client is told, and one in a handshake does not hold it up.
func TestShutdownUnderTLS(t *testing.T) {
	s := startTLS(t, ftptest.Options{}, nil)
	c, _, _ := s.protected(t, 0)
	waiting := s.Dial()
	waiting.Want(220)
	waiting.Cmd(234, "AUTH TLS")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	c.Want(421)
	c.WantEnd()
	waiting.WantEnd()
}
