package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// door is a portal with one user, alice, whose password is right, and a throttle.
type door struct {
	*Portal
	checked int // passwords looked at
	bans    []Ban
}

func (d *door) Check(ctx context.Context, c Credentials) (Identity, error) {
	d.checked++
	switch {
	case c.Password == "hang":
		<-ctx.Done()
		return Identity{}, context.Cause(ctx)
	case c.Password == "busy":
		return Identity{}, ErrBusy
	case c.User != "alice":
		return Identity{}, ErrUnknownUser
	case c.Password != "right":
		return Identity{}, ErrDenied
	}
	return Identity{User: "alice"}, nil
}

func newDoor(o ThrottleOptions) *door {
	d := &door{}
	o.Banned = func(b Ban) { d.bans = append(d.bans, b) }
	d.Portal = &Portal{Throttle: NewThrottle(o), Checkers: []Checker{&Anonymous{}, d}}
	return d
}

// try logs in and returns how long the answer took.
func (d *door) try(t *testing.T, user, password, from string, want error) time.Duration {
	t.Helper()
	start := time.Now()
	_, err := d.Login(t.Context(), Credentials{User: user, Password: password, Remote: netip.MustParseAddr(from)})
	if !errors.Is(err, want) || want == ErrDenied && errors.Is(err, ErrBanned) {
		t.Fatalf("%s %s from %s: %v, want %v", user, password, from, err, want)
	}
	return time.Since(start)
}

var usual = ThrottleOptions{Failures: 5, Window: 10 * time.Minute, Ban: time.Hour, MaxDelay: 3 * time.Second}

// THREATS 13: the fifth failure is the last for an hour, with whatever password, in IPv6 for all of the /64.
func TestThrottleBansAddresses(t *testing.T) {
	for _, x := range []struct{ from, same, other, name string }{
		{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1", "2001:db8::/64"},
		{"fe80::1%eth0", "fe80::2%eth1", "fe80:0:0:1::1", "fe80::/64"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDoor(usual)
			for i := range 5 {
				if len(d.bans) != 0 {
					t.Errorf("%s: banned after %d failures", x.from, i)
				}
				d.try(t, []string{"alice", "bob", "../x"}[i%3], "wrong", x.from, ErrDenied)
			}
			began := time.Now()
			if len(d.bans) != 1 || d.bans[0].Name() != x.name || d.bans[0].Failures != 5 || !d.bans[0].Until.Equal(began.Add(time.Hour)) {
				t.Fatalf("%s: told of %+v", x.from, d.bans)
			}
			before := d.checked
			for _, from := range []string{x.from, x.same} {
				if _, banned := d.Throttle.Banned(netip.MustParseAddr(from)); !banned {
					t.Errorf("%s is not banned", from)
				}
				if took := d.try(t, "alice", "right", from, ErrBanned); took != 0 {
					t.Errorf("refused after %v", took)
				}
			}
			if d.checked != before {
				t.Error("a password from a banned address was looked at")
			}
			d.try(t, "alice", "right", x.other, nil)
			if got := d.Throttle.Bans(); !reflect.DeepEqual(got, d.bans) {
				t.Errorf("the list is %+v", got)
			}

			time.Sleep(time.Until(began.Add(time.Hour)))
			d.try(t, "alice", "right", x.from, nil)
			if got := d.Throttle.Bans(); len(got) != 0 || len(d.bans) != 1 {
				t.Errorf("the list is %+v", got)
			}
		})
	}
}

// Failures count for the length of the window, wherever it begins.
func TestThrottleWindowSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(usual)
		for range 20 { // 4 in any 10 minutes
			d.try(t, "alice", "wrong", "192.0.2.1", ErrDenied)
			time.Sleep(150 * time.Second)
		}
		if len(d.bans) != 0 {
			t.Fatalf("banned: %+v", d.bans)
		}
		d.try(t, "alice", "wrong", "192.0.2.1", ErrDenied)
		if len(d.bans) != 0 {
			t.Fatal("4 failures in 10 minutes are banned")
		}
		d.try(t, "alice", "wrong", "192.0.2.1", ErrDenied)
		if len(d.bans) != 1 {
			t.Fatal("5 failures in 10 minutes are not banned")
		}
	})
}

