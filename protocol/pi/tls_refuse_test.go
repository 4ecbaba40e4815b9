package pi_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestRefusedUnderImplicitTLS: who is refused by an implicit listener is told so under TLS, whether there
// is no room or he may not come at all, and whatever certificate is asked of others.
func TestRefusedUnderImplicitTLS(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			s := startTLS(t, ftptest.Options{
				Limits: pi.Limits{MaxConnectionsPerIP: 1},
				Admit: func(_ string, remote netip.Addr) string {
					if remote == netip.MustParseAddr("127.0.0.2") {
						return "Not you."
					}
					return ""
				},
			}, func(x *pi.TLS) { x.Implicit = true })
			config, _ := s.authority.TrustTLS(version)
			first := s.Dial()
			first.StartTLS(config)
			first.Want(220)
			for from, want := range map[string]string{"127.0.0.1": "421 Too many connections", "127.0.0.2": "421 Not you."} {
				conn := &ending{Conn: ftptest.DialFrom(t, from, s.Addr).Conn}
				conn.SetDeadline(time.Now().Add(ftptest.Patience))
				b, err := io.ReadAll(tls.Client(conn, config))
				if err != nil || !strings.HasPrefix(string(b), want) {
					t.Errorf("%s got %q, %v", from, b, err)
				}
				if conn.ended {
					t.Error("the stream ended without close_notify")
				}
			}
			first.Login("rw")
			first.Quit()
		})
	}
}

// ending notes that it has been read to its end: with a close_notify nobody does.
type ending struct {
	net.Conn
	ended bool
}

func (c *ending) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.ended = c.ended || err != nil
	return n, err
}

// TestRefusedWithoutCertificate: the certificate that others must have says nothing about a refusal.
func TestRefusedWithoutCertificate(t *testing.T) {
	s := startTLS(t, ftptest.Options{Admit: func(string, netip.Addr) string { return "Not you." }}, func(x *pi.TLS) {
		config := x.Config().Clone()
		config.ClientAuth = tls.RequireAndVerifyClientCert
		x.Implicit, x.Config = true, func() *tls.Config { return config }
	})
	config, _ := s.authority.TrustTLS(0)
	c := s.Dial()
	c.StartTLS(config)
	c.Want(421)
}

// TestNoClearTextOnImplicit: whoever does not speak TLS to an implicit listener is told nothing.
func TestNoClearTextOnImplicit(t *testing.T) {
	s := startTLS(t, ftptest.Options{Admit: func(string, netip.Addr) string { return "Not you." }},
		func(x *pi.TLS) { x.Implicit = true })
	c := s.Dial()
	c.Send("USER rw")
	c.Conn.SetReadDeadline(time.Now().Add(ftptest.Patience))
	b, err := io.ReadAll(c.Conn)
	if n, ok := err.(net.Error); ok && n.Timeout() || strings.Contains(string(b), "421") {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestRefusalsUnderTLSAreBounded (THREATS 18, 23): of a flood of refused clients a few get the time for a
// handshake, and no more of it than two seconds; the rest are closed at once. Nobody gets clear
// text. A while later there are handshakes again, and the end of the server waits for none.
func TestRefusalsUnderTLSAreBounded(t *testing.T) {
	const flood, few = 200, 20
	a := ftptest.NewAuthority(t)
	x := a.TLS(nil)
	x.Implicit = true
	o := ftptest.Options{FS: tree(t, nil), Endpoint: pi.Endpoint{TLS: x}, Admit: func(string, netip.Addr) string { return "Not you." }}
	onFakeTime(t, o, func(t *testing.T, p *pipes, _ net.Conn, r *bufio.Reader) {
		time.Sleep(time.Minute) // the connection that is there has been refused
		start := time.Now()
		var mu sync.Mutex
		var readers sync.WaitGroup
		after := make(map[time.Duration]int)
		for range flood {
			c := p.dial()
			readers.Go(func() {
				b, err := io.ReadAll(c)
				mu.Lock()
				defer mu.Unlock()
				if after[time.Since(start)]++; len(b) > 0 || err != nil {
					t.Errorf("read %q, %v", b, err)
				}
			})
		}
		readers.Wait()
		if after[0] != flood-few || after[2*time.Second] != few || len(after) != 2 {
			t.Errorf("closed after %v", after)
		}
		time.Sleep(time.Second)
		config, _ := a.TrustTLS(0)
		c := tls.Client(p.dial(), config)
		expect(t, bufio.NewReader(c), "421 Not you.")
		c.NetConn().Close()
		// One is in its handshake when the test ends.
		start = time.Now()
		silent := p.dial()
		t.Cleanup(func() {
			silent.Close()
			if took := time.Since(start); took != 0 {
				t.Errorf("the end took %s", took)
			}
		})
	})
}
