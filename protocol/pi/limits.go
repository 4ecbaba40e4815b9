package pi

import (
	"net/netip"
	"sync"
	"time"

	"github.com/ftpgate/ftpgate/auth"
)

// Limits bound what clients can take. A zero field means its default, if there is one.
type Limits struct {
	MaxConnections      int // sessions in all, logged in or not
	MaxConnectionsPerIP int // sessions from one address; an IPv6 /64 counts as one
	LoginAttempts       int // failed logins in one session, then 421
	CommandLine         int // bytes of one command line
	CommandRate         int // commands of one session in a second, more are read later; 0: any number

	LoginTimeout time.Duration // from connect to logged in
	IdleTimeout  time.Duration // between commands (RFC 1123 §4.1.3.2: at least 5 minutes)
	DataTimeout  time.Duration // until a data connection stands
	StallTimeout time.Duration // no byte moved on a data connection
}

// The defaults.
const (
	DefaultMaxConnections      = 1000
	DefaultMaxConnectionsPerIP = 20
	DefaultLoginAttempts       = 3
	DefaultCommandLine         = 8192 // two paths of 4 KiB would not fit on one line, one does with room to spare

	DefaultLoginTimeout = 60 * time.Second
	DefaultIdleTimeout  = 10 * time.Minute
	DefaultDataTimeout  = 30 * time.Second
	DefaultStallTimeout = 60 * time.Second
)

const (
	replyTimeout      = 30 * time.Second       // a client that does not read its replies for so long is gone
	goodbyeTimeout    = time.Second            // for the last replies and the close_notify at the end of a session
	slotPatience      = 250 * time.Millisecond // a client that has just quit frees its slot within this
	maxSlotWaiters    = 64                     // connections that may wait for a slot at once
	commitPatience    = 5 * time.Millisecond   // the FIN of a killed client's control connection arrives within this of the data's on an idle machine, ...
	commitLonger      = 50 * time.Millisecond  // ... and on a busy one within this, as a rule
	commitSmall       = 1 << 20                // bytes; smaller uploads that took less than commitPatience are published without a wait
	quitPatience      = time.Second            // a QUIT in front of the end of the control connection is read within this
	resetCheck        = 100 * time.Millisecond // a reader that waits looks for a reset as often as this
	maxQueued         = 64                     // commands sent ahead
	maxQueuedBytes    = 16 << 10               // and the bytes of their arguments
	maxTelnetRefusals = 16                     // Telnet options answered in one session
	maxStrangerVerbs  = 10                     // unknown verbs before login, then the connection is not FTP
)

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	defTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.MaxConnections, DefaultMaxConnections)
	def(&l.MaxConnectionsPerIP, DefaultMaxConnectionsPerIP)
	def(&l.LoginAttempts, DefaultLoginAttempts)
	def(&l.CommandLine, DefaultCommandLine)
	defTime(&l.LoginTimeout, DefaultLoginTimeout)
	defTime(&l.IdleTimeout, DefaultIdleTimeout)
	defTime(&l.DataTimeout, DefaultDataTimeout)
	defTime(&l.StallTimeout, DefaultStallTimeout)
	return l
}

// slots counts connections in all and per address, an IPv6 /64 being one as it is for bans.
type slots struct {
	mu      sync.Mutex
	all     int
	perIP   map[netip.Prefix]int
	freed   chan struct{} // closed and replaced when a slot is freed while somebody waits
	waiters int
}

// enter takes a slot for addr, waiting a moment for one. It reports why it could not.
func (s *slots) enter(addr netip.Addr, l Limits, stop <-chan struct{}) (refusal string) {
	var patience <-chan time.Time
	from := auth.Network(addr)
	s.mu.Lock()
	for {
		switch {
		case s.all >= l.MaxConnections:
			refusal = "Too many users right now, try again in a few minutes."
		case s.perIP[from] >= l.MaxConnectionsPerIP:
			refusal = "Too many connections from your address, try again in a few minutes."
		default:
			if s.perIP == nil {
				s.perIP = make(map[netip.Prefix]int)
			}
			s.all++
			s.perIP[from]++
			s.mu.Unlock()
			return ""
		}
		if patience == nil {
			if s.waiters >= maxSlotWaiters {
				s.mu.Unlock()
				return refusal
			}
			t := time.NewTimer(slotPatience)
			defer t.Stop()
			patience = t.C
		}
		if s.freed == nil {
			s.freed = make(chan struct{})
		}
		freed := s.freed
		s.waiters++
		s.mu.Unlock()
		timedOut := false
		select {
		case <-freed:
		case <-patience:
			timedOut = true
		case <-stop:
			timedOut = true
		}
		s.mu.Lock()
		s.waiters--
		if timedOut {
			s.mu.Unlock()
			return refusal
		}
	}
}

func (s *slots) leave(addr netip.Addr) {
	from := auth.Network(addr)
	s.mu.Lock()
	s.all--
	if s.perIP[from]--; s.perIP[from] == 0 {
		delete(s.perIP, from)
	}
	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
	s.mu.Unlock()
}
