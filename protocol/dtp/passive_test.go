package dtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestReservedPeerIsServed(t *testing.T) {
	for _, c := range []struct{ name, local, peer string }{
		{"IPv4", "127.0.0.1", "127.0.0.1"},
		{"other local address", "127.0.0.2", "127.0.0.1"},
		{"mapped", "::ffff:127.0.0.1", "::ffff:127.0.0.1"},
		{"IPv6", "::1", "::1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			leavesNothing(t)
			local, peer := netip.MustParseAddr(c.local), netip.MustParseAddr(c.peer)
			p := newPassive(t, PassiveOptions{})
			r := reserve(t, p, local, peer)
			if s := p.Stats(); s.Listeners != 1 || s.Reservations != 1 {
				t.Fatalf("%+v", s)
			}
			client := connect(t, peer.Unmap(), netip.AddrPortFrom(local.Unmap(), r.Port()))
			same(t, accept(t, r), client)
			if s := p.Stats(); s.Reservations != 0 || s.Accepted != 1 || s.Resting != 0 {
				t.Fatalf("no reservation may stay after accept: %+v", s)
			}
		})
	}
}

// A stranger that connects first gets nothing and takes nothing away
// (CVE-1999-0351).
func TestPortTheft(t *testing.T) {
	leavesNothing(t)
	told := make(chan Rejection, 1)
	p := newPassive(t, PassiveOptions{Rejected: func(x Rejection) { told <- x }})
	r := reserve(t, p, local1, local1)
	at := netip.AddrPortFrom(local1, r.Port())
	thief := connect(t, local2, at)
	closedWithoutByte(t, thief)
	if got := <-told; got != (Rejection{Local: at, Peer: AddrPort(thief.LocalAddr()), Waiting: local1}) {
		t.Errorf("told of %+v", got)
	}
	client := connect(t, local1, at)
	same(t, accept(t, r), client)
	if s := p.Stats(); s.Rejected != 1 || s.Accepted != 1 {
		t.Errorf("%+v", s)
	}
}

func TestConnectionWithoutReservationIsClosed(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{})
	r := reserve(t, p, local1, local1)
	at := netip.AddrPortFrom(local1, r.Port())
	first := connect(t, local1, at)
	closedWithoutByte(t, connect(t, local1, at)) // one reservation, one connection
	same(t, accept(t, r), first)
	closedWithoutByte(t, connect(t, local1, at))
	released := reserve(t, p, local1, local1)
	released.Release()
	closedWithoutByte(t, connect(t, local1, netip.AddrPortFrom(local1, released.Port())))
}

func TestReleaseClosesWhatCame(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{})
	r := reserve(t, p, local1, local1)
	client := connect(t, local1, netip.AddrPortFrom(local1, r.Port()))
	eventually(t, "accepted", func() bool { return p.Stats().Accepted == 1 })
	r.Release()
	closedWithoutByte(t, client)
	r.Release()
}

// TestLateConnectionOfAReleased: what a client had on its way when its reservation was released is not
// taken for the connection of the next one, be it of the same session or another's.
func TestLateConnectionOfAReleased(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{Spread: 2})
	for range 200 {
		late := reserve(t, p, local1, local1)
		port := late.Port()
		late.Release() // as if its connection stood in the kernel's queue
		next := reserve(t, p, local1, local1)
		if next.Port() == port {
			t.Fatal("the port is given out again")
		}
		stray := connect(t, local1, netip.AddrPortFrom(local1, port))
		mine := connect(t, local1, netip.AddrPortFrom(local1, next.Port()))
		if c := accept(t, next); AddrPort(c.RemoteAddr()) != AddrPort(mine.LocalAddr()) {
			t.Fatal("another connection is taken")
		}
		closedWithoutByte(t, stray)
	}
	if n := p.Stats().Listeners; n > 2 {
		t.Errorf("%d listeners are opened for that", n)
	}
}

func TestRangeExhaustedAndRecovered(t *testing.T) {
	leavesNothing(t)
	first, last := freeRange(t, 3)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: last})
	var ports []uint16
	var held []*Reservation
	for range 3 {
		r := reserve(t, p, local1, local1)
		if r.Port() < first || r.Port() > last || slices.Contains(ports, r.Port()) {
			t.Fatalf("%d after %v in %d-%d", r.Port(), ports, first, last)
		}
		ports, held = append(ports, r.Port()), append(held, r)
	}
	for range 2 {
		if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
			t.Fatalf("%v", err)
		}
	}
	// Another peer has all of the same ports to itself.
	for range 3 {
		reserve(t, p, local1, local2)
	}
	if _, err := p.Reserve(local1, local2); !errors.Is(err, ErrNoPort) {
		t.Fatalf("%v", err)
	}
	if s := p.Stats(); s.Listeners != 3 || s.Reservations != 6 {
		t.Fatalf("%+v", s)
	}
	// A port comes free by release, and by accept.
	held[1].Release()
	if r := reserve(t, p, local1, local1); r.Port() != held[1].Port() {
		t.Fatalf("%d, not the free %d", r.Port(), held[1].Port())
	}
	connect(t, local1, netip.AddrPortFrom(local1, held[2].Port()))
	accept(t, held[2])
	if r := reserve(t, p, local1, local1); r.Port() != held[2].Port() {
		t.Fatalf("%d, not the free %d", r.Port(), held[2].Port())
	}
}

func TestPortInUseIsSkipped(t *testing.T) {
	leavesNothing(t)
	first, last := freeRange(t, 2)
	c := &clock{time.Now()}
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: last})
	p.now = c.now
	var others []net.Listener
	occupy := func(port uint16) {
		l, err := net.Listen("tcp", netip.AddrPortFrom(local1, port).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		others = append(others, l)
	}
	occupy(first)
	r := reserve(t, p, local1, local1)
	if r.Port() != last {
		t.Fatalf("%d", r.Port())
	}
	if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
		t.Fatalf("%v", err)
	}
	others[0].Close()
	if r := reserve(t, p, local1, local1); r.Port() != first {
		t.Fatalf("%d", r.Port())
	}
}

func TestPortsAreNotMonotone(t *testing.T) {
	leavesNothing(t)
	first, last := freeRange(t, 100)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: last})
	var ports []uint16
	up, down := 0, 0
	for i := range 100 {
		r := reserve(t, p, local1, local1)
		connect(t, local1, netip.AddrPortFrom(local1, r.Port()))
		accept(t, r)
		ports = append(ports, r.Port())
		if i > 0 && ports[i] > ports[i-1] {
			up++
		} else if i > 0 && ports[i] < ports[i-1] {
			down++
		}
	}
	slices.Sort(ports)
	if n := len(slices.Compact(ports)); up < 20 || down < 20 || n < 10 {
		t.Errorf("up %d, down %d, %d different ports", up, down, n)
	}
	if n := p.Stats().Listeners; n > DefaultSpread {
		t.Errorf("%d listeners for one peer at a time", n)
	}
}

// The ports that are opened one after the other are no sequence either.
func TestOpenedPortsAreNoSequence(t *testing.T) {
	leavesNothing(t)
	first, last := freeRange(t, 100)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: last})
	next, before := 0, uint16(0)
	for range 10 {
		r := reserve(t, p, local1, local1)
		if r.Port() == before+1 {
			next++
		}
		before = r.Port()
	}
	if next > 5 {
		t.Errorf("%d of 10 ports follow the one before", next)
	}
}

func TestSpread(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{Spread: 2})
	for range 5 {
		reserve(t, p, local1, local1)
	}
	// Free listeners are shared before another one is opened.
	for range 5 {
		reserve(t, p, local1, local2)
	}
	if n := p.Stats().Listeners; n != 5 {
		t.Errorf("%d listeners", n)
	}
	// Every local address has its own.
	r := reserve(t, p, local2, local1)
	if n := p.Stats().Listeners; n != 6 {
		t.Errorf("%d listeners", n)
	}
	if c, err := tryConnect(local1, netip.AddrPortFrom(local6, r.Port())); err == nil {
		c.Close()
		t.Error("listens on an address it was not asked for")
	}
}

func TestIdleListenerCloses(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{Idle: time.Millisecond})
	r := reserve(t, p, local1, local1)
	l := r.listener
	r.Release()
	select {
	case <-l.done:
	case <-time.After(patience):
		t.Fatal("still open")
	}
	if s := p.Stats(); s.Listeners != 0 {
		t.Errorf("%+v", s)
	}
	if c, err := tryConnect(local1, l.addr); err == nil {
		c.Close()
		t.Error("still listening")
	}
	again := reserve(t, p, local1, local1)
	connect(t, local1, netip.AddrPortFrom(local1, again.Port()))
	accept(t, again)
}

