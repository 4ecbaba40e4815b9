package pi

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// read takes command lines until the session is over. Its frame, and those it is
// called from, are on the stack of every idle session and decide what
// one costs: what else is needed is done in functions that have returned by then.
func (s *session) read() {
	for {
		line, err := s.lines.ReadLine()
		if !s.takeLine(line, err) {
			return
		}
	}
}

// takeLine handles what ReadLine returned, and reports whether to go on.
//
//go:noinline
func (s *session) takeLine(line []byte, err error) bool {
	if !s.spoke && (err == nil || errors.Is(err, ftp.ErrLineTooLong)) {
		s.speak()
	}
	switch {
	case err == nil:
		c := s.parse(line)
		return s.paced(&c) && s.take(c)
	case errors.Is(err, ftp.ErrLineTooLong):
		c := command{bad: ftp.Errorf(500, "Command line too long.")}
		return s.paced(&c) && s.take(c)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return !s.expired()
	}
	s.lose(err)
	return false
}

// expired decides what a read deadline means: a session that is over, one that
// has been idle for too long, or (while a command runs, or one has run since the
// deadline was set) nothing at all. The deadline is not moved with every command.
func (s *session) expired() bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.lost {
		return true
	}
	if s.busy {
		s.conn.SetReadDeadline(now.Add(min(s.limits.LoginTimeout, s.limits.IdleTimeout)))
		return false
	}
	if s.drained {
		s.mu.Unlock()
		s.send(ftp.Replyf(421, "Server is shutting down, closing control connection."))
		s.mu.Lock()
		return true
	}
	limit, text := s.active.Add(s.limits.IdleTimeout), "Idle timeout, closing control connection."
	if s.account == nil {
		if login := s.nobody.Add(s.limits.LoginTimeout); login.Before(limit) {
			limit, text = login, "Login timeout, closing control connection."
		}
	}
	if now.Before(limit) {
		s.conn.SetReadDeadline(limit)
		return false
	}
	s.mu.Unlock()
	s.send(ftp.Replyf(421, text))
	s.mu.Lock()
	return true
}

// lose records that the control connection is gone, and cancels what runs.
func (s *session) lose(err error) {
	s.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if s.reason == "" {
		s.left = true
		s.reason = "connection lost"
		if errors.Is(err, io.EOF) {
			s.reason = "closed by the client"
		}
		if h := (*handshakeError)(nil); errors.As(err, &h) {
			s.left = errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) // else there is something to tell
			s.reason = h.Error()
		} else if text := alert(err); text != "" {
			s.reason = "closed by the client: " + text
		}
	}
	s.lost = true
	s.queue, s.queued = nil, 0
	s.work.Broadcast()
	if s.running.cancel != nil && !s.running.outlives {
		s.running.cancel(errControlLost)
	}
}

// refuseTelnet answers a Telnet option (RFC 1123 §4.1.2.12), but not a flood of them.
func (s *session) refuseTelnet(answer []byte) {
	if s.telnet++; s.telnet <= maxTelnetRefusals {
		s.write(answer)
	}
}
