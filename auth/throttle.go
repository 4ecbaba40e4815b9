package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ErrBanned refuses a login from a banned address, whatever the password. It is
// an ErrDenied, and nothing was compared for it.
var ErrBanned = fmt.Errorf("%w: the address is banned", ErrDenied)

// ThrottleOptions say how much guessing is borne.
type ThrottleOptions struct {
	Failures int            // of one address within Window, then it is banned; 0: nobody is banned
	Window   time.Duration  // how long a failure counts
	Ban      time.Duration  // how long a ban lasts
	MaxDelay time.Duration  // the longest wait before a login is looked at; 0: none waits
	Allow    []netip.Prefix // networks that are neither delayed nor banned, and whose failures do not count
	Banned   func(Ban)      // told of each new ban; may be nil. It must not block
}

// Ban is an address that may not connect for a while.
type Ban struct {
	Network  netip.Prefix `json:"network"` // an IPv4 address or an IPv6 /64
	Failures int          `json:"failures"`
	Since    time.Time    `json:"since"`
	Until    time.Time    `json:"until"`
}

// Name is the network as people write it: a single address without its length.
func (b Ban) Name() string {
	if b.Network.IsSingleIP() {
		return b.Network.Addr().String()
	}
	return b.Network.String()
}

// Throttle makes guessing slow and then impossible (RFC 2577 §5).
//
// Each failure of the last Window, of the same address or for the same account,
// doubles the wait before the next login is looked at. The wait comes
// first and is the same for a right and a wrong password, so that nothing is
// learnt by not waiting for the answer; a client that hangs up during it has
// tried nothing.
//
// An address with too many failures is banned. An account never is: strangers
// could lock its owner out. It only becomes slower, by at most MaxDelay, and
// every address that guesses at it is used up after Failures attempts, however many
// it makes at once: what is being looked at counts as failed until it is known, and
// what would be one too many waits for that. Names that nobody has are treated
// like any other. Success forgives nothing, or one known password would buy any
// number of guesses.
//
// What is remembered is bounded: the least recent failures are forgotten first.
type Throttle struct {
	options ThrottleOptions
	start   time.Time // failures are dated by the monotonic clock, from here

	mu        sync.Mutex
	addresses tally[netip.Prefix]
	accounts  tally[string]
	bans      map[netip.Prefix]Ban
	underway  map[netip.Prefix]*underway
}

const (
	// firstDelay is the wait after one failure: a slip of the finger hardly notices.
	firstDelay = 250 * time.Millisecond
	// maxDoublings: beyond, any delay is at its maximum.
	maxDoublings = 24
	// maxTallied and maxBans bound memory to a few MiB. To flush an address out takes as
	// many others, each of which has paid for its failure.
	maxTallied = 10_000
	maxBans    = 10_000
)

// NewThrottle returns a Throttle that knows of no failure yet.
func NewThrottle(o ThrottleOptions) *Throttle {
	t := &Throttle{options: o, start: time.Now(), bans: make(map[netip.Prefix]Ban), underway: make(map[netip.Prefix]*underway)}
	keep := max(o.Failures, maxDoublings)
	t.addresses = newTally[netip.Prefix](o.Window, keep)
	t.accounts = newTally[string](o.Window, keep)
	return t
}

// Network is what counts as one address: whoever has an IPv6 address has all of its /64.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Prefix for the zero Addr
	return p
}

// ParseNetwork reads the address or the network of a ban: "192.0.2.1",
// "192.0.2.1/32", "2001:db8::1" (its /64) or "2001:db8::/64".
func ParseNetwork(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		if n := Network(p.Addr()); n == p {
			return n, nil
		}
		return netip.Prefix{}, errors.New("bans are on single IPv4 addresses and on IPv6 networks of length 64")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, errors.New("it is neither an address nor a network")
	}
	return Network(a), nil
}

