package pi_test

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestClientCertificate: the names in a verified certificate reach the login, and may be enough for it
// (RFC 4217 §4: 232).
func TestClientCertificate(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			clients := ftptest.NewAuthority(t)
			a := ftptest.NewAuthority(t)
			fsys := tree(t, map[string]string{"/f": "text"})
			var seen []auth.Credentials
			l := newLog()
			o := ftptest.Options{
				Trace: l.trace(),
				Login: func(_ context.Context, c auth.Credentials) (*pi.Account, error) {
					seen = append(seen, c)
					if c.Password == "wrong" || c.User == "elsewhere" {
						return nil, auth.ErrDenied
					}
					return ftptest.Accounts(fsys)("rw"), nil
				},
				Certified: func(user string, names []string) bool { return slices.Contains(names, user) },
				Endpoint: pi.Endpoint{TLS: a.TLS(func(c *tls.Config) {
					c.ClientCAs, c.ClientAuth = clients.Pool, tls.VerifyClientCertIfGiven
				})},
			}
			o.Endpoint.TLS.Reuse = pi.ReuseRequire
			s := ftptest.Start(t, o)
			dial := func(cert *tls.Certificate) (*ftptest.Client, *tls.Config) {
				config, _ := a.TrustTLS(version)
				if cert != nil {
					config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
				}
				c := s.Dial()
				c.Want(220)
				c.AuthTLS(config)
				return c, config
			}

			cert := clients.Client("scanner-7", []string{"scanner-7.example.org"}, []string{"scanner@example.org"})
			c, config := dial(&cert)
			c.Cmd(232, "USER scanner-7.example.org")
			c.Cmd(202, "PASS whatever") // simple clients always send one
			c.Cmd(257, "PWD")
			c.Private()
			for range 3 { // data connections resume although there is a client certificate
				d := c.Passive()
				c.Cmd(150, "RETR f")
				if got := d.StartTLS(config).Receive(); got != "text" {
					t.Errorf("got %q", got)
				}
				c.Want(226)
			}
			c.Cmd(331, "USER other") // not in the certificate: a password is asked for
			c.Cmd(530, "PASS wrong")
			c.Cmd(530, "PWD")
			c.Cmd(232, "USER scanner-7")
			c.Cmd(232, "USER scanner@example.org")
			c.Cmd(503, "RNTO x")
			c.Quit()
			for _, x := range seen {
				if want := []string{"scanner-7.example.org", "scanner@example.org", "scanner-7"}; !slices.Equal(x.Certified, want) {
					t.Errorf("login of %s: certified %q", x.User, x.Certified)
				}
			}

			// Certified, and refused all the same: it counts as a failed login.
			cert = clients.Client("elsewhere", nil, nil)
			c, _ = dial(&cert)
			c.Cmd(530, "USER elsewhere")
			c.Cmd(530, "PWD")
			c.Cmd(503, "PASS x")
			c.Cmd(530, "USER elsewhere")
			c.Cmd(421, "USER elsewhere")
			c.WantEnd()

			seen = nil
			c, _ = dial(nil)
			c.Cmd(331, "USER scanner-7")
			c.Cmd(230, "PASS x")
			c.Quit()
			if len(seen) != 1 || len(seen[0].Certified) != 0 {
				t.Errorf("logins: %+v", seen)
			}
		})
	}
}

// TestForeignCertificate: a certificate of another authority, or none where one is required, ends in the handshake.
func TestForeignCertificate(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			clients := ftptest.NewAuthority(t)
			foreign := ftptest.NewAuthority(t).Client("scanner-7", nil, nil)
			server := clients.Server() // not made for clients
			for _, x := range []struct {
				auth tls.ClientAuthType
				cert *tls.Certificate
			}{
				{tls.VerifyClientCertIfGiven, &foreign}, {tls.RequireAndVerifyClientCert, &foreign},
				{tls.RequireAndVerifyClientCert, &server}, {tls.RequireAndVerifyClientCert, nil},
			} {
				s := startTLS(t, ftptest.Options{}, nil)
				base := s.authority.TLS(func(c *tls.Config) { c.ClientCAs, c.ClientAuth = clients.Pool, x.auth })
				s2 := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Trace: s.log.trace(), Endpoint: pi.Endpoint{TLS: base}})
				config, _ := s.authority.TrustTLS(version)
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if x.cert == nil {
						return &tls.Certificate{}, nil
					}
					return x.cert, nil
				}
				c := s2.Dial()
				c.Want(220)
				c.Cmd(234, "AUTH TLS")
				if c.TryTLS(config) == nil { // over 1.3 the client learns it later
					if _, err := c.Next(); err == nil {
						t.Error("the session goes on")
					}
				}
				if reason := await(t, s.log.ended, "the end"); !strings.HasPrefix(reason, "TLS handshake failed: ") {
					t.Errorf("reason %q", reason)
				}
			}
		})
	}
}
