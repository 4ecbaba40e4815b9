package gateway

import (
	"fmt"
	"sync"

	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// share is what all sessions of one user, or of everybody, have together.
type share struct {
	download, upload *rate.Limiter // nil: no limit
	max              int           // sessions; 0: any number

	mu       sync.Mutex
	sessions int
}

func newShare(r config.Rates, maxSessions int) *share {
	return &share{download: limiter(r.Download), upload: limiter(r.Upload), max: maxSessions}
}

const (
	// burstsPerSecond: a quarter of a second's bytes may pass at once, so that a
	// limit is smooth to look at and its timer costs nothing.
	burstsPerSecond = 4
	// maxBurst bounds them in bytes, for limits near what a network can do.
	maxBurst = 4 << 20
)

// limiter lets bytesPerSecond pass; nil if that is 0.
func limiter(bytesPerSecond int64) *rate.Limiter {
	if bytesPerSecond == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(min(max(bytesPerSecond/burstsPerSecond, 1), maxBurst)))
}

// enter counts a session, until leave is called, or says why it may not begin.
func (s *share) enter(user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.max > 0 && s.sessions >= s.max {
		return ftp.Errorf(421, "Too many sessions of this user, close one or try again later.").
			Because(fmt.Errorf("user %q has %d sessions, which is max_sessions", user, s.sessions))
	}
	s.sessions++
	return nil
}

func (s *share) leave() {
	s.mu.Lock()
	s.sessions--
	s.mu.Unlock()
}

// limit makes a's transfers share what everybody has, what the user has, and what is the session's own.
func limit(a *pi.Account, everybody, user *share, r config.Rates) {
	for _, l := range []*rate.Limiter{limiter(r.SessionDownload), user.download, everybody.download} {
		if l != nil {
			a.Download = append(a.Download, l)
		}
	}
	for _, l := range []*rate.Limiter{limiter(r.SessionUpload), user.upload, everybody.upload} {
		if l != nil {
			a.Upload = append(a.Upload, l)
		}
	}
}
