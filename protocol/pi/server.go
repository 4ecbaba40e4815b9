package pi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/protocol/dtp"
)

// ErrServerClosed is what Serve returns after Shutdown or Close.
var ErrServerClosed = errors.New("ftp: server closed")

// Server speaks FTP on any number of listeners. Its fields are set before Serve and not changed afterwards.
type Server struct {
	Login  LoginFunc
	Guest  func(user string) bool       // whether USER is greeted as a guest; nil: nobody is
	Needs  func(user string) Protection // what a user needs before PASS; nil: nothing beyond the endpoint's demand
	Limits Limits
	Trace  *Trace

	// Admit is asked before anything is done for a connection to the endpoint of
	// that name. A text is sent with 421 in place of the greeting (under implicit TLS:
	// if a handshake can be had, see turnAway). What it refuses
	// Admit reports itself, and not each time: whoever is refused comes often.
	// nil: all may come.
	Admit func(endpoint string, remote netip.Addr) (refusal string)

	// Certified tells whether a client whose verified certificate has these names
	// logs in as user without a password; nil: nobody does.
	Certified func(user string, names []string) bool

	slots slots

	table          map[string]*row // by verb; made once, by the first Serve
	secureRefusals *rate.Limiter   // the same; see turnAway
	hashing        hashing         // the same
	crew           *crew           // the same

	mu        sync.Mutex
	stop      chan struct{} // closed when the server is to stop; made on first use
	stopped   bool
	listeners map[net.Listener]struct{}
	sessions  map[*session]struct{}
	running   sync.WaitGroup // accept loops and sessions
}

// Endpoint is what belongs to one listener.
type Endpoint struct {
	Name       string       // in the log
	Greeting   []string     // lines of the 220; empty: a greeting without product or version
	Passive    *dtp.Passive // where PASV and EPSV listen; nil: 502
	NoActive   bool         // PORT and EPRT are 502
	ActivePort uint16       // where active data connections come from; 0: any port

	// PublicHost returns what PASV announces instead of local, the address that the
	// client reached; both ends of the control connection are IPv4. It is called
	// for each PASV and must not wait for anything. nil, or an address that is not
	// IPv4: local.
	PublicHost func(local, client netip.Addr) netip.Addr

	TLS   *TLS // nil: none
	ASCII bool // convert from the start instead of only after TYPE A (CLIENTS: old devices send no TYPE I)

	// Proxies are the load balancers whose control connections begin with a PROXY
	// header, and must; those of Passive are its own. The addresses in the header
	// are the session's, everywhere: for limits, bans, data connections and reports.
	Proxies []netip.Prefix
}

// Serve accepts control connections on l until the server is closed, and closes l.
func (s *Server) Serve(l net.Listener, e Endpoint) error {
	stop := s.track(l)
	if stop == nil {
		l.Close()
		return ErrServerClosed
	}
	defer s.running.Done()
	defer s.untrack(l)
	limits := s.Limits.withDefaults()
	proxies := dtp.NewProxies(e.Proxies, min(limits.LoginTimeout, dtp.DefaultHeaderTimeout))
	defer proxies.Close()
	var last spare // from the first connection on
	defer last.giveUp()
	for delay := time.Duration(0); ; {
		conn, err := l.Accept()
		if err == nil && !last.keep() {
			s.refuse(conn, &e, dtp.AddrPort(conn.RemoteAddr()), "Too many connections right now, try again in a few minutes.", nil)
			last.keep()
			continue
		}
		if err == nil {
			delay = 0
			s.running.Add(1)
			go func() {
				defer s.running.Done()
				if c := s.admit(conn, &e, proxies, limits, stop); c != nil {
					c.serve()
				}
			}()
			continue
		}
		select {
		case <-stop:
			return ErrServerClosed
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("ftp: listener %s: %w", e.Name, err)
		}
		if (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && last.giveUp() {
			continue
		}
		// Out of descriptors or aborted by the peer: the next one may do.
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		s.refused(&e, netip.AddrPort{}, err.Error())
		select {
		case <-time.After(delay):
		case <-stop:
			return ErrServerClosed
		}
	}
}

// spare is a descriptor that is kept for the day when there is no other: it is given
// up to accept one more connection, and to tell it so instead of letting it wait.
type spare struct{ file *os.File }

// keep reports whether there is a spare one, or there is one again.
func (s *spare) keep() bool {
	if s.file == nil {
		s.file, _ = os.Open(os.DevNull)
	}
	return s.file != nil
}

// giveUp reports whether there was one.
func (s *spare) giveUp() bool {
	if s.file == nil {
		return false
	}
	s.file.Close()
	s.file = nil
	return true
}

func (s *Server) track(l net.Listener) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	if s.stop == nil {
		s.table = newTable()
		s.secureRefusals = newSecureRefusals()
		s.hashing = newHashing()
		s.stop = make(chan struct{})
		s.crew = newCrew(s.stop)
		s.listeners = make(map[net.Listener]struct{})
		s.sessions = make(map[*session]struct{})
	}
	s.listeners[l] = struct{}{}
	s.running.Add(1)
	return s.stop
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	delete(s.listeners, l)
	s.mu.Unlock()
	l.Close()
}

