package s3

import "slices"

// grant serves those who wait, in order, as far as it goes. Called with b.mu.
func (b *Budget) grant() {
	if len(b.wait) == 0 {
		return
	}
	part := b.serve(true, func(g *grow) bool { return g.need.begun > 0 })
	b.serve(part, func(g *grow) bool { return g.need.begun == 0 })
	stuck := b.used[smallKind] + b.used[partKind]
	for _, g := range b.wait {
		stuck -= g.need.begun
	}
	if stuck > 0 {
		return // there will be more
	}
	if i := slices.IndexFunc(b.wait, func(g *grow) bool { return g.need.begun > 0 }); i >= 0 {
		b.give(b.wait[i], b.wait[i].need.chunk+b.wait[i].need.rest)
		b.wait = slices.Delete(b.wait, i, i+1)
	}
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
		case part && b.fitsPart(g, n.chunk+n.rest):
			b.give(g, n.chunk+n.rest)
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
