package pi

import (
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Refusing a client under implicit TLS costs a handshake, which whoever is refused can ask for as
// fast as he connects. So there are few of them: never more than secureRefusals in a
// second, each for a short time, and thus never more than three times as many at once.
const (
	secureRefusals       = 20
	secureRefusalTimeout = 2 * time.Second // two round trips around the world, twice
)

func newSecureRefusals() *rate.Limiter { return rate.NewLimiter(secureRefusals, secureRefusals) }

// refuse tells a client that there is no room.
func (s *Server) refuse(conn net.Conn, e *Endpoint, remote netip.AddrPort, reason string, stop <-chan struct{}) {
	s.refused(e, remote, reason)
	s.turnAway(conn, e, reason, stop)
}

// turnAway says why, and closes. On an implicit endpoint it is said under TLS, if that can be
// had, or not at all: what the client waits for is a handshake.
func (s *Server) turnAway(conn net.Conn, e *Endpoint, reason string, stop <-chan struct{}) {
	defer conn.Close()
	last := ftp.Replyf(421, reason).Append(nil)
	if e.TLS == nil || !e.TLS.Implicit {
		conn.SetDeadline(time.Now().Add(slotPatience))
		_, _ = conn.Write(last) // whoever does not read it, is refused all the same
		return
	}
	if !s.secureRefusals.Allow() {
		return
	}
	conn.SetDeadline(time.Now().Add(secureRefusalTimeout))
	done := make(chan struct{})
	defer close(done)
	s.running.Go(func() {
		select {
		case <-stop:
			conn.SetDeadline(past)
		case <-done:
		}
	})
	secure := tls.Server(fixedDeadline{conn}, refusalTLS(e.TLS.Config()))
	if _, err := secure.Write(last); err == nil { // the handshake included
		_ = secure.CloseWrite()
	}
}

// refusalTLS is base for a client that is told one thing: no certificate of his matters.
func refusalTLS(base *tls.Config) *tls.Config {
	c := base.Clone()
	c.NextProtos = protocols
	c.ClientAuth = tls.NoClientCert
	c.SessionTicketsDisabled = true
	return c
}

// fixedDeadline is a connection whose deadline crypto/tls does not move for its close_notify.
type fixedDeadline struct{ net.Conn }

func (fixedDeadline) SetWriteDeadline(time.Time) error { return nil }

func (s *Server) refused(e *Endpoint, remote netip.AddrPort, reason string) {
	if s.Trace != nil && s.Trace.Refused != nil {
		s.Trace.Refused(e.Name, remote, reason)
	}
}
