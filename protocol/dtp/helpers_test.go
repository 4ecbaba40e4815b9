package dtp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests; only a failure takes that long.
const patience = 10 * time.Second

var (
	local1 = netip.MustParseAddr("127.0.0.1")
	local2 = netip.MustParseAddr("127.0.0.2")
	local6 = netip.MustParseAddr("::1")
)

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// leavesNothing fails the test if goroutines or descriptors are left when all
// its other clean-ups are done.
func leavesNothing(t *testing.T) {
	t.Helper()
	warmPoller(t)
	goroutines, fds := runtime.NumGoroutine(), descriptors(t)
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= goroutines })
		eventually(t, "no descriptor left", func() bool { return descriptors(t) <= fds })
	})
}

// warmPoller opens the descriptors that the runtime keeps for itself.
func warmPoller(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func descriptors(t *testing.T) int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not this system
	}
	return len(d)
}

func newPassive(t *testing.T, o PassiveOptions) *Passive {
	t.Helper()
	p := NewPassive(o)
	t.Cleanup(func() { p.Close() })
	return p
}

func reserve(t *testing.T, p *Passive, local, peer netip.Addr) *Reservation {
	t.Helper()
	r, err := p.Reserve(local, peer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Release)
	return r
}

// connect dials from an address of ours.
func connect(t *testing.T, from netip.Addr, to netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := tryConnect(from, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func tryConnect(from netip.Addr, to netip.AddrPort) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: patience, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	c, err := d.Dial("tcp", to.String())
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn), nil
}

func accept(t *testing.T, r *Reservation) *net.TCPConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := r.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// same fails unless a and b are the two ends of one connection.
func same(t *testing.T, a, b net.Conn) {
	t.Helper()
	if AddrPort(a.LocalAddr()) != AddrPort(b.RemoteAddr()) || AddrPort(a.RemoteAddr()) != AddrPort(b.LocalAddr()) {
		t.Fatalf("%v-%v and %v-%v are not one connection", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
	}
}

// closedWithoutByte fails unless the other end of c closes it and sends nothing.
func closedWithoutByte(t *testing.T, c net.Conn) {
	t.Helper()
	n, err := c.Read(make([]byte, 1))
	if n != 0 || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("not closed without a byte: %d, %v", n, err)
	}
}

// connected makes a data connection: the server's end and the client's.
func connected(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	p := newPassive(t, PassiveOptions{})
	r := reserve(t, p, local1, local1)
	client = connect(t, local1, netip.AddrPortFrom(local1, r.Port()))
	return accept(t, r), client
}

// freeRange finds n neighbouring ports that nobody uses.
func freeRange(t *testing.T, n int) (first, last uint16) {
	t.Helper()
search:
	for base := 12000; base < 30000; base += 97 {
		for i := range n {
			l, err := net.Listen("tcp", netip.AddrPortFrom(local1, uint16(base+i)).String())
			if err != nil {
				continue search
			}
			l.Close()
		}
		return uint16(base), uint16(base + n - 1)
	}
	t.Fatal("no free ports")
	return 0, 0
}

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }
