package pi

import (
	"time"

	"golang.org/x/time/rate"
)

// paced holds the reader back while its client sends more commands than the limits
// allow. None is dropped: they stay in the connection, and in the end in the client. What waits
// for nothing is QUIT, and ABOR while something runs that it could end; those that stand
// behind other commands are found when these have been taken. It reports whether the
// session goes on.
func (s *session) paced(c *command) bool {
	n := s.limits.CommandRate
	if n <= 0 || c.is("QUIT") || c.is("ABOR") && s.working() {
		return true
	}
	if s.commands == nil {
		s.commands = rate.NewLimiter(rate.Limit(n), n) // what a second allows may come at once
	}
	delay := s.commands.Reserve().Delay()
	if delay == 0 {
		return true
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return !s.expired() // no deadline strikes while the reader is here
	case <-s.ctx.Done():
		return false
	}
}

// working reports whether a command runs or waits.
func (s *session) working() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}
