package dtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
)

// Every address of 127.0.0.0/8 is this machine, on Linux.

// ownAddress is one that no other process uses, so that all of its ports are free.
func ownAddress() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 65, byte(pid >> 8), byte(pid)})
}

func peerNo(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 64, byte(i >> 8), byte(i)}) }

// Ten ports hold hundreds of transfers of different addresses at once: all of them are
// reserved before the first connects, all stand before the first moves a byte,
// and each moves its own.
func TestTenPortsForHundreds(t *testing.T) {
	leavesNothing(t)
	const ports, peers = 10, 500
	local := ownAddress()
	p := newPassive(t, PassiveOptions{FirstPort: 20000, LastPort: 20000 + ports - 1})
	type transfer struct {
		r              *Reservation
		client, server io.ReadWriteCloser
	}
	transfers := make([]transfer, peers)
	all := func(what string, f func(i int, x *transfer) error) {
		t.Helper()
		var wg sync.WaitGroup
		for i := range transfers {
			wg.Go(func() {
				if err := f(i, &transfers[i]); err != nil {
					t.Errorf("%s, peer %d: %v", what, i, err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Cleanup(func() {
		for _, x := range transfers {
			if x.client != nil {
				x.client.Close()
			}
			if x.server != nil {
				x.server.Close()
			}
		}
	})
	all("reserve", func(i int, x *transfer) (err error) {
		x.r, err = p.Reserve(local, peerNo(i))
		return err
	})
	if s := p.Stats(); s.Ports != ports || s.Listeners != ports || s.Used != ports || s.Reservations != peers || s.Exhausted != 0 {
		t.Fatalf("reserved: %+v", s)
	}
	all("connect", func(i int, x *transfer) error {
		c, err := tryConnect(peerNo(i), netip.AddrPortFrom(local, x.r.Port()))
		if err != nil {
			return err
		}
		x.client = c
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		server, err := x.r.Accept(ctx)
		if err != nil {
			return err
		}
		x.server = server
		if AddrPort(server.RemoteAddr()) != AddrPort(c.LocalAddr()) {
			return fmt.Errorf("got the connection of %s", server.RemoteAddr())
		}
		return nil
	})
	if s := p.Stats(); s.Listeners != ports || s.Used != 0 || s.Reservations != 0 || s.Accepted != peers || s.Rejected != 0 {
		t.Fatalf("connected: %+v", s)
	}
	all("transfer", func(i int, x *transfer) error {
		want := fmt.Sprintf("for peer %d\n", i)
		if _, err := io.WriteString(x.server, want); err != nil {
			return err
		}
		x.server.Close()
		got, err := io.ReadAll(x.client)
		if err == nil && string(got) != want {
			err = fmt.Errorf("got %q", got)
		}
		return err
	})
}

// Sessions of one address get one port each, until none is left; that is told with
// what there is, and over as soon as one comes free, by whichever way.
func TestSessionsOfOneAddressExhaustPorts(t *testing.T) {
	leavesNothing(t)
	const ports = 10
	local := ownAddress()
	var told []NoPortError
	p := newPassive(t, PassiveOptions{FirstPort: 20100, LastPort: 20100 + ports - 1, Exhausted: func(x *NoPortError) { told = append(told, *x) }})
	var held []*Reservation
	var got []uint16
	for range ports {
		r := reserve(t, p, local, local1)
		held, got = append(held, r), append(got, r.Port())
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != ports {
		t.Fatalf("two sessions share a port: %v", got)
	}
	full := func(reserved, resting int) {
		t.Helper()
		told = nil
		want := NoPortError{Local: local, Peer: local1, Ports: ports, Reserved: reserved, Resting: resting}
		var x *NoPortError
		if _, err := p.Reserve(local, local1); !errors.Is(err, ErrNoPort) || !errors.As(err, &x) || *x != want {
			t.Fatalf("%v", err)
		}
		if len(told) != 1 || told[0] != want {
			t.Fatalf("told of %+v", told)
		}
	}
	full(ports, 0)
	for i := range 100 { // others have all of the ports
		reserve(t, p, local, peerNo(i))
	}
	held[0].Release()
	reserve(t, p, local, local1)
	full(ports, 0)
	connect(t, local1, netip.AddrPortFrom(local, held[1].Port()))
	accept(t, held[1])
	reserve(t, p, local, local1)
	full(ports, 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	held[2].Accept(ctx) // an aborted wait: the pair rests
	full(ports-1, 1)
	if s := p.Stats(); s.Exhausted != 4 || s.Ports != ports || s.Used != ports || s.Resting != 1 {
		t.Errorf("%+v", s)
	}
}
