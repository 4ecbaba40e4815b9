package ftpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// newTLS makes the configuration of this connection and of its data connections. Both
// share a cache of sessions that belongs to them alone: servers accept on a data
// connection only what was issued to its control connection, and a cache
// that is shared by server name offers them somebody else's.
func (c *Conn) newTLS() {
	config := &tls.Config{}
	if c.o.TLS != nil {
		config = c.o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = strings.Cut(c.host, "%") // no certificate has a zone
	}
	config.ClientSessionCache = &sessions{}
	c.controlTLS = config
	c.dataTLS = config
	if !config.InsecureSkipVerify {
		return
	}
	// Without a check of names, what can be held to is that both are one server.
	c.dataTLS = config.Clone()
	more := config.VerifyConnection
	c.dataTLS.VerifyConnection = func(s tls.ConnectionState) error {
		control, ok := c.TLS()
		if !ok || len(control.PeerCertificates) == 0 || len(s.PeerCertificates) == 0 ||
			!s.PeerCertificates[0].Equal(control.PeerCertificates[0]) {
			return errOtherCertificate
		}
		if more != nil {
			return more(s)
		}
		return nil
	}
}

var errOtherCertificate = errors.New("the data connection has another certificate than the control connection")

// authTLS asks for TLS and starts it (RFC 4217 §4). There is no going on without.
func (e *exchange) authTLS(ctx context.Context) error {
	c := e.c
	if err := e.send("AUTH TLS"); err != nil {
		return err
	}
	r, err := e.final("AUTH TLS")
	if err != nil {
		return err
	}
	if r.Code != 234 {
		return c.breakOff(errors.Join(ErrNoTLS, refusal("AUTH", "TLS", r)))
	}
	if c.lines.Buffered() {
		// It may be anyone's, and would be believed as if it came under TLS (CVE-2011-0411).
		return c.breakOff(fmt.Errorf("%w: more than a reply before the TLS handshake", ErrProtocol))
	}
	return c.startTLS(ctx)
}

func (c *Conn) startTLS(ctx context.Context) error {
	c.tcp.SetDeadline(time.Time{})
	conn := tls.Client(c.tcp, c.controlTLS)
	if err := conn.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return c.breakOff(fmt.Errorf("ftpclient: TLS handshake: %w", InWords(err)))
	}
	c.conn = conn
	c.in.r = conn
	c.lines.Reset(&c.in)
	if c.o.Trace.TLS != nil {
		c.o.Trace.TLS(conn.ConnectionState())
	}
	return nil
}

// maxSessions is how many sessions are kept. A server may issue some with each connection, and take each only once.
const maxSessions = 8

// sessions is a tls.ClientSessionCache for one server, which gives the newest.
type sessions struct {
	mu      sync.Mutex
	list    []*tls.ClientSessionState
	dropped *tls.ClientSessionState // by the last handshake that failed
}

// Get implements tls.ClientSessionCache.
func (s *sessions) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = nil
	if len(s.list) == 0 {
		return nil, false
	}
	return s.list[len(s.list)-1], true
}

// Put implements tls.ClientSessionCache; nil takes back what Get gave, as a handshake with it has failed.
func (s *sessions) Put(_ string, session *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case session != nil && len(s.list) == maxSessions:
		copy(s.list, s.list[1:])
		s.list[maxSessions-1] = session
	case session != nil:
		s.list = append(s.list, session)
	case len(s.list) > 0:
		s.dropped = s.list[len(s.list)-1]
		s.list = s.list[:len(s.list)-1]
	}
}

// restore brings back the session that the last failed handshake has dropped. If the connection was merely cut, the session
// is as good as before, and the server may take no other (vsftpd, proftpd).
func (s *sessions) restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped != nil && len(s.list) < maxSessions {
		s.list = append(s.list, s.dropped)
	}
	s.dropped = nil
}

// isCutHandshake reports whether a handshake failed because the connection was gone, and not by what was in it.
func isCutHandshake(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op != "remote error" && op.Op != "local error" // alerts, in the words of crypto/tls
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
