package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// ErrClosed is what Serve returns after Shutdown.
var ErrClosed = pi.ErrServerClosed

// Gateway is a configuration that runs.
type Gateway struct {
	config    *config.Config
	log       zerolog.Logger
	backends  *backends
	throttle  *auth.Throttle
	bans      *banFile
	connects  *connects
	names     *names
	server    *pi.Server
	listeners []listener
	admin     net.Listener // nil: no admin block, or not listening
}

type listener struct {
	net.Listener
	endpoint pi.Endpoint
}

// New opens what the configuration names. Nothing listens yet. A user whose
// directory is missing is an error in the log, not of the gateway: the others
// are served, and that user as soon as the directory is there.
func New(c *config.Config, log zerolog.Logger) (*Gateway, error) {
	p, users, err := portal(c)
	if err != nil {
		return nil, err
	}
	g := &Gateway{config: c, log: log, backends: newBackends(c, log), names: newNames(hostNames(c.Listeners), log)}
	g.newThrottle()
	p.Throttle = g.throttle
	realm := newRealm(c, g.backends)
	for i := range c.Users {
		g.openEarly(c.Users[i].Filesystem, c.Users[i].Name)
	}
	guests := &auth.Anonymous{}
	if c.Anonymous != nil {
		guests.Names = c.Anonymous.Names
		g.openEarly(c.Anonymous.Filesystem, auth.AnonymousUser)
	}
	g.server = &pi.Server{
		Login:     login(p, realm),
		Guest:     func(user string) bool { return c.Anonymous != nil && guests.Knows(user) },
		Needs:     realm.needs,
		Certified: users.Certified,
		Trace:     newTrace(log),
		Admit:     g.admit,
		Limits: pi.Limits{
			MaxConnections: c.Limits.MaxConnections, MaxConnectionsPerIP: c.Limits.MaxConnectionsPerIP,
			LoginAttempts: c.Limits.LoginAttempts, CommandLine: c.Limits.CommandLine, CommandRate: c.Limits.CommandRate,
			LoginTimeout: c.Limits.LoginTimeout, IdleTimeout: c.Limits.IdleTimeout,
			DataTimeout: c.Limits.DataTimeout, StallTimeout: c.Limits.StallTimeout,
		},
	}
	return g, nil
}

func (g *Gateway) openEarly(b config.Backend, user string) {
	if _, err := g.backends.storage(b, user); err != nil {
		g.log.Error().Err(err).Str("user", user).Msg("the filesystem of this user cannot be opened; logins fail until it can")
	}
}

// Listen opens every listener, or none.
func (g *Gateway) Listen(ctx context.Context) error {
	g.names.resolve(ctx)
	for i := range g.config.Listeners {
		c := g.config.Listeners[i]
		secure, err := newTLS(c.TLS, time.Now, g.log.With().Str("listener", c.Name).Logger())
		if err != nil {
			g.closeListeners()
			return fmt.Errorf("listener %q: tls: %w", c.Name, err)
		}
		l, err := dtp.Listen(ctx, "tcp", address(c))
		if err != nil {
			g.closeListeners()
			return fmt.Errorf("listener %q: %w%s", c.Name, err, hint(c, err))
		}
		if err := checkSource(&c); err != nil {
			l.Close()
			g.closeListeners()
			return fmt.Errorf("listener %q: active_source_port %d: %w", c.Name, c.SourcePort, err)
		}
		passive := dtp.NewPassive(dtp.PassiveOptions{
			FirstPort: c.PassivePorts.First, LastPort: c.PassivePorts.Last,
			Timeout: g.config.Limits.DataTimeout, Pools: c.DataPeers, Proxies: c.ProxyProtocol,
			Rejected: rejected(g.log, c.Name), Exhausted: exhausted(g.log, c.Name),
		})
		public := &publicHost{listener: &g.config.Listeners[i], names: g.names, log: g.log.With().Str("listener", c.Name).Logger()}
		e := pi.Endpoint{
			Name: c.Name, Passive: passive, NoActive: !c.ActiveMode, ActivePort: c.SourcePort, PublicHost: public.announce, TLS: secure,
			ASCII: c.DefaultType == config.DefaultASCII, Proxies: c.ProxyProtocol,
		}
		if c.Banner != "" {
			e.Greeting = strings.Split(strings.TrimRight(c.Banner, "\n"), "\n")
		}
		g.listeners = append(g.listeners, listener{l, e})
		g.log.Info().Str("listener", c.Name).Str("address", l.Addr().String()).Msg("listening")
		public.warnEarly(ownAddresses())
	}
	if a := g.config.Admin; a != nil {
		l, err := listenAdmin(ctx, a)
		if err != nil {
			g.closeListeners()
			return fmt.Errorf("admin: %w", err)
		}
		g.admin = l
		g.log.Info().Str("address", l.Addr().String()).Msg("taking orders")
	}
	for _, u := range g.config.Users {
		g.log.Info().Str("user", u.Name).Str("access", string(u.Access)).Str("filesystem", u.Filesystem.String()).Msg("user")
	}
	if a := g.config.Anonymous; a != nil {
		g.log.Info().Str("user", auth.AnonymousUser).Str("access", string(config.ReadOnly)).Str("filesystem", a.Filesystem.String()).Msg("user")
	}
	return nil
}

