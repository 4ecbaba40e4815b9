package dtp

import "net/netip"

// pair is what can be reserved: a port of ours for a peer.
type pair struct {
	local netip.AddrPort
	peer  netip.Addr
}

// rest keeps a pair from being reserved for a while. Called with p.mu.
func (p *Passive) rest(k pair) {
	p.wake()
	if _, ok := p.resting[k]; !ok {
		p.rests = append(p.rests, k)
	}
	p.resting[k] = p.now().Add(p.opt.Rest)
}

// isResting reports whether a pair rests. Called with p.mu, after wake.
func (p *Passive) isResting(k pair) bool {
	if len(p.resting) == 0 {
		return false
	}
	_, ok := p.resting[k]
	return ok
}

// wake forgets the pairs that have rested. All rest equally long, so those that
// are over stand in front. Called with p.mu.
func (p *Passive) wake() {
	if len(p.rests) == 0 {
		return
	}
	now := p.now()
	n := 0
	for n < len(p.rests) && !now.Before(p.resting[p.rests[n]]) {
		delete(p.resting, p.rests[n])
		n++
	}
	p.rests = p.rests[n:]
}
