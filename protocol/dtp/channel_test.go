package dtp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

func newChannel(t *testing.T, local, peer netip.Addr) *Channel {
	t.Helper()
	c := NewChannel(newPassive(t, PassiveOptions{}), netip.AddrPortFrom(local, 21), netip.AddrPortFrom(peer, 40000))
	t.Cleanup(c.Reset)
	return c
}

// open opens what is pending, within the tests' patience.
func open(t *testing.T, c *Channel) (*net.TCPConn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := c.Open(ctx)
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	if c.Pending() {
		t.Error("still pending")
	}
	return conn, err
}

// target is a client's end that waits for an active connection.
func target(t *testing.T, at netip.Addr) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	return l.(*net.TCPListener)
}

func passive(t *testing.T, c *Channel) netip.AddrPort {
	t.Helper()
	at, err := c.Passive()
	if err != nil {
		t.Fatal(err)
	}
	if !c.Pending() {
		t.Fatal("not pending")
	}
	return at
}

func TestPassiveOpen(t *testing.T) {
	for _, first := range []string{"client first", "transfer first"} {
		t.Run(first, func(t *testing.T) {
			leavesNothing(t)
			c := newChannel(t, local1, local1)
			at := passive(t, c)
			if first == "client first" {
				client := connect(t, local1, at)
				conn, err := open(t, c)
				if err != nil {
					t.Fatal(err)
				}
				same(t, conn, client)
				return
			}
			clients := make(chan *net.TCPConn)
			go func() {
				client, _ := tryConnect(local1, at)
				clients <- client
			}()
			conn, err := open(t, c)
			client := <-clients
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			same(t, conn, client)
		})
	}
}

func TestNothingSetUp(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	if c.Pending() {
		t.Error("pending")
	}
	if _, err := open(t, c); !errors.Is(err, ErrNotReady) {
		t.Error(err)
	}
	passive(t, c)
	c.Reset()
	if c.Pending() || c.passive.Stats().Reservations != 0 {
		t.Error("pending after Reset")
	}
	if _, err := open(t, c); !errors.Is(err, ErrNotReady) {
		t.Error(err)
	}
}

func TestNewSetUpReplacesOld(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	old := connect(t, local1, passive(t, c))
	eventually(t, "accepted", func() bool { return c.passive.Stats().Accepted == 1 })
	at := passive(t, c)
	closedWithoutByte(t, old)
	if n := c.passive.Stats().Reservations; n != 1 {
		t.Errorf("%d reservations", n)
	}
	l := target(t, local1)
	if err := c.Active(AddrPort(l.Addr())); err != nil {
		t.Fatal(err)
	}
	if n := c.passive.Stats().Reservations; n != 0 {
		t.Errorf("%d reservations", n)
	}
	closedWithoutByte(t, connect(t, local1, at))
	at = passive(t, c) // and back: the target is forgotten
	client := connect(t, local1, at)
	conn, err := open(t, c)
	if err != nil {
		t.Fatal(err)
	}
	same(t, conn, client)
}

// A range of one port serves a client that asks again and again.
func TestOnePortIsEnoughForOneSession(t *testing.T) {
	leavesNothing(t)
	first, _ := freeRange(t, 1)
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first})
	c := NewChannel(p, netip.AddrPortFrom(local1, 21), netip.AddrPortFrom(local1, 40000))
	defer c.Reset()
	for range 5 {
		passive(t, c)
		client := connect(t, local1, passive(t, c))
		conn, err := open(t, c)
		if err != nil {
			t.Fatal(err)
		}
		same(t, conn, client)
	}
}

func TestPassiveOpenTimesOut(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	passive(t, c)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := c.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if s := c.passive.Stats(); c.Pending() || s.Reservations != 0 || s.Resting != 1 {
		t.Errorf("%+v", s)
	}
}

// SEED D25: a client that connects and goes must not make an empty file.
func TestPeerGoneBeforeTheTransfer(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*net.TCPConn)
		want error
	}{
		{"FIN", func(c *net.TCPConn) { c.Close() }, ErrPeerGone},
		{"RST", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, ErrPeerGone},
		{"data and FIN", func(c *net.TCPConn) { io.WriteString(c, "x"); c.Close() }, nil},
		{"data", func(c *net.TCPConn) { io.WriteString(c, "x") }, nil},
		{"nothing", func(c *net.TCPConn) {}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			leavesNothing(t)
			ch := newChannel(t, local1, local1)
			c.do(connect(t, local1, passive(t, ch)))
			eventually(t, "accepted", func() bool { return ch.passive.Stats().Accepted == 1 })
			if _, err := open(t, ch); !errors.Is(err, c.want) {
				t.Error(err)
			}
		})
	}
}