// Each failure doubles the wait before the next login is looked at, right or wrong, up to a limit.
func TestThrottleDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := usual
		o.Failures = 100
		d := newDoor(o)
		for _, ms := range []int{0, 250, 500, 1000, 2000, 3000, 3000} {
			if took := d.try(t, "bob", "wrong", "192.0.2.1", ErrDenied); took != time.Duration(ms)*time.Millisecond {
				t.Errorf("answered after %v, want %d ms", took, ms)
			}
		}
		if took := d.try(t, "alice", "right", "192.0.2.1", nil); took != 3*time.Second {
			t.Errorf("a right password after %v", took)
		}
		// By account: other addresses wait as well, and never longer; for other accounts they do not.
		if took := d.try(t, "bob", "wrong", "192.0.2.2", ErrDenied); took != 3*time.Second {
			t.Errorf("from elsewhere after %v", took)
		}
		if took := d.try(t, "alice", "right", "192.0.2.3", nil); took != 0 {
			t.Errorf("another account waits %v", took)
		}
		time.Sleep(10 * time.Minute)
		if took := d.try(t, "bob", "wrong", "192.0.2.1", ErrDenied); took != 0 {
			t.Errorf("after the window %v", took)
		}
	})
}

// THREATS 12: whether the account exists makes no difference to the wait.
func TestThrottleTreatsUnknownUsersAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := usual
		o.Failures = 0
		d := newDoor(o)
		for i := range 8 {
			known := d.try(t, "alice", "wrong", fmt.Sprintf("192.0.2.%d", 1+i), ErrDenied)
			unknown := d.try(t, "nobody", "wrong", fmt.Sprintf("198.51.100.%d", 1+i), ErrDenied)
			if known != unknown {
				t.Errorf("known after %v, unknown after %v", known, unknown)
			}
		}
	})
}

// Strangers can slow an account down and never lock it.
func TestThrottleNeverLocksAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(usual)
		for i := range 1000 {
			d.try(t, "alice", "wrong", fmt.Sprintf("198.51.%d.%d", i/200, i%200), ErrDenied)
		}
		if took := d.try(t, "alice", "right", "192.0.2.1", nil); took != usual.MaxDelay {
			t.Errorf("logged in after %v", took)
		}
		if len(d.bans) != 0 {
			t.Errorf("banned %v", d.bans)
		}
	})
}

// To hang up is no way to guess for free: not before the wait is over, and not before the answer.
func TestThrottleCountsWhoHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(usual)
		attempt := func(patience time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, err := d.Login(ctx, Credentials{User: "alice", Password: "hang", Remote: netip.MustParseAddr("192.0.2.1")}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
		attempt(time.Second)
		attempt(100 * time.Millisecond) // within the wait of 250 ms
		if d.checked != 1 {
			t.Errorf("%d passwords were looked at", d.checked)
		}
		for range 4 {
			attempt(time.Minute)
		}
		if len(d.bans) != 1 {
			t.Error("not banned")
		}
	})
}

// Logins that wait when the ban begins are refused unseen.
func TestThrottleRefusesThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(usual)
		for range 4 {
			d.try(t, "alice", "wrong", "192.0.2.1", ErrDenied)
		}
		var all sync.WaitGroup
		refused := make([]error, 20)
		for i := range refused {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				_, refused[i] = d.Login(t.Context(), Credentials{User: "alice", Password: "wrong", Remote: netip.MustParseAddr("192.0.2.1")})
			})
		}
		all.Wait()
		if d.checked != 5 || len(d.bans) != 1 {
			t.Errorf("%d passwords were looked at, bans %v", d.checked, d.bans)
		}
		for _, err := range refused[1:] {
			if !errors.Is(err, ErrBanned) {
				t.Error(err)
			}
		}
	})
}

// Logins that come all at once are no more guesses than others: as many are looked at as may
// fail. With the right password all of them get in, by and by.
func TestThrottleBoundsGuessesAtOnce(t *testing.T) {
	for _, addresses := range []string{"192.0.2.1", "2001:db8::%x"} {
		for password, want := range map[string]error{"wrong": ErrBanned, "right": nil} {
			synctest.Test(t, func(t *testing.T) {
				o := usual
				k := &slowChecker{}
				p := &Portal{Throttle: NewThrottle(o), Checkers: []Checker{k}}
				const n = 100
				results := make([]error, n)
				var all sync.WaitGroup
				for i := range n {
					from := addresses
					if strings.Contains(from, "%") {
						from = fmt.Sprintf(addresses, i)
					}
					all.Go(func() {
						_, results[i] = p.Login(t.Context(), Credentials{User: "alice", Password: password, Remote: netip.MustParseAddr(from)})
					})
				}
				all.Wait()
				other := 0
				for _, err := range results {
					if !errors.Is(err, want) {
						other++
					}
				}
				switch {
				case want == nil && (other != 0 || k.peak.Load() > int32(o.Failures)):
					t.Errorf("%s: %d were refused, and %d passwords were looked at at once", addresses, other, k.peak.Load())
				case want != nil && (other != o.Failures || int(k.checked.Load()) != o.Failures):
					t.Errorf("%s: %d passwords were looked at, %d not refused unseen", addresses, k.checked.Load(), other)
				}
				if len(p.Throttle.underway) != 0 {
					t.Errorf("%d addresses are remembered", len(p.Throttle.underway))
				}
			})
		}
	}
}

// Who hangs up while others of the address are looked at has tried nothing, and is forgotten.
func TestThrottleForgetsWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &slowChecker{}
		p := &Portal{Throttle: NewThrottle(usual), Checkers: []Checker{k}}
		c := Credentials{User: "alice", Password: "right", Remote: netip.MustParseAddr("192.0.2.1")}
		var all sync.WaitGroup
		for range usual.Failures {
			all.Go(func() {
				if _, err := p.Login(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := p.Login(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		all.Wait()
		if n := k.checked.Load(); int(n) != usual.Failures || len(p.Throttle.underway) != 0 {
			t.Errorf("%d passwords were looked at, and %d addresses are remembered", n, len(p.Throttle.underway))
		}
	})
}

// slowChecker knows one password, and takes a second to compare it.
type slowChecker struct{ checked, running, peak atomic.Int32 }

func (k *slowChecker) Check(_ context.Context, c Credentials) (Identity, error) {
	k.checked.Add(1)
	k.peak.Store(max(k.peak.Load(), k.running.Add(1)))
	defer k.running.Add(-1)
	time.Sleep(time.Second)
	if c.Password != "right" {
		return Identity{}, ErrDenied
	}
	return Identity{User: c.User}, nil
}

// Anonymous logins, allowed networks and full queues neither wait nor count.
func TestThrottleExempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := usual
		o.Failures = 1
		o.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		d := newDoor(o)
		for range 10 {
			for _, took := range []time.Duration{
				d.try(t, "Anonymous", "wrong", "192.0.2.1", nil),
				d.try(t, "alice", "wrong", "10.1.2.3", ErrDenied),
				d.try(t, "alice", "busy", "192.0.2.2", ErrBusy),
			} {
				if took != 0 {
					t.Errorf("answered after %v", took)
				}
			}
		}
		if len(d.bans) != 0 {
			t.Errorf("banned: %v", d.bans)
		}
		for range 3 { // from where others fail
			d.Throttle.failed(Credentials{User: "anonymous"})
		}
		if took := d.try(t, "anonymous", "x", "192.0.2.1", nil); took != 0 {
			t.Errorf("a guest waits %v", took)
		}
	})
}

// Without an address (a pipe) only the account counts.
func TestThrottleWithoutAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(usual)
		for range 10 {
			if _, err := d.Login(t.Context(), Credentials{User: "alice", Password: "wrong"}); !errors.Is(err, ErrDenied) || errors.Is(err, ErrBanned) {
				t.Error(err)
			}
		}
		if len(d.bans) != 0 {
			t.Errorf("banned: %v", d.bans)
		}
	})
}

