package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Options say how to connect, whatever the server.
type Options struct {
	CAFile   string // PEM; certificates are checked against these instead of the system's
	Insecure bool   // certificates are not checked
	Active   bool
	Timeout  time.Duration // without an answer or a byte; 0: the client's 60 s
	Parallel int           // connections at once; 0: 1
	Backoff  Backoff
	TimeZone *time.Location   // of times in LIST; nil: UTC
	Dialer   ftpclient.Dialer // nil: the network of this machine
	Trace    *ftpclient.Trace
	Warn     func(format string, args ...any)
}

// ClientOptions are the options of the client for a URL.
func (o Options) ClientOptions(u URL) (ftpclient.Options, error) {
	c := ftpclient.Options{
		Security: u.Security(), Active: o.Active, ReplyTimeout: o.Timeout, StallTimeout: o.Timeout,
		Dialer: o.Dialer, Trace: o.Trace, TimeZone: o.TimeZone,
		KeepAlive: time.Minute,
	}
	if o.Timeout > 0 {
		c.ConnectTimeout = min(o.Timeout, 30*time.Second)
	}
	config := &tls.Config{InsecureSkipVerify: o.Insecure} //nolint:gosec // --insecure, with a warning
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return c, fmt.Errorf("--ca-file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return c, fmt.Errorf("--ca-file: %s holds no certificate in PEM", o.CAFile)
		}
	}
	c.TLS = config
	return c, nil
}

// Site is one server as one user: as many connections as are wanted at once.
type Site struct {
	URL  URL
	User Credentials
	*ftpclient.Pool

	o       Options
	client  ftpclient.Options
	reached atomic.Bool // somebody answered there before
	skipped atomic.Int64

	slots chan struct{} // holds one for each connection in use, and for each that the server does not allow

	mu      sync.Mutex
	inUse   int
	asked   bool // for renames
	renames bool
}

// Renames reports whether the server lets this user rename files, as far as it tells before. path must be one that does not matter. The server is asked once.
func (s *Site) Renames(ctx context.Context, c *ftpclient.Conn, path string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked {
		return s.renames, nil
	}
	// That there is no such file is no reason against renaming others.
	err := c.Rename(ctx, path, path)
	var refused *ftp.Error
	if err != nil && !errors.As(err, &refused) {
		return false, err
	}
	s.asked, s.renames = true, !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported)
	return s.renames, nil
}

// Skipped is how many lines of listings nothing could be made of: what they stand for has not been seen.
func (s *Site) Skipped() int64 { return s.skipped.Load() }

// Open prepares connections; none is made yet. Close closes them.
func Open(u URL, c Credentials, o Options) (*Site, error) {
	client, err := o.ClientOptions(u)
	if err != nil {
		return nil, err
	}
	s := &Site{URL: u, User: c, o: o, client: client}
	trace := ftpclient.Trace{}
	if o.Trace != nil {
		trace = *o.Trace
	}
	trace.Skipped = func(string) { s.skipped.Add(1) }
	s.client.Trace = &trace
	n := max(o.Parallel, 1)
	s.Pool = &ftpclient.Pool{Dial: s.dial, MaxOpen: n, MaxIdle: n}
	s.slots = make(chan struct{}, n)
	if o.Warn != nil {
		switch {
		case u.Security() != ftpclient.Plain && o.Insecure:
			o.Warn("--insecure: whoever is between here and %s can read and change everything", u.Host)
		case u.Security() == ftpclient.Plain && !c.Anonymous() && !loopback(u.Host):
			o.Warn("ftp:// sends the password in clear text; try ftpes://%s", u.Host)
		}
	}
	return s, nil
}

// Get is that of Pool. A server that refuses one connection too many gets no more than those it has accepted.
func (s *Site) Get(ctx context.Context) (*ftpclient.Conn, error) {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		s.use(1)
		c, err := s.Pool.Get(ctx)
		if err == nil {
			return c, nil
		}
		if others := s.use(-1); others == 0 || !full(err) {
			<-s.slots
			return nil, err
		}
		// The slot stays taken, for good. The others give theirs back.
	}
}

// Put gives a connection back.
func (s *Site) Put(c *ftpclient.Conn) {
	s.Pool.Put(c)
	s.use(-1)
	<-s.slots
}

func (s *Site) use(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inUse += n
	return s.inUse
}

// full is how a server refuses one connection more than it allows; some do so in answer to a login that was
// good for the others.
func full(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused) && (refused.Reply.Code == 421 || refused.Reply.Code == 530)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// advice is what to do about a connection that does not come about, where that is known.
func (s *Site) advice(err error) string {
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && s.o.Dialer == nil: // else by the proxy
		return "; nothing listens there: see whether the server runs, and on which port"
	case errors.As(err, &record) && s.URL.Security() == ftpclient.Implicit:
		return "; try ftpes://, for servers that begin in clear text"
	case errors.Is(err, ftpclient.ErrNoTLS):
		return "; try ftps:// (TLS from the first byte), as ftp:// would send everything in clear text"
	case errors.Is(err, ftpclient.ErrTimeout) && s.URL.Security() != ftpclient.Implicit:
		return "; a firewall may drop the connection, or the server waits for TLS: try ftps://"
	case errors.As(err, &unknown):
		return "; --ca-file FILE trusts the authority in FILE, and --insecure whoever answers"
	case errors.As(err, &name):
		return "; use the name that the certificate is for"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "; it is to be renewed on the server, unless the clock of this machine is wrong"
	}
	return ""
}

func (s *Site) dial(ctx context.Context) (*ftpclient.Conn, error) {
	c, err := ftpclient.Dial(ctx, s.URL.Address(), s.client)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) && !s.reached.Load() {
			err = permanent{err} // a wrong port is likelier than a server that is just starting
		}
		if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
			return nil, err // which says where
		}
		return nil, fmt.Errorf("%s: %w%s", s.URL.Address(), err, s.advice(err))
	}
	if err := c.Login(ctx, s.User.User, s.User.password, s.User.account); err != nil {
		c.Close()
		return nil, fmt.Errorf("login as %s at %s: %w", s.User, s.URL.Host, err)
	}
	s.reached.Store(true)
	return c, nil
}

// Login logs a connection in that was made elsewhere.
func (c Credentials) Login(ctx context.Context, conn *ftpclient.Conn) error {
	return conn.Login(ctx, c.User, c.password, c.account)
}

// Connect is Get, tried again as the back-off has it. It is for work that cannot be done twice.
func (s *Site) Connect(ctx context.Context) (*ftpclient.Conn, error) {
	var c *ftpclient.Conn
	err := s.o.Backoff.Do(ctx, func() (bool, error) {
		var err error
		c, err = s.Get(ctx)
		return false, err
	})
	return c, err
}

// Do calls work with a connection, again as the back-off has it if that fails for a reason that passes. work must be fit to
// be done twice.
func (s *Site) Do(ctx context.Context, work func(c *ftpclient.Conn) error) error {
	return s.Progress(ctx, func(c *ftpclient.Conn) (bool, error) { return false, work(c) })
}

// Progress is Do for work that tells whether it got anywhere.
func (s *Site) Progress(ctx context.Context, work func(c *ftpclient.Conn) (bool, error)) error {
	return s.o.Backoff.Do(ctx, func() (bool, error) {
		c, err := s.Get(ctx)
		if err != nil {
			return false, err
		}
		defer s.Put(c)
		return work(c)
	})
}
