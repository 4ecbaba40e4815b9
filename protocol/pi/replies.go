package pi

import (
	"github.com/ftpgate/ftpgate/protocol/ftp"
)

func (s *session) greeting() ftp.Reply {
	if len(s.endpoint.Greeting) > 0 {
		return ftp.Reply{Code: 220, Lines: s.endpoint.Greeting}
	}
	return ftp.Replyf(220, "FTP server ready.")
}

// send writes a reply. 221 and 421 are the last of a session (RFC 959 §4.2.2).
func (s *session) send(r ftp.Reply) {
	last := r.Code == 221 || r.Code == 421
	if last {
		s.release()
	}
	s.replies.Lock()
	defer s.replies.Unlock()
	s.sendLocked(r)
	if last {
		s.end(r.String())
	}
}

func (s *session) sendLocked(r ftp.Reply) {
	s.replies.buf = r.Append(s.replies.buf[:0])
	s.writeLocked(s.replies.buf)
	if cap(s.replies.buf) > 256 {
		s.replies.buf = nil
	}
}

func (s *session) write(p []byte) {
	s.replies.Lock()
	s.writeLocked(p)
	s.replies.Unlock()
}

// writeLocked writes p whole, or gives the session up: a client that
// leaves its replies unread for replyTimeout is gone. Nothing follows the last
// reply, or a session that was cut.
func (s *session) writeLocked(p []byte) {
	if !s.renewWrite() {
		return
	}
	if _, err := s.stream.Write(p); err != nil {
		s.lose(err)
		s.conn.SetReadDeadline(past)
	}
}

// end marks the session as over and wakes the reader.
func (s *session) end(reason string) {
	s.mu.Lock()
	s.ended = true
	s.queue, s.queued = nil, 0
	if s.reason == "" {
		s.reason = reason
	}
	s.mu.Unlock()
	s.conn.SetReadDeadline(past)
}