func TestForeignAddressFirst(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	at := passive(t, c)
	closedWithoutByte(t, connect(t, local2, at))
	client := connect(t, local1, at)
	conn, err := open(t, c)
	if err != nil {
		t.Fatal(err)
	}
	same(t, conn, client)
}

func TestActiveOpen(t *testing.T) {
	mapped := func(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }
	for _, c := range []struct {
		name                      string
		local, peer, at, targeted netip.Addr
	}{
		{"IPv4", local1, local1, local1, local1},
		{"from the control connection's address", local2, local1, local1, local1},
		{"mapped control", mapped(local1), mapped(local1), local1, local1},
		{"mapped target", local1, local1, local1, mapped(local1)},
		{"IPv6", local6, local6, local6, local6},
		{"unspecified IPv6 is the peer", local6, local6, local6, netip.IPv6Unspecified()},
	} {
		t.Run(c.name, func(t *testing.T) {
			leavesNothing(t)
			ch := newChannel(t, c.local, c.peer)
			l := target(t, c.at)
			if err := ch.Active(netip.AddrPortFrom(c.targeted, AddrPort(l.Addr()).Port())); err != nil {
				t.Fatal(err)
			}
			if !ch.Pending() {
				t.Fatal("not pending")
			}
			conn, err := open(t, ch)
			if err != nil {
				t.Fatal(err)
			}
			client, err := l.AcceptTCP()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			same(t, conn, client)
			if from := AddrPort(client.RemoteAddr()).Addr(); from != c.local.Unmap() {
				t.Errorf("from %v", from)
			}
		})
	}
}

// The bounce attack (CVE-1999-0017): nothing is ever sent to a third party, nor
// to anybody before the transfer.
func TestBounce(t *testing.T) {
	leavesNothing(t)
	victim := target(t, local2)
	at := AddrPort(victim.Addr())
	for _, c := range []struct {
		name        string
		local, peer netip.Addr
		target      netip.AddrPort
		want        error
	}{
		{"another address", local1, local1, at, ErrForeignPeer},
		{"mapped", local1, local1, netip.AddrPortFrom(netip.AddrFrom16(local2.As16()), at.Port()), ErrForeignPeer},
		{"from IPv6", local6, local6, at, ErrForeignPeer},
		{"loopback from elsewhere", local2, netip.MustParseAddr("192.0.2.1"), at, ErrForeignPeer},
		{"unspecified", local1, local1, netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()), ErrForeignPeer},
		{"unspecified IPv6", local1, local1, netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), ErrForeignPeer},
		{"unspecified from IPv6", local6, local6, netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), nil}, // means local6
		{"unspecified IPv6 from IPv4", local1, local1, netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), ErrForeignPeer},
		{"unspecified IPv4 from IPv6", local6, local6, netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()), ErrForeignPeer},
		{"none", local1, local1, netip.AddrPort{}, ErrForeignPeer},
		{"low port", local1, local1, netip.AddrPortFrom(local1, 1023), ErrLowPort},
		{"port 0", local1, local1, netip.AddrPortFrom(local1, 0), ErrLowPort},
		{"lowest port", local1, local1, netip.AddrPortFrom(local1, 1024), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := newChannel(t, c.local, c.peer)
			if err := ch.Active(c.target); !errors.Is(err, c.want) {
				t.Error(err)
			}
			if ch.Pending() != (c.want == nil) {
				t.Error("pending?")
			}
		})
	}
	ch := newChannel(t, local2, local2)
	if err := ch.Active(at); err != nil { // the peer itself, but no transfer
		t.Fatal(err)
	}
	ch.Reset()
	victim.SetDeadline(time.Now())
	if c, err := victim.Accept(); err == nil {
		t.Errorf("connected from %v", c.RemoteAddr())
	}
}

func TestRefusedTargetKeepsWhatWasPending(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	at := passive(t, c)
	if err := c.Active(netip.AddrPortFrom(local1, 22)); !errors.Is(err, ErrLowPort) {
		t.Fatal(err)
	}
	client := connect(t, local1, at)
	conn, err := open(t, c)
	if err != nil {
		t.Fatal(err)
	}
	same(t, conn, client)
}

func TestActiveRefusedByThePeer(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	l := target(t, local1)
	l.Close()
	if err := c.Active(AddrPort(l.Addr())); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, c); err == nil {
		t.Error("connected to nobody")
	}
}
