package gateway

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway/config"
)

// What those are told who may not connect.
const (
	refusalBanned  = "Too many failed logins from your address, try again later."
	refusalNetwork = "Connections from your address are not accepted here."
	refusalRate    = "Too many connections from your address in a short time, try again in a minute."
)

// admit decides about a connection before anything is done for it. Refusals are
// logged at level debug only: a ban has been logged when it began, and whoever
// knocks in vain can do so a thousand times a second.
func (g *Gateway) admit(endpoint string, remote netip.Addr) (refusal string) {
	l := g.config.Listeners[slices.IndexFunc(g.config.Listeners, func(l config.Listener) bool { return l.Name == endpoint })]
	switch _, banned := g.throttle.Banned(remote); {
	case banned:
		refusal = refusalBanned
	case len(l.AllowFrom) > 0 && !auth.Holds(l.AllowFrom, remote), auth.Holds(l.DenyFrom, remote):
		refusal = refusalNetwork
	case !g.connects.take(remote, time.Now()):
		refusal = refusalRate
	default:
		return ""
	}
	g.log.Debug().Str("listener", endpoint).Str("client", remote.String()).Str("reason", refusal).Msg("connection refused")
	return refusal
}

// connects counts the connections of each address, by the minute.
type connects struct {
	limit  int // of one address in a minute; 0: any number
	exempt []netip.Prefix

	mu     sync.Mutex
	minute time.Time // when it began
	counts map[netip.Prefix]int
}

// maxCounted bounds how many addresses are counted; beyond, counting begins anew.
const maxCounted = 100_000

// take counts a connection and reports whether it is not one too many.
func (c *connects) take(a netip.Addr, now time.Time) bool {
	if c.limit == 0 || auth.Holds(c.exempt, a) {
		return true
	}
	from := auth.Network(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.minute) >= time.Minute || len(c.counts) >= maxCounted {
		c.minute, c.counts = now, make(map[netip.Prefix]int)
	}
	if c.counts[from] >= c.limit {
		return false
	}
	c.counts[from]++
	return true
}

// newThrottle makes what admit asks, and the file that keeps bans.
func (g *Gateway) newThrottle() {
	c := g.config.Throttle
	g.connects = &connects{limit: g.config.Limits.ConnectRate, exempt: c.Allow}
	g.throttle = auth.NewThrottle(auth.ThrottleOptions{
		Failures: c.Failures, Window: c.Window, Ban: c.Ban, MaxDelay: c.MaxDelay, Allow: c.Allow,
		Banned: func(b auth.Ban) {
			g.log.Warn().Str("network", b.Name()).Int("failures", b.Failures).Time("until", b.Until).Msg("banned after failed logins")
			g.bans.note()
		},
	})
	g.bans = newBanFile(g.config.StateDir, g.throttle, g.log)
	g.bans.load()
}