func TestIdleCountsFromTheLastUse(t *testing.T) {
	leavesNothing(t)
	c := &clock{time.Now()}
	p := newPassive(t, PassiveOptions{Idle: time.Hour})
	p.now = c.now
	r := reserve(t, p, local1, local1)
	c.t = c.t.Add(3 * time.Hour)
	if _, over := r.listener.retire(); over {
		t.Fatal("closed although reserved")
	}
	r.Release()
	c.t = c.t.Add(20 * time.Minute)
	if left, over := r.listener.retire(); over || left != 40*time.Minute {
		t.Fatalf("%v %v", left, over)
	}
	c.t = c.t.Add(40 * time.Minute)
	if _, over := r.listener.retire(); !over {
		t.Fatal("still open")
	}
}

func TestPairRests(t *testing.T) {
	for _, how := range []string{"timeout", "abort"} {
		t.Run(how, func(t *testing.T) {
			leavesNothing(t)
			first, _ := freeRange(t, 1)
			c := &clock{time.Now()}
			p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first})
			p.now = c.now
			r := reserve(t, p, local1, local1)
			var ctx context.Context
			var want error
			if how == "timeout" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
				defer cancel()
				want = context.DeadlineExceeded
			} else {
				var cancel context.CancelCauseFunc
				ctx, cancel = context.WithCancelCause(context.Background())
				want = errors.New("ABOR")
				cancel(want)
			}
			if _, err := r.Accept(ctx); !errors.Is(err, want) {
				t.Fatalf("%v", err)
			}
			if s := p.Stats(); s.Reservations != 0 || s.Resting != 1 {
				t.Fatalf("%+v", s)
			}
			// The late connection is nobody's.
			closedWithoutByte(t, connect(t, local1, netip.AddrPortFrom(local1, first)))
			if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
				t.Fatalf("%v", err)
			}
			reserve(t, p, local1, local2) // the port rests for this peer only
			c.t = c.t.Add(DefaultRest - 1)
			if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
				t.Fatalf("%v", err)
			}
			c.t = c.t.Add(1)
			reserve(t, p, local1, local1)
			if s := p.Stats(); s.Resting != 0 || p.resting.len() != 0 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestCloseEndsReservations(t *testing.T) {
	leavesNothing(t)
	p := NewPassive(PassiveOptions{})
	waiting, came, idle := reserve(t, p, local1, local1), reserve(t, p, local1, local1), reserve(t, p, local1, local1)
	client := connect(t, local1, netip.AddrPortFrom(local1, came.Port()))
	eventually(t, "accepted", func() bool { return p.Stats().Accepted == 1 })
	failed := make(chan error)
	go func() {
		_, err := waiting.Accept(context.Background())
		failed <- err
	}()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := idle.Accept(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	same(t, accept(t, came), client)
	if _, err := p.Reserve(local1, local1); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Many sessions of one address at once: each gets its own client and nobody
// else's.
func TestSessionsOfOneAddress(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for k := range 20 {
				if err := exchange(p, fmt.Sprintf("%02d %02d", i, k)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if s := p.Stats(); s.Reservations != 0 || s.Accepted != 32*20 || s.Rejected != 0 {
		t.Errorf("%+v", s)
	}
}

func exchange(p *Passive, text string) error {
	r, err := p.Reserve(local1, local1)
	if err != nil {
		return err
	}
	defer r.Release()
	client, err := tryConnect(local1, netip.AddrPortFrom(local1, r.Port()))
	if err != nil {
		return err
	}
	defer client.Close()
	io.WriteString(client, text)
	client.CloseWrite()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := r.Accept(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	got, err := io.ReadAll(server)
	if err == nil && string(got) != text {
		err = fmt.Errorf("%q instead of %q", got, text)
	}
	return err
}

func BenchmarkReserveRelease(b *testing.B) {
	p := NewPassive(PassiveOptions{})
	defer p.Close()
	for range DefaultSpread {
		r, _ := p.Reserve(local1, local2)
		defer r.Release()
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := p.Reserve(local1, local1)
		if err != nil {
			b.Fatal(err)
		}
		r.Release()
	}
}

// BenchmarkReserveAccept includes the client, in this process.
func BenchmarkReserveAccept(b *testing.B) {
	p := NewPassive(PassiveOptions{})
	defer p.Close()
	b.ReportAllocs()
	for b.Loop() {
		r, err := p.Reserve(local1, local1)
		if err != nil {
			b.Fatal(err)
		}
		client, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(netip.AddrPortFrom(local1, r.Port())))
		if err != nil {
			b.Fatal(err)
		}
		server, err := r.Accept(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		server.SetLinger(0)
		server.Close()
		client.Close()
	}
}
