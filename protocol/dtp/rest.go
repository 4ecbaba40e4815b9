package dtp

import (
	"net/netip"
	"time"
)

// pair is what can be reserved: a port of ours for a peer.
type pair struct {
	local netip.AddrPort
	peer  netip.Addr
}

// rests are pairs that are left alone for a while, all equally long. They are
// guarded by Passive.mu.
type rests struct {
	until map[pair]time.Time
	order []pair // the keys, in the order in which they end
}

// add begins the rest of a pair, or begins it again.
func (r *rests) add(k pair, until time.Time) {
	if r.until == nil {
		r.until = make(map[pair]time.Time)
	}
	if _, ok := r.until[k]; !ok {
		r.order = append(r.order, k)
	}
	r.until[k] = until
}

// has reports whether a pair rests. Called after wake.
func (r *rests) has(k pair) bool {
	_, ok := r.until[k]
	return ok
}

// wake forgets the pairs that have rested: those that are over stand in front.
func (r *rests) wake(now time.Time) {
	n := 0
	for n < len(r.order) && !now.Before(r.until[r.order[n]]) {
		delete(r.until, r.order[n])
		n++
	}
	r.order = r.order[n:]
}

// wake forgets what has rested. Called with p.mu.
func (p *Passive) wake() {
	if len(p.resting.order)+len(p.doubtful.order) == 0 {
		return
	}
	now := p.now()
	p.resting.wake(now)
	p.doubtful.wake(now)
}