// address is what to listen on; the unspecified IPv6 address stands for every
// address of both families, also on machines without IPv6.
func address(c config.Listener) string {
	if c.Address.Addr() == netip.IPv6Unspecified() {
		return fmt.Sprintf(":%d", c.Address.Port())
	}
	return c.Address.String()
}

// checkSource reports why active data connections could not come from their port.
func checkSource(c *config.Listener) error {
	if c.SourcePort == 0 || !c.ActiveMode {
		return nil
	}
	addr := c.Address.Addr()
	if addr == netip.IPv6Unspecified() {
		addr = netip.IPv4Unspecified() // see address
	}
	return dtp.CheckSource(netip.AddrPortFrom(addr, c.SourcePort))
}

// hint says what usually helps.
func hint(c config.Listener, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "; another program listens there, or another ftpgate still runs"
	case errors.Is(err, syscall.EACCES) && c.Address.Port() < 1024:
		return "; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
	}
	return ""
}

// Addrs are the addresses that are listened on, in the order of the configuration.
func (g *Gateway) Addrs() []net.Addr {
	out := make([]net.Addr, len(g.listeners))
	for i, l := range g.listeners {
		out[i] = l.Addr()
	}
	return out
}

// Serve serves until Shutdown, or until a listener fails. It returns ErrClosed after Shutdown.
func (g *Gateway) Serve() error {
	stop := make(chan struct{})
	lookups, stopLookups := context.WithCancel(context.Background()) // until the last listener has ended
	defer stopLookups()
	var background sync.WaitGroup
	background.Go(func() { g.names.run(lookups) })
	background.Go(func() { g.bans.run(stop) })
	var admin *http.Server
	if g.admin != nil {
		admin = g.newAdmin()
		background.Go(func() {
			if err := admin.Serve(g.admin); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				g.log.Error().Err(err).Msg("no orders are taken any more")
			}
		})
	}
	background.Go(func() {
		ticker := time.NewTicker(sweepInterval)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				g.backends.sweep(now)
			case <-stop:
				return
			}
		}
	})
	ended := make(chan error, len(g.listeners))
	for _, l := range g.listeners {
		go func() { ended <- g.server.Serve(l.Listener, l.endpoint) }()
	}
	err := ErrClosed
	for range g.listeners {
		if e := <-ended; !errors.Is(e, ErrClosed) && errors.Is(err, ErrClosed) {
			err = e
			g.server.Close() // one listener failed: the others end too
		}
	}
	if admin != nil {
		_ = admin.Close()
	}
	close(stop)
	stopLookups()
	background.Wait()
	return err
}

// Shutdown stops accepting and lets running transfers finish, for as long as
// limits.shutdown_timeout says; what then still runs is cut, never published, and
// the error is context.DeadlineExceeded.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.log.Info().Dur("at_most_ms", g.config.Limits.ShutdownTimeout).Msg("stopping; running transfers may finish")
	ctx, cancel := context.WithTimeout(ctx, g.config.Limits.ShutdownTimeout)
	defer cancel()
	err := g.server.Shutdown(ctx)
	g.closeListeners()
	g.backends.close()
	if err != nil {
		g.log.Warn().Msg("stopped; some transfers did not finish in time and were cut")
	} else {
		g.log.Info().Msg("stopped")
	}
	return err
}

func (g *Gateway) closeListeners() {
	for _, l := range g.listeners {
		l.Close()
		l.endpoint.Passive.Close()
	}
	if g.admin != nil {
		g.admin.Close()
	}
}
