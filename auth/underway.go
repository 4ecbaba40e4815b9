package auth

import (
	"context"
	"net/netip"
	"time"
)

// underway are the logins of one address that are being looked at, and those that wait to be.
type underway struct {
	running, waiting int
	ended            chan struct{} // closed and replaced when one ends
}

// begin waits until there are fewer logins of the address under way than it has failures left.
// A ban that begins meanwhile refuses it.
func (t *Throttle) begin(ctx context.Context, a netip.Addr) error {
	from := Network(a)
	if t.options.Failures == 0 || !from.IsValid() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.underway[from]
	if u == nil {
		u = &underway{ended: make(chan struct{})}
		t.underway[from] = u
	}
	u.waiting++
	defer func() {
		u.waiting--
		t.tidy(from, u)
	}()
	for {
		if b, banned := t.bans[from]; banned && time.Now().Before(b.Until) {
			return ErrBanned
		}
		if u.running == 0 || t.addresses.count(from, time.Since(t.start))+u.running < t.options.Failures {
			u.running++
			return nil
		}
		ended := u.ended
		t.mu.Unlock()
		var err error
		select {
		case <-ended:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		t.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// end lets those go on that wait in begin.
func (t *Throttle) end(a netip.Addr) {
	from := Network(a)
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.underway[from]
	if u == nil { // nothing is counted
		return
	}
	u.running--
	close(u.ended)
	u.ended = make(chan struct{})
	t.tidy(from, u)
}

// tidy forgets an address with nothing under way. Called with mu held.
func (t *Throttle) tidy(from netip.Prefix, u *underway) {
	if u.running == 0 && u.waiting == 0 {
		delete(t.underway, from)
	}
}
