package dtp

import (
	"container/list"
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
	order list.List // of rest, in the order in which they end
	of    map[pair]*list.Element
}

type rest struct {
	pair
	until time.Time
}

// add begins the rest of a pair, or begins it again.
func (r *rests) add(k pair, until time.Time) {
	if r.of == nil {
		r.of = make(map[pair]*list.Element)
	}
	if e := r.of[k]; e != nil {
		r.order.Remove(e)
	}
	r.of[k] = r.order.PushBack(rest{k, until})
}

// until is when the rest of a pair ends. Called after wake.
func (r *rests) until(k pair) (end time.Time, ok bool) {
	e := r.of[k]
	if e == nil {
		return end, false
	}
	return e.Value.(rest).until, true
}

// has reports whether a pair rests. Called after wake.
func (r *rests) has(k pair) bool { return r.of[k] != nil }

func (r *rests) len() int { return len(r.of) }

// wake forgets the pairs that have rested: those that are over stand in front.
func (r *rests) wake(now time.Time) {
	for e := r.order.Front(); e != nil && !now.Before(e.Value.(rest).until); e = r.order.Front() {
		delete(r.of, r.order.Remove(e).(rest).pair)
	}
}

// wake forgets what has rested. Called with p.mu.
func (p *Passive) wake() {
	if p.resting.len()+p.doubtful.len() == 0 {
		return
	}
	now := p.now()
	p.resting.wake(now)
	p.doubtful.wake(now)
}
