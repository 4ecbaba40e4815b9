package dtp

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

const (
	// growthPause is how long the search for another port to spread over is
	// left alone after it found none, so that a range others sit on does not
	// cost every PASV a hundred bind calls. It never delays a search that is
	// needed because no open listener is free.
	growthPause = time.Second
	// pickTries is how many open listeners are drawn before they are gone
	// through one by one.
	pickTries = 8
)

// reclaim ends a reservation of peer that has expired and returns its listener, or
// nil. Called with p.mu.
func (p *Passive) reclaim(local, peer netip.Addr) *listener {
	if p.opt.Timeout <= 0 {
		return nil
	}
	for _, l := range p.byLocal[local] {
		r := l.reserved[peer]
		if r != nil && !r.waited && p.now().Sub(r.made) >= p.opt.Timeout {
			delete(l.reserved, peer)
			r.expired = true
			close(r.conn)
			return l
		}
	}
	return nil
}

// mayGrow reports whether a port may be opened for Spread's sake. Called with
// p.mu.
func (p *Passive) mayGrow() bool {
	return p.noGrowth.IsZero() || !p.now().Before(p.noGrowth)
}

// pick draws one of the open listeners of local that are free for peer, or
// nil. Called with p.mu.
func (p *Passive) pick(local, peer netip.Addr) *listener {
	all := p.byLocal[local]
	if len(all) == 0 {
		return nil
	}
	for range pickTries {
		if l := all[rand.IntN(len(all))]; p.free(l, peer) {
			return l
		}
	}
	start := rand.IntN(len(all))
	for i := range all {
		if l := all[(start+i)%len(all)]; p.free(l, peer) {
			return l
		}
	}
	return nil
}

// free reports whether l can be reserved for peer. Called with p.mu.
func (p *Passive) free(l *listener, peer netip.Addr) bool {
	k := pair{l.addr, peer}
	return l.reserved[peer] == nil && !p.resting.has(k) && !p.doubtful.has(k)
}

// pickDoubtful returns, of the open listeners of local that are free for peer but doubtful,
// the one that has been so for longest, or nil. Called with p.mu.
func (p *Passive) pickDoubtful(local, peer netip.Addr) (oldest *listener) {
	var end time.Time
	for _, l := range p.byLocal[local] {
		k := pair{l.addr, peer}
		until, ok := p.doubtful.until(k)
		if ok && l.reserved[peer] == nil && !p.resting.has(k) && (oldest == nil || until.Before(end)) {
			oldest, end = l, until
		}
	}
	return oldest
}

// listen opens another port of local that is free for peer. It returns nil and
// no error if the range has none left. Called with p.mu.
func (p *Passive) listen(local, peer netip.Addr) (*listener, error) {
	first, n := int(p.opt.FirstPort), p.ports()
	if first == 0 {
		return p.listenOn(netip.AddrPortFrom(local, 0))
	}
	if n <= len(p.byLocal[local]) {
		return nil, nil
	}
	var last error
	start := rand.IntN(n)
	for i := range n {
		addr := netip.AddrPortFrom(local, uint16(first+(start+i)%n))
		if p.open[addr] != nil || p.resting.has(pair{addr, peer}) {
			continue
		}
		l, err := p.listenOn(addr)
		if err == nil {
			return l, nil
		}
		last = err
		if exhausted(err) {
			break
		}
		// In use, or not ours to use: the next one may be.
	}
	return nil, last
}
