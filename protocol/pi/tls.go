package pi

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"slices"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Protection says what must be encrypted.
type Protection uint8

// The protections, each including the one before it.
const (
	ProtectNothing Protection = iota
	ProtectLogin              // no USER without TLS
	ProtectData               // and no transfer without PROT P
)

// Reuse says what is made of TLS sessions on data connections. Only a session
// that began on the control connection of the same FTP session counts.
type Reuse uint8

// What is made of session reuse.
const (
	ReuseLog     Reuse = iota // a data connection that does not resume is served; the first of a session is reported
	ReuseOff                  // nobody looks
	ReuseRequire              // a data connection that does not resume is 522; includes ProtectData
)

// TLS is how the connections of an endpoint are protected (RFC 4217).
type TLS struct {
	// Config returns the certificates, versions and cipher suites. It is called once for
	// each session, which keeps them; what it returned is not changed. Session
	// tickets, ALPN and GetConfigForClient are this package's own.
	Config func() *tls.Config
	// Implicit begins with a handshake instead of waiting for AUTH; then PROT P is the start value.
	Implicit bool
	// Require is what every user of the endpoint needs.
	Require Protection
	// Reuse is what is made of session reuse on data connections.
	Reuse Reuse
	// Truncation takes an upload stream that ends without close_notify for whole, for
	// clients that never send one; it may as well have been cut.
	Truncation bool
}

// protocols are what ALPN may ask for (none is fine): a browser made to talk to an
// FTP server is turned away in the handshake (THREATS 8).
var protocols = []string{"ftp", "ftp-data"}

var (
	errNeedTLS  = ftp.Errorf(530, "This login needs TLS: send AUTH TLS first.")
	errNeedProt = ftp.Errorf(521, "Data connections must be protected here: send PBSZ 0 and PROT P first.")
)

// extensionPSK is the TLS 1.3 extension that offers a ticket (RFC 8446 §4.2.11).
const extensionPSK = 41

// sessionTLS is base with tickets that only this FTP session's connections can resume:
// a stolen passive port is of no use without the control connection's secrets.
func sessionTLS(base *tls.Config) *tls.Config {
	c := base.Clone()
	var key [32]byte
	rand.Read(key[:]) // never fails
	c.SetSessionTicketKeys([][32]byte{key})
	c.NextProtos = protocols
	return c
}

// dataTLS is c for a data connection. A connection that did not resume gets a ticket
// that opens nothing: a good one would make whoever stole a passive port
// once, and was turned away, a member of this session the next time.
func dataTLS(c *tls.Config) *tls.Config {
	d := c.Clone()
	d.DynamicRecordSizingDisabled = true // small records at first help those who show a page while it loads
	d.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		ticket, err := c.EncryptTicket(state, session)
		if !state.DidResume {
			rand.Read(ticket) // never fails
		}
		return ticket, err
	}
	return d
}

// uploadTLS is c for a data connection that the client only writes to. In TLS 1.3 a
// ticket would lie there unread and turn the client's close into a reset
// that destroys the end of the file, so none is sent; one that is offered is accepted.
// crypto/tls has one switch for both, hence it is thrown in between.
func uploadTLS(c *tls.Config) *tls.Config {
	up := c.Clone()
	up.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if !slices.Contains(hello.SupportedVersions, tls.VersionTLS13) || c.MaxVersion != 0 && c.MaxVersion < tls.VersionTLS13 {
			return nil, nil // in 1.2 tickets are part of the handshake and do no harm
		}
		mine := c.Clone()
		if !slices.Contains(hello.Extensions, extensionPSK) {
			mine.SessionTicketsDisabled = true
			return mine, nil
		}
		mine.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
			resumed, err := c.DecryptTicket(ticket, state)
			mine.SessionTicketsDisabled = true
			return resumed, err
		}
		return mine, nil
	}
	return up
}

// protect runs the handshake of a data connection, within the data timeout.
func (s *session) protect(ctx context.Context, t *dtp.Transfer, upload bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.DataTimeout, dtp.ErrHandshake)
	defer cancel()
	c := dataTLS(s.secrets)
	if upload {
		c = uploadTLS(c)
	}
	t.Truncation = s.endpoint.TLS.Truncation
	state, err := t.Secure(ctx, c)
	switch {
	case err != nil:
		return err
	case state.DidResume, s.endpoint.TLS.Reuse == ReuseOff:
		return nil
	case s.endpoint.TLS.Reuse == ReuseRequire:
		return errNotResumed
	}
	if tr := s.server.Trace; tr != nil && tr.NotResumed != nil && !s.notResumed {
		tr.NotResumed(s.info)
	}
	s.notResumed = true
	return nil
}

var errNotResumed = errors.New("the data connection did not resume the control connection's TLS session")
