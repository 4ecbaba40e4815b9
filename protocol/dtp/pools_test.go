package dtp

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// The tests' pool is 127.1.0.0/16; every address of 127.0.0.0/8 is this machine.
var (
	pools = []netip.Prefix{netip.MustParsePrefix("127.1.0.0/16"), netip.MustParsePrefix("127.2.0.0/16")}
	inA1  = netip.MustParseAddr("127.1.0.1")
	inA2  = netip.MustParseAddr("127.1.2.3")
	inB   = netip.MustParseAddr("127.2.0.1")
)

// A client whose two connections come from different addresses of one pool is served,
// and nobody else for it: not from outside, and not from another pool.
func TestPool(t *testing.T) {
	leavesNothing(t)
	told := make(chan Rejection, 2)
	p := newPassive(t, PassiveOptions{Pools: pools, Rejected: func(x Rejection) { told <- x }})
	r := reserve(t, p, local1, inA1)
	at := netip.AddrPortFrom(local1, r.Port())
	for _, thief := range []netip.Addr{local2, inB} {
		closedWithoutByte(t, connect(t, thief, at))
		if got := <-told; got.Peer.Addr() != thief || got.Waiting != inA1 {
			t.Errorf("told of %+v", got)
		}
	}
	c := connect(t, inA2, at)
	same(t, accept(t, r), c)
	// And the pool is no peer of somebody outside.
	outside := reserve(t, p, local1, local2)
	closedWithoutByte(t, connect(t, inA1, netip.AddrPortFrom(local1, outside.Port())))
}

// On one port exactly one reservation fits a connection from a pool: two clients of
// one pool never share a port, or the one could get the other's file.
func TestPoolNeverSharesPort(t *testing.T) {
	leavesNothing(t)
	first, last := freeRange(t, 2)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: last, Pools: pools})
	one, two := reserve(t, p, local1, inA1), reserve(t, p, local1, inA2)
	if one.Port() == two.Port() {
		t.Fatal("two clients of one pool share a port")
	}
	var full *NoPortError
	if _, err := p.Reserve(local1, netip.MustParseAddr("127.1.9.9")); !errors.As(err, &full) || full.Reserved != 2 {
		t.Fatalf("%v", err)
	}
	reserve(t, p, local1, inB) // another pool has all of the same ports
	// Each gets its own connection, from whatever address of the pool it comes.
	c2 := connect(t, inA1, netip.AddrPortFrom(local1, two.Port()))
	c1 := connect(t, inA2, netip.AddrPortFrom(local1, one.Port()))
	same(t, accept(t, one), c1)
	same(t, accept(t, two), c2)
}

// A late connection of a pool may come from any of its addresses, so the port rests for
// all of them.
func TestPoolRests(t *testing.T) {
	leavesNothing(t)
	first, _ := freeRange(t, 1)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first, Pools: pools})
	r := reserve(t, p, local1, inA1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Accept(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var full *NoPortError
	if _, err := p.Reserve(local1, inA2); !errors.As(err, &full) || full.Resting != 1 {
		t.Fatalf("%v", err)
	}
	reserve(t, p, local1, inB)
}

// Pools are about passive connections only: no address but the control
// connection's own is ever dialled.
func TestPoolIsNoTarget(t *testing.T) {
	c := NewChannel(newPassive(t, PassiveOptions{Pools: pools}), netip.AddrPortFrom(local1, 21), netip.AddrPortFrom(inA1, 5000))
	if err := c.Active(netip.AddrPortFrom(inA2, 5001)); !errors.Is(err, ErrForeignPeer) {
		t.Errorf("%v", err)
	}
}

// Pools and proxies go together: the addresses compared are those in the headers.
func TestPoolBehindProxy(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{Proxies: proxies2, Pools: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}})
	r := reserve(t, p, local1, client4.Addr())
	at := netip.AddrPortFrom(local1, r.Port())
	c := connect(t, local2, at)
	c.Write([]byte(header(t, 1, netip.MustParseAddrPort("198.51.100.9:1"), reached4)))
	closedWithoutByte(t, c)
	c = connect(t, local2, at)
	c.Write([]byte(header(t, 1, netip.MustParseAddrPort("203.0.113.99:1"), reached4)))
	same(t, accept(t, r), c)
}

// Who waited in vain learns that somebody else came, and from where; and only what
// came while it waited.
func TestStrangerIsNamed(t *testing.T) {
	leavesNothing(t)
	first, _ := freeRange(t, 1)
	c := &clock{time.Now()}
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first})
	p.now = c.now
	at := netip.AddrPortFrom(local1, first)
	wait := func() error {
		r := reserve(t, p, local1, local1)
		for range 2 {
			closedWithoutByte(t, connect(t, local2, at))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err := r.Accept(ctx)
		return err
	}
	var x *StrangerError
	if err := wait(); !errors.As(err, &x) || x.Waiting != local1 || x.Came != local2 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	c.t = c.t.Add(DefaultRest)
	r := reserve(t, p, local1, local1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := r.Accept(ctx); errors.As(err, &x) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody came this time: %v", err)
	}
}
