package s3

import (
	"context"
	"slices"
	"sync"
)

// Budget is the memory of all transfers of the process. Uploads wait for theirs (Grow),
// downloads do without (TryGrow).
//
// An upload that has to wait draws a ticket and keeps it until the part it collects is
// on its way; memory that comes back goes to the lowest ticket. So when there is little,
// parts get full one after the other instead of all a little.
//
// When nothing is on its way that would bring memory back (every upload waits for
// memory, or for its client), the lowest ticket that waits may overdraw the budget until
// its part is full. Only one upload does so at a time, so the sum stays below the total
// and one part.
//
// A nil Budget is unlimited.
type Budget struct {
	total int64

	mu       sync.Mutex
	used     int64
	moving   int64  // of used: on its way to the store
	overdraw *Claim // who may pass the total
	ticket   uint64 // the last one drawn
	waiting  []*grow
}

// Claim is what one transfer holds of a Budget.
type Claim struct {
	b      *Budget
	held   int64
	moving int64
	ticket uint64 // 0: it has not had to wait for this part
}

// grow is a Claim that waits for n bytes.
type grow struct {
	claim   *Claim
	n       int64
	granted chan struct{}
}

// NewBudget returns a budget of total bytes.
func NewBudget(total int64) *Budget { return &Budget{total: total} }

// Used is how many bytes are held now.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Claim begins one transfer's account, which Close ends.
func (b *Budget) Claim() *Claim { return &Claim{b: b} }

// Grow takes n bytes more, and waits for them as long as ctx lasts.
func (c *Claim) Grow(ctx context.Context, n int64) error {
	b := c.b
	if b == nil {
		return nil
	}
	b.mu.Lock()
	if len(b.waiting) == 0 && b.used+n <= b.total {
		b.take(c, n)
		b.mu.Unlock()
		return nil
	}
	g := &grow{claim: c, n: n, granted: make(chan struct{})}
	b.queue(g)
	b.grant()
	b.mu.Unlock()

	select {
	case <-g.granted:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiting, g)
	if i < 0 {
		return nil // granted at the same moment
	}
	b.waiting = slices.Delete(b.waiting, i, i+1)
	b.grant() // the next one may need less
	return ctx.Err()
}

// TryGrow takes n bytes more if nobody waits for memory and half of it stays free: what
// is read ahead must not be what uploads have to wait for.
func (c *Claim) TryGrow(n int64) bool {
	b := c.b
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 || b.used+n > b.total/2 {
		return false
	}
	b.take(c, n)
	return true
}

// Send says that n of the bytes held, a whole part, are on their way to the store.
func (c *Claim) Send(n int64) {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c.moving += n
	b.moving += n
	c.ticket = 0
	if b.overdraw == c {
		b.overdraw = nil
	}
}

// Sent gives back n bytes that were on their way.
func (c *Claim) Sent(n int64) {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c.moving -= n
	b.moving -= n
	b.give(c, n)
}

// Shrink gives back n bytes that never were on their way.
func (c *Claim) Shrink(n int64) {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.give(c, n)
}

// Close gives back everything. It may be called again.
func (c *Claim) Close() {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moving -= c.moving
	c.moving, c.ticket = 0, 0
	if b.overdraw == c {
		b.overdraw = nil
	}
	b.give(c, c.held)
}

// queue puts g in its place: by ticket, but before all who overdraws. Called with b.mu.
func (b *Budget) queue(g *grow) {
	c, at := g.claim, 0
	if c.ticket == 0 {
		b.ticket++
		c.ticket = b.ticket
	}
	if c != b.overdraw {
		for at < len(b.waiting) && (b.waiting[at].claim == b.overdraw || b.waiting[at].claim.ticket < c.ticket) {
			at++
		}
	}
	b.waiting = slices.Insert(b.waiting, at, g)
}

func (b *Budget) take(c *Claim, n int64) {
	c.held += n
	b.used += n
}

func (b *Budget) give(c *Claim, n int64) {
	c.held -= n
	b.used -= n
	b.grant()
}

// grant serves those who wait, in order, as far as it goes. Called with b.mu.
func (b *Budget) grant() {
	for len(b.waiting) > 0 {
		g := b.waiting[0]
		if b.used+g.n > b.total {
			if b.overdraw == nil && b.moving == 0 {
				b.overdraw = g.claim
			}
			if b.overdraw != g.claim {
				return
			}
		}
		b.waiting = slices.Delete(b.waiting, 0, 1)
		b.take(g.claim, g.n)
		close(g.granted)
	}
}
