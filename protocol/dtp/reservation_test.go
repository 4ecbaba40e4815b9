package dtp

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestForgottenReservationGivesWay: sessions that asked for a port and never used it
// do not keep the others of their address from transferring.
func TestForgottenReservationGivesWay(t *testing.T) {
	leavesNothing(t)
	first, _ := freeRange(t, 1)
	c := &clock{time.Now()}
	p := newPassive(t, PassiveOptions{FirstPort: first, LastPort: first, Timeout: time.Minute})
	p.now = c.now
	forgotten := reserve(t, p, local1, local1)
	c.t = c.t.Add(time.Minute - 1)
	if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
		t.Fatalf("before its time: %v", err)
	}
	c.t = c.t.Add(1)
	next := reserve(t, p, local1, local1)
	if _, err := forgotten.Accept(context.Background()); !errors.Is(err, ErrNotReady) {
		t.Errorf("the forgotten one: %v", err)
	}
	forgotten.Release() // does no harm to the next

	// One that a transfer waits for stays, however old.
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := next.Accept(ctx)
		ended <- err
	}()
	eventually(t, "a transfer waits", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return next.waited
	})
	c.t = c.t.Add(time.Hour)
	if _, err := p.Reserve(local1, local1); !errors.Is(err, ErrNoPort) {
		t.Errorf("while a transfer waits: %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