// admit gives the connection a slot and a session, or 421 and nil.
//
//go:noinline
func (s *Server) admit(conn net.Conn, e *Endpoint, proxies *dtp.Proxies, limits Limits, stop <-chan struct{}) *session {
	remote, local, ok := s.origin(conn, e, proxies)
	if !ok {
		conn.Close()
		return nil
	}
	if s.Admit != nil {
		if refusal := s.Admit(e.Name, remote.Addr()); refusal != "" {
			s.turnAway(conn, e, refusal, stop)
			return nil
		}
	}
	if refusal := s.slots.enter(remote.Addr(), limits, stop); refusal != "" {
		s.refuse(conn, e, remote, refusal, stop)
		return nil
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	c := &session{
		server: s, endpoint: e, limits: limits, conn: conn, stream: conn,
		ctx: ctx, cancel: cancel, start: time.Now(),
		info: SessionInfo{ID: fmt.Sprintf("%08x", rand.Uint32()), Endpoint: e.Name, Local: local, Remote: remote},
	}
	c.work.L = &c.mu
	c.tcp, _ = conn.(*net.TCPConn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		s.slots.leave(remote.Addr())
		conn.Close()
		return nil
	}
	s.sessions[c] = struct{}{}
	return c
}

// origin returns the ends of the connection as the client sees them: behind a proxy
// they come from its header. If that is no good, the connection is not either: it is
// closed without a word, since what a proxy does with words is not known. Health
// probes that are over before they began are not worth a report.
func (s *Server) origin(conn net.Conn, e *Endpoint, proxies *dtp.Proxies) (remote, local netip.AddrPort, ok bool) {
	remote, local = dtp.AddrPort(conn.RemoteAddr()), dtp.AddrPort(conn.LocalAddr())
	c, isTCP := conn.(*net.TCPConn)
	if !isTCP || !proxies.Trusts(remote.Addr()) {
		return remote, local, true
	}
	o, err := proxies.Origin(c)
	switch {
	case err == nil:
		return o.Peer, o.Reached, true
	case !errors.Is(err, dtp.ErrNoHeader) && !errors.Is(err, net.ErrClosed):
		s.refused(e, remote, err.Error())
	}
	return remote, local, false
}

func (s *Server) forget(c *session) {
	s.mu.Lock()
	delete(s.sessions, c)
	s.mu.Unlock()
}

// beginStop stops accepting and returns the sessions that stand.
func (s *Server) beginStop() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.stopped = true
		if s.stop == nil {
			s.stop = make(chan struct{})
		}
		close(s.stop)
	}
	for l := range s.listeners {
		l.Close()
	}
	all := make([]*session, 0, len(s.sessions))
	for c := range s.sessions {
		all = append(all, c)
	}
	return all
}

// Shutdown stops accepting, tells idle sessions goodbye (421), lets running
// commands and transfers finish, and returns when all sessions have ended. When
// ctx ends first, what still runs is cut (held or discarded, never published), its client is
// told so (426, 421) if it listens, and the cause of ctx is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.beginStop() {
		c.drain()
	}
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range s.beginStop() {
		c.interrupt(errShutdown)
	}
	select {
	case <-done:
	case <-time.After(goodbyeTimeout):
		s.Close()
		<-done
	}
	return context.Cause(ctx)
}

// Close cuts every session at once and returns when all of them have cleaned up.
func (s *Server) Close() error {
	for _, c := range s.beginStop() {
		c.cut(errShutdown)
	}
	s.running.Wait()
	return nil
}
