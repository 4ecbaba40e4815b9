package pi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// auth_ (AUTH) announces the handshake, which the reader begins when the 234 is
// written (RFC 4217 §4). Whoever was logged in is so no longer (RFC 2228 §3).
func (s *session) auth_(_ context.Context, r request) (ftp.Reply, error) {
	if s.secrets != nil {
		return ftp.Reply{}, ftp.Errorf(503, "TLS is already active.")
	}
	switch strings.ToUpper(r.Arg) {
	case "TLS", "TLS-C", "SSL":
		s.logout()
		s.reset()
		s.pbszSeen, s.private = false, false
		s.upgrade = true
		return ftp.Reply{Code: 234, Lines: []string{"Begin TLS negotiation."}}, nil
	}
	return ftp.Reply{}, ftp.Errorf(504, "AUTH knows TLS only.")
}

// pbsz (PBSZ) is a formality under TLS: the size is 0 (RFC 4217 §9).
func (s *session) pbsz(_ context.Context, r request) (ftp.Reply, error) {
	switch _, err := parseOffset(r.Arg); {
	case s.secrets == nil:
		return ftp.Reply{}, ftp.Errorf(503, "PBSZ needs AUTH TLS before it.")
	case err != nil:
		return ftp.Reply{}, err
	}
	s.pbszSeen = true
	return ftp.Replyf(200, "PBSZ=0"), nil
}

// prot (PROT) says whether data connections are protected: Private or Clear.
func (s *session) prot(_ context.Context, r request) (ftp.Reply, error) {
	if s.secrets == nil || !s.pbszSeen && !s.endpoint.TLS.Implicit {
		return ftp.Reply{}, ftp.Errorf(503, "PROT needs AUTH TLS and PBSZ before it.")
	}
	switch strings.ToUpper(r.Arg) {
	case "P":
		s.private = true
		return ftp.Replyf(200, "Data connections are protected."), nil
	case "C":
		if s.protection() >= ProtectData {
			return ftp.Reply{}, ftp.Errorf(534, "Data connections must be protected here.")
		}
		s.private = false
		return ftp.Replyf(200, "Data connections are clear."), nil
	case "S", "E":
		return ftp.Reply{}, ftp.Errorf(536, "Protection level not supported, use P or C.")
	}
	return ftp.Reply{}, ftp.Errorf(504, "Protection level is P or C here.")
}

// ccc (CCC) would take the protection of the control connection away again. It is refused:
// whoever sits in between could speak for the user from there on.
func (s *session) ccc(context.Context, request) (ftp.Reply, error) {
	if s.secrets == nil {
		return ftp.Reply{}, ftp.Errorf(533, "The control connection is clear already.")
	}
	return ftp.Reply{}, ftp.Errorf(534, "The control connection stays protected.")
}

// protection is what this session needs: the endpoint's demand, or the user's if that is stricter.
// ReuseRequire is such a demand: clear data would have no TLS session that could be looked at.
func (s *session) protection() Protection {
	need := ProtectNothing
	if s.endpoint.TLS != nil {
		need = s.endpoint.TLS.Require
		if s.endpoint.TLS.Reuse == ReuseRequire {
			need = ProtectData
		}
	}
	if s.account != nil {
		need = max(need, s.account.Require)
	}
	return need
}

// secure puts the control connection under TLS: on the reader, with no worker. What
// came before the handshake in clear text is dropped unread (CVE-2011-0411).
// It reports whether the session goes on.
//
//go:noinline
func (s *session) secure() bool {
	s.upgrade = false
	secrets := sessionTLS(s.endpoint.TLS.Config())
	conn := tls.Server(&controlWire{s.conn, s}, secrets)
	if !s.waitUntil(s.nobody.Add(s.limits.LoginTimeout)) {
		return false
	}
	if err := conn.HandshakeContext(s.ctx); err != nil {
		s.lose(&handshakeError{err})
		return false
	}
	s.lines.Reset(conn)
	s.replies.Lock()
	s.stream = conn
	s.replies.Unlock()
	s.secrets, s.private = secrets, s.endpoint.TLS.Implicit
	state := conn.ConnectionState()
	s.info.TLS = tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
	s.certified = certified(&state)
	return true
}

// controlWire is the connection below the TLS of a control connection. crypto/tls writes by
// itself, too, when it answers a key update: each write gets its time here.
// The deadlines that crypto/tls would set for its close_notify are left out.
type controlWire struct {
	net.Conn
	s *session
}

func (w *controlWire) Write(b []byte) (int, error) {
	w.s.renewWrite()
	return w.Conn.Write(b)
}

func (w *controlWire) SetWriteDeadline(time.Time) error { return nil }

// certified are the names in the client's certificate: common name, DNS names and email
// addresses. None without a certificate that was verified.
func certified(state *tls.ConnectionState) []string {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	c := state.PeerCertificates[0]
	names := slices.Concat(c.DNSNames, c.EmailAddresses)
	if c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	return names
}

// waitUntil sets how long the reader waits, unless somebody who ended the session
// has set a deadline that must stay.
func (s *session) waitUntil(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost || s.ended {
		return false
	}
	if !s.drained {
		s.conn.SetReadDeadline(t)
	}
	return true
}

// handshakeError is the reason why a session ended before it had a chance.
type handshakeError struct{ error }

func (e *handshakeError) Error() string { return "TLS handshake failed: " + e.error.Error() }
func (e *handshakeError) Unwrap() error { return e.error }

// alert is what the client's TLS says when it gives up, "unknown certificate authority" for
// one; empty if err is something else.
func alert(err error) string {
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}
