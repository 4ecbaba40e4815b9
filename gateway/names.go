package gateway

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	lookupTimeout = 3 * time.Second  // of one look-up; the start waits for it
	lookupEvery   = time.Minute      // what dynamic DNS has as its shortest time to live
	lookupAgain   = 10 * time.Second // while some name has never been resolved
)

// names are DNS names with the IPv4 address that each had when it was last
// resolved. They are resolved anew in the background, so whoever asks never waits.
// A name that cannot be resolved any more keeps its address.
type names struct {
	log    zerolog.Logger
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	all    []string // does not change

	mu       sync.Mutex
	resolved map[string]netip.Addr
	failing  map[string]bool // and the log knows
}

func newNames(all []string, log zerolog.Logger) *names {
	slices.Sort(all)
	return &names{
		log: log, lookup: net.DefaultResolver.LookupNetIP, all: slices.Compact(all),
		resolved: make(map[string]netip.Addr), failing: make(map[string]bool),
	}
}

// address returns the last known address of a name; the zero Addr if there has been none.
func (n *names) address(name string) netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.resolved[name]
}

// complete reports whether each name has an address.
func (n *names) complete() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.resolved) == len(n.all)
}

// run resolves all names again and again until ctx ends.
func (n *names) run(ctx context.Context) {
	if len(n.all) == 0 {
		return
	}
	for {
		pause := lookupEvery
		if !n.complete() {
			pause = lookupAgain
		}
		select {
		case <-time.After(pause):
			n.resolve(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// resolve looks all names up at once, and takes no longer than one look-up may.
func (n *names) resolve(ctx context.Context) {
	var lookups sync.WaitGroup
	for _, name := range n.all {
		lookups.Go(func() {
			bounded, cancel := context.WithTimeout(ctx, lookupTimeout)
			defer cancel()
			found, err := n.lookup(bounded, "ip4", name)
			if ctx.Err() == nil { // else the gateway stops, and that is no fault of the name
				n.note(name, found, err)
			}
		})
	}
	lookups.Wait()
}

// note takes what a look-up has found. An address that is still among those of the
// name stays: servers give several ones in another order each time. The log
// tells of changes only.
func (n *names) note(name string, found []netip.Addr, err error) {
	for i := range found {
		found[i] = found[i].Unmap()
	}
	found = slices.DeleteFunc(found, func(a netip.Addr) bool { return !a.Is4() || a.IsUnspecified() || a.IsMulticast() })
	n.mu.Lock()
	defer n.mu.Unlock()
	last, known := n.resolved[name]
	if len(found) == 0 {
		if !n.failing[name] {
			e := n.log.Warn().AnErr("error", err).Str("name", name)
			if known {
				e.Str("address", last.String()).Msg("public_host cannot be resolved any more; PASV goes on with its last address")
			} else {
				e.Msg("public_host cannot be resolved to an IPv4 address; until it can, PASV announces the address that each client reached")
			}
		}
		n.failing[name] = true
		return
	}
	if !slices.Contains(found, last) {
		n.resolved[name] = found[0]
	}
	if n.failing[name] || n.resolved[name] != last {
		n.log.Info().Str("name", name).Str("address", n.resolved[name].String()).Msg("public_host resolved")
	}
	n.failing[name] = false
}
