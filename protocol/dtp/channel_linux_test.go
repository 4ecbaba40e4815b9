package dtp

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// silentTarget is a port whose queue is full: connecting to it neither succeeds
// nor fails.
func silentTarget(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: local1.As4()}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(local1, uint16(name.(*unix.SockaddrInet4).Port))
	connect(t, local1, at)
	return at
}

func TestActiveOpenIsCancelled(t *testing.T) {
	leavesNothing(t)
	c := newChannel(t, local1, local1)
	if err := c.Active(silentTarget(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	want := errors.New("ABOR")
	time.AfterFunc(time.Millisecond, func() { cancel(want) })
	if _, err := c.Open(ctx); !errors.Is(err, want) {
		t.Error(err)
	}
	if c.Pending() {
		t.Error("still pending")
	}
}

// Without a descriptor to spare a listener waits, does not spin, and serves the
// connection when there is one again.
func TestDescriptorsRunOut(t *testing.T) {
	leavesNothing(t)
	p := newPassive(t, PassiveOptions{})
	r := reserve(t, p, local1, local1)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	few := unix.Rlimit{Cur: 256, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Skip(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	var hoard []*os.File
	defer func() {
		for _, f := range hoard {
			f.Close()
		}
	}()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		hoard = append(hoard, f)
	}
	spare := func() {
		hoard[len(hoard)-1].Close()
		hoard = hoard[:len(hoard)-1]
	}
	spare() // for the client's end
	start := time.Now()
	client := connect(t, local1, netip.AddrPortFrom(local1, r.Port()))
	eventually(t, "a pause", func() bool { return p.Stats().Pauses > 1 })
	if _, err := p.Reserve(local2, local1); !errors.Is(err, ErrNoPort) || !errors.Is(err, unix.EMFILE) {
		t.Errorf("no descriptor for another listener: %v", err)
	}
	if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
		t.Errorf("%v", err)
	}
	reserve(t, p, local1, local2).Release() // an open listener needs none
	spare()
	same(t, accept(t, r), client)
	if n, most := p.Stats().Pauses, uint64(time.Since(start)/acceptPauseMin)+1; n > most {
		t.Errorf("%d pauses, at most %d in that time", n, most)
	}
}
