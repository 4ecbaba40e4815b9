package dtp

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	proxies2 = []netip.Prefix{netip.PrefixFrom(local2, 32)} // local2 is a proxy's address
	local3   = netip.MustParseAddr("127.0.0.3")
)

// A connection through a proxy belongs to the client that the header names, and
// what follows the header, in the same segment too, is the client's data.
func TestPassiveThroughProxy(t *testing.T) {
	for _, version := range []byte{1, 2} {
		leavesNothing(t)
		p := newPassive(t, PassiveOptions{Proxies: proxies2})
		r := reserve(t, p, local1, client4.Addr())
		// The destination is the proxy's front and says nothing about us.
		text := strings.Repeat("data ", 100_000)
		c := connect(t, local2, netip.AddrPortFrom(local1, r.Port()))
		go func() {
			io.WriteString(c, header(t, version, netip.AddrPortFrom(client4.Addr(), 555), reached4)+text)
			c.CloseWrite()
		}()
		x := &Transfer{Conn: accept(t, r), Stall: patience}
		name := filepath.Join(t.TempDir(), "f")
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := x.Receive(context.Background(), f, f); err != nil { // by the kernel, where it can
			t.Fatal(err)
		}
		x.Close()
		if got, _ := os.ReadFile(name); string(got) != text {
			t.Errorf("received %d bytes instead of %d, %.20q", len(got), len(text), got)
		}
		if s := p.Stats(); s.Accepted != 1 || s.Rejected != 0 || s.Reservations != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// A header from elsewhere is not read (THREATS 2): it gains nothing that
// the sender's own address has not.
func TestSpoofedHeaderOnData(t *testing.T) {
	leavesNothing(t)
	told := make(chan Rejection, 1)
	p := newPassive(t, PassiveOptions{Proxies: proxies2, Rejected: func(x Rejection) { told <- x }})
	r := reserve(t, p, local1, client4.Addr())
	at := netip.AddrPortFrom(local1, r.Port())
	spoofed := header(t, 1, client4, reached4)
	thief := connect(t, local3, at)
	io.WriteString(thief, spoofed)
	closedWithoutByte(t, thief)
	if got := <-told; got.Peer != AddrPort(thief.LocalAddr()) || got.Waiting != client4.Addr() || got.Err != nil {
		t.Errorf("told of %+v", got)
	}
	// The client itself, past the proxy, gets its header stored as what it is: data.
	own := reserve(t, p, local1, local3)
	c := connect(t, local3, netip.AddrPortFrom(local1, own.Port()))
	io.WriteString(c, spoofed)
	c.CloseWrite()
	if got, err := io.ReadAll(accept(t, own)); err != nil || string(got) != spoofed {
		t.Errorf("%q %v", got, err)
	}
	// The rightful one is still served.
	c = connect(t, local2, at)
	io.WriteString(c, spoofed)
	same(t, accept(t, r), c)
}

// Through a proxy a stranger is a stranger, too.
func TestPortTheftThroughProxy(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{Proxies: proxies2})
	r := reserve(t, p, local1, client4.Addr())
	at := netip.AddrPortFrom(local1, r.Port())
	thief := connect(t, local2, at)
	io.WriteString(thief, header(t, 2, netip.MustParseAddrPort("203.0.113.6:1"), reached4))
	closedWithoutByte(t, thief)
	c := connect(t, local2, at)
	io.WriteString(c, header(t, 2, client4, reached4))
	same(t, accept(t, r), c)
}

// A proxy that sends no header is nobody, even where its own address is waited for.
func TestProxyWithoutHeader(t *testing.T) {
	for name, x := range map[string]struct {
		sent string
		ends bool
		told error
	}{
		"silence":      {"", false, errHeaderTimeout},
		"data":         {strings.Repeat("data", 10), false, errHeaderMissing},
		"half of one":  {"PROXY TCP4 203.", false, errHeaderTimeout},
		"health probe": {"", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			told := make(chan Rejection, 1)
			timeout := time.Hour
			if x.told == errHeaderTimeout { //nolint:errorlint // of the table
				timeout = 20 * time.Millisecond
			}
			p := newPassive(t, PassiveOptions{Proxies: proxies2, HeaderTimeout: timeout, Rejected: func(x Rejection) { told <- x }})
			r := reserve(t, p, local1, local2)
			c := connect(t, local2, netip.AddrPortFrom(local1, r.Port()))
			io.WriteString(c, x.sent)
			if x.ends {
				c.CloseWrite()
			}
			closedWithoutByte(t, c)
			eventually(t, "rejected", func() bool { return p.Stats().Rejected == 1 })
			if x.told != nil {
				if got := <-told; !errors.Is(got.Err, x.told) {
					t.Errorf("told of %+v", got)
				}
			}
			p.Close()
			if len(told) > 0 {
				t.Errorf("told of %+v", <-told)
			}
		})
	}
}

