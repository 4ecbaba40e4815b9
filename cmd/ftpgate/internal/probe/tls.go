package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// noVerify takes any certificate: the probe looks at it itself.
func noVerify(c *tls.Config) { c.InsecureSkipVerify = true }

// versions of TLS, with what to think of a server that takes it.
var versions = []struct {
	name    string
	version uint16
	old     bool
}{
	{"1.0", tls.VersionTLS10, true},
	{"1.1", tls.VersionTLS11, true},
	{"1.2", tls.VersionTLS12, false},
	{"1.3", tls.VersionTLS13, false},
}

// transport finds out about TLS. It is false if logins cannot go on.
func (p *probe) transport(ctx context.Context) bool {
	security := p.security
	if security == ftpclient.Plain {
		security = ftpclient.Explicit
	}
	state, err := p.handshake(ctx, security, 0)
	if err != nil {
		return p.noTLS(err)
	}
	p.security = security
	var taken, old []string
	for _, v := range versions {
		if _, err := p.handshake(ctx, security, v.version); err == nil {
			taken = append(taken, v.name)
			if v.old {
				old = append(old, v.name)
			}
		}
		if ctx.Err() != nil {
			return false
		}
	}
	text := "takes TLS " + strings.Join(taken, ", ")
	switch {
	case len(old) > 0:
		p.tell("tls", Warning, text, "TLS "+strings.Join(old, " and ")+" can be broken (RFC 8996)", "allow 1.2 and 1.3 only")
	case state.Version < tls.VersionTLS13:
		p.tell("tls", Note, text, "TLS 1.3 is faster to set up", "update the server")
	default:
		p.tell("tls", OK, text, "", "")
	}
	p.certificate(state.PeerCertificates)
	return true
}

// noTLS is for a server that TLS does not come about with.
func (p *probe) noTLS(err error) bool {
	mend := "give the server a certificate and let it offer AUTH TLS"
	if p.security != ftpclient.Plain {
		p.tell("tls", Problem, err.Error(), "clients that want TLS do not get in", mend)
		return false
	}
	if errors.Is(err, ftpclient.ErrNoTLS) {
		p.tell("tls", Warning, "not offered: "+err.Error(), "passwords and files cross the network in clear text", mend)
	} else {
		p.tell("tls", Problem, "offered, and the handshake fails: "+err.Error(), "clients that want TLS do not get in", "look into the log of the server")
	}
	return true
}

// handshake connects with one version of TLS, or any if 0.
func (p *probe) handshake(ctx context.Context, s ftpclient.Security, version uint16) (tls.ConnectionState, error) {
	o := p.Client
	o.Security = s
	o.TLS = p.tlsConfig(func(c *tls.Config) {
		noVerify(c)
		c.MinVersion, c.MaxVersion = version, version
	})
	c, err := ftpclient.Dial(ctx, p.URL.Address(), o)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	state, _ := c.TLS()
	return state, nil
}

// soon is how long before its end a certificate is worth a warning.
const soon = 14 * 24 * time.Hour

// certificate looks at the name, the dates and the signatures of a certificate.
func (p *probe) certificate(chain []*x509.Certificate) {
	if len(chain) == 0 {
		p.trusted = false
		p.tell("certificate", Problem, "the server shows none", "clients refuse it", "give the server a certificate")
		return
	}
	before := p.problems
	leaf, now := chain[0], p.Now()
	config := p.tlsConfig(func(*tls.Config) {})
	if err := leaf.VerifyHostname(config.ServerName); err != nil {
		p.tell("certificate", Problem, ftpclient.InWords(err).Error(), "clients that check it refuse it", "get a certificate with this name, or connect by the name that it has")
	}
	switch left := leaf.NotAfter.Sub(now); {
	case left < 0:
		p.tell("certificate", Problem, "has ended on "+leaf.NotAfter.Format(time.DateOnly), "clients that check it refuse it", "renew it")
	case now.Before(leaf.NotBefore):
		p.tell("certificate", Problem, "begins on "+leaf.NotBefore.Format(time.DateOnly), "clients that check it refuse it", "check the clocks of both machines")
	case left < soon:
		p.tell("certificate", Warning, "ends on "+leaf.NotAfter.Format(time.DateOnly), "clients will refuse it then", "renew it, and see that this happens by itself")
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	expired := leaf.NotAfter.Before(now)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: config.RootCAs, Intermediates: intermediates, CurrentTime: within(now, leaf)})
	var invalid x509.CertificateInvalidError
	if err != nil && !(expired && errors.As(err, &invalid) && invalid.Reason == x509.Expired) { // else its authority is younger
		p.tell("certificate", Problem, ftpclient.InWords(err).Error(), "clients that check it refuse it", "use a certificate of a known authority, with its intermediate ones, or give clients the authority (--ca-file)")
	}
	if p.problems > before {
		p.trusted = config.InsecureSkipVerify
		return
	}
	p.tell("certificate", OK, fmt.Sprintf("for %s, until %s, issued by %s", config.ServerName, leaf.NotAfter.Format(time.DateOnly), leaf.Issuer), "", "")
}

// within is now, or a time at which the certificate is valid: that it is not has been told.
func within(now time.Time, c *x509.Certificate) time.Time {
	if now.After(c.NotAfter) || now.Before(c.NotBefore) {
		return c.NotAfter.Add(-time.Second)
	}
	return now
}
