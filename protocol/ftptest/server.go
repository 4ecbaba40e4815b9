package ftptest

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// Patience is how long anything in a test may take that is expected to happen
// at once. It is long, since it only costs time when a test fails.
const Patience = 20 * time.Second

// Options say what to start. The zero value with an FS is a useful server.
type Options struct {
	Address string                           // without port; "" is 127.0.0.1
	FS      afero.Fs                         // of every account of Accounts
	Account func(user string) *pi.Account    // nil: Accounts(FS); a nil account is a refused login
	Login   pi.LoginFunc                     // nil: Password over Account
	Change  func(user string, a *pi.Account) // applied to each account that a login yields
	Guest   func(user string) bool           // nil: anonymous and ftp
	Needs   func(user string) pi.Protection  // before PASS
	// Certified tells whose certificate is enough.
	Certified func(user string, names []string) bool
	Limits    pi.Limits
	Endpoint  pi.Endpoint // its Passive, if nil, is made of Passive
	Passive   dtp.PassiveOptions
	Trace     *pi.Trace
	Admit     func(endpoint string, remote netip.Addr) string
	Panics    bool // a panic in a handler is expected and does not fail the test
}

// Server is a running server. Its methods fail the test it was started with.
type Server struct {
	*pi.Server
	Addr    netip.AddrPort
	Passive *dtp.Passive

	t      testing.TB
	served chan error
}

// Start runs a server until the test ends, and then checks that it leaves no
// goroutine and no descriptor behind.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	CheckLeaks(t)
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	l, err := dtp.Listen(context.Background(), "tcp", net.JoinHostPort(o.Address, "0"))
	if err != nil {
		t.Fatalf("ftptest: %v", err)
	}
	s := &Server{
		Server:  NewServer(t, o),
		Addr:    l.Addr().(*net.TCPAddr).AddrPort(),
		Passive: o.Endpoint.Passive,
		t:       t,
		served:  make(chan error, 1),
	}
	own := s.Passive == nil
	if own {
		s.Passive = dtp.NewPassive(o.Passive)
		o.Endpoint.Passive = s.Passive
	}
	go func() { s.served <- s.Serve(l, o.Endpoint) }()
	t.Cleanup(func() {
		s.Close()
		if own {
			s.Passive.Close()
		}
		if err := <-s.served; err != pi.ErrServerClosed {
			t.Errorf("ftptest: Serve returned %v, not ErrServerClosed", err)
		}
	})
	return s
}

// NewServer makes what Start serves, for tests with a listener of their own.
func NewServer(t testing.TB, o Options) *pi.Server {
	if o.Guest == nil {
		o.Guest = isGuest
	}
	return &pi.Server{
		Login: o.login(), Guest: o.Guest, Needs: o.Needs, Certified: o.Certified, Limits: o.Limits, Trace: o.trace(t),
		Admit: o.Admit,
	}
}

// trace adds to the test's own trace that a panic fails the test.
func (o *Options) trace(t testing.TB) *pi.Trace {
	trace := pi.Trace{}
	if o.Trace != nil {
		trace = *o.Trace
	}
	if told := trace.Panic; !o.Panics {
		trace.Panic = func(i pi.SessionInfo, c ftpCommand, v any, stack []byte) {
			t.Errorf("ftptest: panic in %s: %v\n%s", c.Verb, v, stack)
			if told != nil {
				told(i, c, v, stack)
			}
		}
	}
	return &trace
}

// Dial connects without reading the greeting.
func (s *Server) Dial() *Client {
	s.t.Helper()
	return Dial(s.t, s.Addr)
}

// Login connects and logs in; the password of the accounts here is the user's name.
func (s *Server) Login(user string) *Client {
	s.t.Helper()
	c := s.Dial()
	c.Want(220)
	c.Login(user)
	return c
}
