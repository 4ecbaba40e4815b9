package ftpclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestHandshakeAndReply has servers begin TLS on the data connection before their 150, and after it.
func TestHandshakeAndReply(t *testing.T) {
	config, client := fakeTLS(t)
	for name, first := range map[string]bool{"TLS first": true, "150 first": false} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.secure(config)
				p.say("220 ready")
				for {
					p.want("RETR")
					if !first {
						p.say("150 here")
					}
					conn := tls.Server(p.accept(), config)
					if conn.Handshake() != nil {
						return
					}
					if first {
						p.say("150 here")
					}
					_, _ = io.WriteString(conn, "text")
					conn.Close()
					p.say("226 done")
				}
			})
			o := limits(first) // a client that waits for the 150 first fails by its limits
			o.Security, o.TLS = ftpclient.Implicit, client
			c := f.login(o)
			for range 2 {
				if got := retrieve(t, c, "/x", 0); string(got) != "text" {
					t.Errorf("%q", got)
				}
			}
		})
	}
}

// TestNoHandshake has servers that never answer the handshake.
func TestNoHandshake(t *testing.T) {
	config, client := fakeTLS(t)
	for name, test := range map[string]struct {
		say  string
		want error
	}{
		"refused":         {"550 No such file.", fs.ErrNotExist},
		"150 and nothing": {"150 here", ftpclient.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.secure(config)
				p.say("220 ready")
				p.want("RETR")
				p.accept() // and nothing more with it
				p.say(test.say)
				p.rest()
			})
			o := limits(test.want == ftpclient.ErrTimeout)
			o.Security, o.TLS = ftpclient.Implicit, client
			c := f.login(o)
			if _, err := c.Retrieve(t.Context(), "/x", 0); !errors.Is(err, test.want) {
				t.Error(err)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Error("afterwards:", err)
			}
		})
	}
}

// TestHandshakeRefusedHere has another certificate on the data connection. The server, which notices, says 425, or waits
// for the end of the connection first, or says nothing.
func TestHandshakeRefusedHere(t *testing.T) {
	config, client := fakeTLS(t)
	other, _ := fakeTLS(t)
	for name, after := range map[string]func(p *peer, raw io.Reader){
		"425":         func(p *peer, _ io.Reader) { p.say("425 TLS failed.") },
		"waits first": func(p *peer, raw io.Reader) { _, _ = io.Copy(io.Discard, raw); p.say("425 TLS failed.") },
		"nothing":     func(*peer, io.Reader) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.secure(config)
				p.say("220 ready")
				p.want("RETR")
				raw := p.accept()
				_ = tls.Server(raw, other).Handshake()
				after(p, raw)
				p.rest()
			})
			o := patient()
			o.Security, o.TLS = ftpclient.Implicit, client
			c := f.login(o)
			var unknown *tls.CertificateVerificationError
			if _, err := c.Retrieve(t.Context(), "/x", 0); !errors.As(err, &unknown) {
				t.Error(err)
			}
		})
	}
}

// TestHandshakeTakesItsTime has a server say 150 later than a handshake may take: that only begins then.
func TestHandshakeTakesItsTime(t *testing.T) {
	config, client := fakeTLS(t)
	f := startFake(t, func(p *peer) {
		p.secure(config)
		p.say("220 ready")
		p.want("RETR")
		raw := p.accept()
		p.SetReadDeadline(time.Now().Add(1500 * time.Millisecond))
		_, _ = p.Read(make([]byte, 1)) // nothing comes
		p.say("150 here")
		conn := tls.Server(raw, config)
		_, _ = io.WriteString(conn, "text")
		conn.Close()
		p.say("226 done")
	})
	o := impatient()
	o.ReplyTimeout = ftptest.Patience
	o.Security, o.TLS = ftpclient.Implicit, client
	c := f.login(o)
	if got := retrieve(t, c, "/x", 0); string(got) != "text" {
		t.Errorf("%q", got)
	}
}

// TestSessionSurvivesACut has handshakes of data connections end early. The session, which the server demands, must not
// be forgotten with them.
func TestSessionSurvivesACut(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			s := startOwn(t, func(o *ftptest.Options) { o.Endpoint.TLS.Reuse = pi.ReuseRequire })
			c := s.dial(t, ftpclient.Options{Security: ftpclient.Explicit, TLS: &tls.Config{RootCAs: s.authority.Pool, MaxVersion: version}})
			store(t, c, "/a", []byte("text"))
			for range 10 {
				if _, err := c.Retrieve(t.Context(), "/none", 0); !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				d, err := c.Retrieve(ctx, "/a", 0)
				cancel()
				if err == nil {
					d.Close()
				}
			}
			if got := retrieve(t, c, "/a", 0); string(got) != "text" {
				t.Errorf("%q", got)
			}
		})
	}
}