// LOCAL is the proxy itself: it may log in and transfer like anybody, and when it only
// looks whether we live, nobody is told.
func TestProxyItself(t *testing.T) {
	leavesNothing(t)
	told := make(chan Rejection, 2)
	p := newPassive(t, PassiveOptions{Proxies: proxies2, Rejected: func(x Rejection) { told <- x }})
	r := reserve(t, p, local1, local2)
	at := netip.AddrPortFrom(local1, r.Port())
	c := connect(t, local2, at)
	io.WriteString(c, local2x)
	same(t, accept(t, r), c)
	other := reserve(t, p, local1, client4.Addr())
	c = connect(t, local2, netip.AddrPortFrom(local1, other.Port()))
	io.WriteString(c, "PROXY UNKNOWN\r\n")
	closedWithoutByte(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var x *StrangerError
	if _, err := other.Accept(ctx); errors.As(err, &x) {
		t.Errorf("a probe is taken for a stranger: %v", err)
	}
	p.Close()
	if len(told) > 0 {
		t.Errorf("told of %+v", <-told)
	}
}

// Connections that never send their header hold nobody up (THREATS 18): neither those who
// come without a proxy nor those who come through one, nor Close.
func TestSlowHeaderBlocksNobody(t *testing.T) {
	leavesNothing(t)
	first, _ := freeRange(t, 1)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first, Proxies: proxies2, HeaderTimeout: time.Hour})
	p.proxies.most = 20
	at := netip.AddrPortFrom(local1, first)
	direct, behind := reserve(t, p, local1, local1), reserve(t, p, local1, client4.Addr())
	for i := range p.proxies.most - 1 {
		io.WriteString(connect(t, local2, at), "PROXY TCP4"[:i%10])
	}
	eventually(t, "all are asked", func() bool {
		p.proxies.mu.Lock()
		defer p.proxies.mu.Unlock()
		return len(p.proxies.asked) == p.proxies.most-1
	})
	c := connect(t, local1, at)
	same(t, accept(t, direct), c)
	c = connect(t, local2, at)
	io.WriteString(c, header(t, 1, client4, reached4))
	same(t, accept(t, behind), c)
	// With the last place taken, one more is closed at once.
	connect(t, local2, at)
	eventually(t, "the last place is taken", func() bool {
		p.proxies.mu.Lock()
		defer p.proxies.mu.Unlock()
		return len(p.proxies.asked) == p.proxies.most
	})
	closedWithoutByte(t, connect(t, local2, at))
	// And Close (of the clean-up, too) waits for none of them.
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A header that comes when its reservation is over is too late.
func TestLateHeader(t *testing.T) {
	leavesNothing(t)
	first, _ := freeRange(t, 1)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first, Proxies: proxies2})
	r := reserve(t, p, local1, client4.Addr())
	c := connect(t, local2, netip.AddrPortFrom(local1, first))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Accept(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := p.Reserve(local1, client4.Addr()); !errors.Is(err, ErrNoPort) {
		t.Fatalf("the pair does not rest: %v", err)
	}
	io.WriteString(c, header(t, 1, client4, reached4))
	closedWithoutByte(t, c)
	if DefaultHeaderTimeout > DefaultRest {
		t.Error("a pair must rest for as long as a header may take")
	}
}
