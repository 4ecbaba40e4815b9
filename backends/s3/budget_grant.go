package s3

import (
	"slices"
	"time"
)

// grant serves those who wait, in order, as far as it goes. Called with b.mu.
func (b *Budget) grant() {
	if len(b.wait) == 0 {
		return
	}
	part := b.serve(true, func(g *grow) bool { return g.need.begun > 0 })
	b.serve(part, func(g *grow) bool { return g.need.begun == 0 })
	if b.stuck() {
		b.overdraw()
	}
}

// stuck reports whether only clients that trickle could bring about that memory is given back.
func (b *Budget) stuck() bool {
	soon := b.used[smallKind] + b.used[partKind]
	for c := range b.claims {
		switch {
		case c.trickles:
			soon -= c.sum()
		case c.overdrawn:
			return false
		}
	}
	for _, g := range b.wait {
		if !g.claim.trickles {
			soon -= g.need.begun
		}
	}
	return soon <= 0
}

// overdraw gives one of those that have begun a part the rest of it, beyond the total if it must be, and
// then as many others theirs as keep within one part beyond the total: those that need least.
func (b *Budget) overdraw() {
	next := b.nextOverdrawn()
	if next < 0 {
		return
	}
	limit := b.total + b.wait[next].need.part()
	if b.sum()+b.wait[next].need.left() > limit {
		return // what is beyond the total is about to be given back
	}
	if b.wait[next].claim.trickles {
		b.trickled = time.Now()
	}
	for next >= 0 {
		g := b.wait[next]
		b.wait = slices.Delete(b.wait, next, next+1)
		b.give(g, g.need.left())
		g.claim.overdrawn = g.claim.spare > 0
		next = -1
		least := limit - b.sum()
		for i, g := range b.wait {
			if g.need.begun > 0 && g.need.left() <= least {
				next, least = i, g.need.left()-1
			}
		}
	}
}

// nextOverdrawn is whose turn it is to be the first, negative: nobody's.
func (b *Budget) nextOverdrawn() int {
	first := func(trickles bool) int {
		return slices.IndexFunc(b.wait, func(g *grow) bool { return g.need.begun > 0 && g.claim.trickles == trickles })
	}
	quick, slow := first(false), first(true)
	for c := range b.claims {
		if c.overdrawn {
			slow = -1 // it trickles, too: the next one has to wait for it
		}
	}
	if slow >= 0 && (quick < 0 || time.Since(b.trickled) >= trickleTurn) {
		return slow
	}
	return quick
}

// serve grants what it can of those that are meant. part: no part before them was refused; so it
// returns.
func (b *Budget) serve(part bool, meant func(*grow) bool) bool {
	first, small, trickle := true, true, true // the same
	b.wait = slices.DeleteFunc(b.wait, func(g *grow) bool {
		if !meant(g) {
			return false
		}
		n := g.need
		switch {
		case first && n.first && b.sum()+n.chunk <= b.total,
			small && n.small && b.fitsSmall(n.chunk):
			b.take(g.claim, smallKind, n.chunk)
			close(g.granted)
		case g.claim.trickles:
			if !trickle || b.trickling()+n.chunk > b.total/2 || !b.fitsPart(g, n.chunk) {
				trickle = false
				return false
			}
			b.give(g, n.chunk)
		case part && b.fitsPart(g, n.left()):
			b.give(g, n.left())
		default:
			first = first && !n.first
			small, part = small && !n.small, false
			return false
		}
		return true
	})
	return part
}

// trickling is what those that trickle hold.
func (b *Budget) trickling() (n int64) {
	for c := range b.claims {
		if c.trickles {
			n += c.sum()
		}
	}
	return n
}

// give makes n bytes those of a part that has begun, and what was taken for the beginning of
// the upload too.
func (b *Budget) give(g *grow, n int64) {
	c := g.claim
	begun := c.held[smallKind]
	b.take(c, smallKind, -begun)
	b.take(c, partKind, begun+n)
	c.spare += n - g.need.chunk
	close(g.granted)
}

func (b *Budget) fitsSmall(n int64) bool {
	return b.sum()+n <= b.total-b.total/firstShare && b.used[smallKind]+n <= b.total/4
}

func (b *Budget) fitsPart(g *grow, n int64) bool {
	part := g.claim.held[smallKind] + n
	return b.used[partKind] == 0 || b.sum()+n <= b.total-b.total/firstShare && b.used[partKind]+part <= b.total-b.total/8
}