// guard runs check unless the address is banned, after the wait that earlier
// failures have earned, and remembers its failure.
func (t *Throttle) guard(ctx context.Context, c Credentials, check func(context.Context, Credentials) (Identity, error)) (Identity, error) {
	if t == nil || t.exempt(c.Remote) {
		return check(ctx, c)
	}
	if err := t.wait(ctx, c); err != nil {
		return Identity{}, err
	}
	if err := t.begin(ctx, c.Remote); err != nil {
		return Identity{}, err
	}
	defer t.end(c.Remote) // also when a checker panics; after its failure counts
	id, err := check(ctx, c)
	// Who hangs up before the answer has guessed as well: a right password is
	// answered sooner than a wrong one.
	if errors.Is(err, ErrDenied) || err != nil && ctx.Err() != nil {
		t.failed(c)
	}
	return id, err
}

func (t *Throttle) exempt(a netip.Addr) bool {
	return Holds(t.options.Allow, a)
}

// wait holds a login back. A ban that begins meanwhile refuses it.
func (t *Throttle) wait(ctx context.Context, c Credentials) error {
	if _, banned := t.Banned(c.Remote); banned {
		return ErrBanned
	}
	d := t.delay(c)
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if _, banned := t.Banned(c.Remote); banned {
		return ErrBanned
	}
	return nil
}

func (t *Throttle) delay(c Credentials) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Since(t.start)
	n := max(t.addresses.count(Network(c.Remote), now), t.accounts.count(c.User, now))
	if n == 0 {
		return 0
	}
	return min(firstDelay<<(min(n, maxDoublings)-1), t.options.MaxDelay)
}

// failed counts a failure, and bans the address if that is one too many.
func (t *Throttle) failed(c Credentials) {
	t.mu.Lock()
	now, clock := time.Since(t.start), time.Now()
	if ValidUser(c.User) == nil { // also bounds its length
		t.accounts.add(c.User, now)
	}
	from := Network(c.Remote)
	if !from.IsValid() {
		t.mu.Unlock()
		return
	}
	n := t.addresses.add(from, now)
	b, banned := t.bans[from]
	banned = banned && clock.Before(b.Until) // those that were under way when it began
	begins := t.options.Failures > 0 && n >= t.options.Failures && !banned
	if begins {
		b = Ban{Network: from, Failures: n, Since: clock.Round(0), Until: clock.Add(t.options.Ban).Round(0)}
		t.ban(b)
		t.addresses.forget(from) // after the ban it begins anew
	}
	t.mu.Unlock()
	if begins && t.options.Banned != nil {
		t.options.Banned(b)
	}
}

// ban notes b. Called with mu held.
func (t *Throttle) ban(b Ban) {
	if _, known := t.bans[b.Network]; !known && len(t.bans) >= maxBans {
		var soonest Ban
		for _, x := range t.bans {
			if !soonest.Network.IsValid() || x.Until.Before(soonest.Until) {
				soonest = x
			}
		}
		delete(t.bans, soonest.Network)
	}
	t.bans[b.Network] = b
}

// Banned reports whether an address is banned, and how.
func (t *Throttle) Banned(a netip.Addr) (Ban, bool) {
	from := Network(a)
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.bans[from]
	if ok && !time.Now().Before(b.Until) {
		delete(t.bans, from)
		ok = false
	}
	return b, ok
}

// Bans returns the bans of this moment, those that end first at the front.
func (t *Throttle) Bans() []Ban {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Ban, 0, len(t.bans))
	for n, b := range t.bans {
		if now.Before(b.Until) {
			all = append(all, b)
		} else {
			delete(t.bans, n)
		}
	}
	slices.SortFunc(all, func(a, b Ban) int {
		return cmp.Or(a.Until.Compare(b.Until), a.Network.Compare(b.Network))
	})
	return all
}

// Lift ends the ban on a network, forgets its failures, and reports whether there was one.
func (t *Throttle) Lift(n netip.Prefix) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.bans[n]
	delete(t.bans, n)
	t.addresses.forget(n)
	return ok && time.Now().Before(b.Until)
}

// Restore brings back bans of an earlier run. Those that are over, that the
// allow-list now exempts, or that are none are passed over.
func (t *Throttle) Restore(bans []Ban) {
	if t.options.Failures == 0 {
		return
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range bans {
		if b.Network.IsValid() && Network(b.Network.Addr()) == b.Network && now.Before(b.Until) && !t.exempt(b.Network.Addr()) {
			t.ban(b)
		}
	}
}
