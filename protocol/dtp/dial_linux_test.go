package dtp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sourcePort takes a port of addr for the rest of the test, in such a way that only
// who knows it can come from there too.
func sourcePort(t *testing.T, addr netip.Addr) uint16 {
	t.Helper()
	family, sockaddr := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Addr: addr.As16()})
	if addr.Is4() {
		family, sockaddr = unix.AF_INET, &unix.SockaddrInet4{Addr: addr.As4()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.Bind(fd, sockaddr)); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch x := name.(type) {
	case *unix.SockaddrInet4:
		return uint16(x.Port)
	case *unix.SockaddrInet6:
		return uint16(x.Port)
	}
	t.Fatalf("%T", name)
	return 0
}

// Connections to several targets come from the one port, at the same time.
func TestSourcePort(t *testing.T) {
	for _, addr := range []netip.Addr{local1, local6} {
		leavesNothing(t)
		port := sourcePort(t, addr)
		if err := CheckSource(netip.AddrPortFrom(addr, port)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			c := newChannel(t, addr, addr)
			c.SourcePort = port
			l := target(t, addr)
			if err := c.Active(AddrPort(l.Addr())); err != nil {
				t.Fatal(err)
			}
			conn, err := open(t, c)
			if err != nil {
				t.Fatal(err)
			}
			if from := AddrPort(conn.LocalAddr()); from != netip.AddrPortFrom(addr, port) {
				t.Errorf("from %v, not port %d", from, port)
			}
			client, err := l.AcceptTCP()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			same(t, conn, client)
		}
	}
}

// A second connection to one target waits until the first has gone, but not for ever. It never
// comes from elsewhere.
func TestSourcePortIsHeld(t *testing.T) {
	leavesNothing(t)
	port := sourcePort(t, local1)
	l := target(t, local1)
	dial := func() (*net.TCPConn, error) {
		c := newChannel(t, local1, local1)
		c.SourcePort = port
		if err := c.Active(AddrPort(l.Addr())); err != nil {
			t.Fatal(err)
		}
		return open(t, c)
	}
	first, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	client, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := dial(); !errors.Is(err, ErrTargetBusy) {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(start); took < busyPatience {
		t.Errorf("it gave up after %v", took)
	}
	second := make(chan error, 1)
	go func() {
		conn, err := dial()
		if err == nil && int(AddrPort(conn.LocalAddr()).Port()) != int(port) {
			err = errors.New("it comes from another port")
		}
		second <- err
	}()
	client.SetLinger(0) // a reset: nothing lingers
	client.Close()
	first.Close()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// ABOR ends the wait.
func TestSourcePortIsHeldAndAborted(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	c.SourcePort = sourcePort(t, local1)
	l := target(t, local1)
	if err := c.Active(AddrPort(l.Addr())); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Active(AddrPort(l.Addr())); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	want := errors.New("ABOR")
	time.AfterFunc(time.Millisecond, func() { cancel(want) })
	start := time.Now()
	if _, err := c.Open(ctx); !errors.Is(err, want) || time.Since(start) >= busyPatience {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// A client on the gateway's own machine could name the very port that connections come from.
func TestSourcePortIsNoTarget(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	c.SourcePort = sourcePort(t, local1)
	if err := c.Active(netip.AddrPortFrom(local1, c.SourcePort)); err != nil {
		t.Fatal(err)
	}
	if conn, err := open(t, c); !errors.Is(err, ErrTargetBusy) {
		t.Errorf("connected to itself: %v, %v", conn, err)
	}
}

// Where somebody listens nothing can come from, which is told at once.
func TestSourcePortIsListenedOn(t *testing.T) {
	leavesNothing(t)
	taken := AddrPort(target(t, local1).Addr())
	c := newChannel(t, local1, local1)
	c.SourcePort = taken.Port()
	if err := c.Active(AddrPort(target(t, local1).Addr())); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, c)
	for _, err := range []error{err, CheckSource(taken)} {
		if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "another program listens") {
			t.Errorf("the error is %v", err)
		}
	}
}

// A port that belongs to root is told with what gives the right to it. Tests may run as root, so
// the kernel is not asked.
func TestSourcePortIsPrivileged(t *testing.T) {
	denied := &net.OpError{Op: "dial", Err: &os.SyscallError{Syscall: "bind", Err: syscall.EACCES}}
	if err := explain(denied); !errors.Is(err, syscall.EACCES) || !strings.Contains(err.Error(), "CAP_NET_BIND_SERVICE") {
		t.Errorf("the error is %v", err)
	}
	firewall := &net.OpError{Op: "dial", Err: &os.SyscallError{Syscall: "connect", Err: syscall.EACCES}}
	if err := explain(firewall); err != error(firewall) {
		t.Errorf("the error is %v", err)
	}
}
