package dtp

import (
	"net/netip"
	"testing"
	"time"
)

// TestRestsEndInOrder: a pair that rests again and again keeps no other from ending its rest, and
// nothing of the others stays.
func TestRestsEndInOrder(t *testing.T) {
	const rest = 5 * time.Second
	var r rests
	now := time.Unix(0, 0)
	port := netip.MustParseAddrPort("127.0.0.1:1")
	often := pair{port, netip.MustParseAddr("127.0.0.1")}
	peer := netip.MustParseAddr("fd00::1")
	for i := range 1000 {
		r.add(often, now.Add(rest))
		r.add(pair{port, peer}, now.Add(rest))
		if i%2 == 0 {
			peer = peer.Next()
		}
		now = now.Add(time.Second)
		r.wake(now)
		if n := r.len(); n > 6 {
			t.Fatalf("%d pairs rest after %v", n, now.Sub(time.Unix(0, 0)))
		}
		if !r.has(often) {
			t.Fatal("it does not rest any more")
		}
	}
	if r.wake(now.Add(rest)); r.len() != 0 || r.has(often) {
		t.Errorf("%d pairs rest at the end", r.len())
	}
}

// TestReservingForNothingHoldsNothing: one client that sets up connections without end and uses none
// leaves nothing behind of the other clients that have done so once.
func TestReservingForNothingHoldsNothing(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{Spread: 1})
	c := &clock{time.Now()}
	p.now = c.now
	reserve(t, p, local1, local1).Release()
	other := netip.MustParseAddr("127.0.1.1")
	for range 100 {
		c.t = c.t.Add(DefaultRest / 10)
		reserve(t, p, local1, local1).Release()
		other = other.Next()
		reserve(t, p, local1, other).Release()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.doubtful.len(); n > 12 {
		t.Errorf("%d pairs are doubtful, though all but a few were released long ago", n)
	}
}