func TestThrottleLift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(usual)
		for range 5 {
			d.try(t, "bob", "wrong", "2001:db8::1", ErrDenied)
		}
		n, err := ParseNetwork("2001:db8::2")
		if err != nil || !d.Throttle.Lift(n) || d.Throttle.Lift(n) || len(d.Throttle.Bans()) != 0 {
			t.Errorf("%v %v %v", n, err, d.Throttle.Bans())
		}
		if took := d.try(t, "alice", "right", "2001:db8::1", nil); took != 0 {
			t.Errorf("after lifting, the address waits %v", took)
		}
		if len(d.bans) != 1 {
			t.Errorf("told of %v", d.bans)
		}
	})
}

func TestThrottleRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := usual
		o.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		d := newDoor(o)
		soon, late := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
		good := []Ban{
			{Network: netip.MustParsePrefix("192.0.2.2/32"), Until: soon},
			{Network: netip.MustParsePrefix("192.0.2.1/32"), Until: late},
			{Network: netip.MustParsePrefix("2001:db8::/64"), Until: late},
		}
		d.Throttle.Restore(append([]Ban{
			{},
			{Network: netip.MustParsePrefix("0.0.0.0/0"), Until: late},
			{Network: netip.MustParsePrefix("192.0.2.0/24"), Until: late},
			{Network: netip.MustParsePrefix("2001:db8::1/128"), Until: late},
			{Network: netip.MustParsePrefix("192.0.2.9/32"), Until: time.Now()},
			{Network: netip.MustParsePrefix("10.0.0.1/32"), Until: late},
		}, good...))
		if got := d.Throttle.Bans(); !reflect.DeepEqual(got, good) {
			t.Errorf("got %v", got)
		}
		d.try(t, "alice", "right", "192.0.2.1", ErrBanned)
	})
}

// THREATS 23: what is remembered is bounded, whatever comes.
func TestThrottleIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := usual
		o.Failures, o.MaxDelay = 2, 0
		d := newDoor(o)
		last := netip.MustParseAddr("198.18.0.0")
		for i := range 2*maxBans + 200 {
			last = last.Next()
			for range 1 + i%2 { // every other address is banned
				d.try(t, fmt.Sprintf("user%d", i), "wrong", last.String(), ErrDenied)
			}
		}
		for range 200 {
			last = last.Next()
			d.Throttle.mu.Lock()
			d.Throttle.ban(Ban{Network: Network(last), Until: time.Now().Add(time.Minute)})
			d.Throttle.mu.Unlock()
		}
		d.try(t, "x", "wrong", "192.0.2.1", ErrDenied)
		h := d.Throttle
		if len(h.addresses.keys) > maxTallied || h.addresses.order.Len() != len(h.addresses.keys) ||
			len(h.accounts.keys) > maxTallied || h.accounts.order.Len() != len(h.accounts.keys) || len(h.bans) > maxBans {
			t.Errorf("%d addresses (%d), %d accounts (%d), %d bans", len(h.addresses.keys), h.addresses.order.Len(),
				len(h.accounts.keys), h.accounts.order.Len(), len(h.bans))
		}
		if h.addresses.count(Network(netip.MustParseAddr("192.0.2.1")), time.Since(h.start)) != 1 {
			t.Error("the latest failure is forgotten")
		}
		for range 1000 { // nor do the failures of one grow
			h.accounts.add("x", time.Since(h.start))
		}
		if n := h.accounts.count("x", time.Since(h.start)); n > maxDoublings {
			t.Errorf("%d failures of one account", n)
		}
	})
}

func TestParseNetwork(t *testing.T) {
	for s, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "192.0.2.1/32": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1": "2001:db8::/64", "2001:db8::/64": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
		"": "", "x": "", "192.0.2.0/24": "", "2001:db8::/32": "", "2001:db8::1/64": "", "0.0.0.0/0": "",
	} {
		n, err := ParseNetwork(s)
		if (err == nil) != (want != "") || want != "" && n.String() != want {
			t.Errorf("%q: %v, %v", s, n, err)
		}
	}
}
