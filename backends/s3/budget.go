package s3

import (
	"context"
	"slices"
	"sync"
)

// Budget is the memory of all transfers of the process.
//
// An upload takes the memory of a part at once, before it collects it: whoever has
// begun a part can fill it, so no number of clients that stop in mid-part brings the
// others to a halt, and memory is where parts get full. Only the beginning of an upload
// takes memory as it comes, as long as the share for that lasts, so that small files
// take little. Who has to wait is served in order.
//
// Only a part that could never fit passes the total: the upload that waits longest gets
// it when there is no other part.
//
// What is read ahead never waits, and never takes what uploads need.
//
// A nil Budget is unlimited.
type Budget struct {
	total int64

	mu   sync.Mutex
	used [kinds]int64
	wait []*grow // in order
}

// kind is what memory is for.
type kind int

const (
	smallKind kind = iota // beginnings of uploads: a quarter at most
	partKind              // parts: an eighth is left for what is small
	aheadKind             // what was read ahead: as long as half of all is free
	kinds
)

// smallUpload is how much of an upload takes memory as it comes. What is smaller never
// takes a whole part.
const smallUpload = 1 << 20

// Claim is what one transfer holds of a Budget.
type Claim struct {
	b    *Budget
	held [kinds]int64
}

// grow is a Claim that waits for memory.
type grow struct {
	claim   *Claim
	some    int64 // will do for now; 0: nothing less than all
	all     int64 // that the part needs
	granted chan int64
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
	return b.sum()
}

func (b *Budget) sum() (n int64) {
	for _, used := range b.used {
		n += used
	}
	return n
}

// Claim begins one transfer's account, which Close ends.
func (b *Budget) Claim() *Claim { return &Claim{b: b} }

// Grow takes more memory and returns how much: some, if that is not 0 and the share for
// beginnings lasts, or all that the part needs, of which what was taken before counts as
// a part from then on. It waits for it as long as ctx lasts.
func (c *Claim) Grow(ctx context.Context, some, all int64) (int64, error) {
	b := c.b
	if b == nil {
		return all, nil
	}
	g := &grow{claim: c, some: some, all: all, granted: make(chan int64, 1)}
	b.mu.Lock()
	b.wait = append(b.wait, g)
	b.grant()
	b.mu.Unlock()

	select {
	case n := <-g.granted:
		return n, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.wait, g)
	if i < 0 {
		return <-g.granted, nil // at the same moment
	}
	b.wait = slices.Delete(b.wait, i, i+1)
	b.grant() // the next one may need less
	return 0, ctx.Err()
}

// TryGrow takes n bytes more to read ahead, if half of the budget stays free and nobody waits.
func (c *Claim) TryGrow(n int64) bool {
	b := c.b
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wait) > 0 || b.sum()+n > b.total/2 {
		return false
	}
	b.take(c, aheadKind, n)
	return true
}

// Shrink gives n bytes back.
func (c *Claim) Shrink(n int64) {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range kinds { // a claim holds two kinds only while its first part is small
		of := min(n, c.held[k])
		b.take(c, k, -of)
		n -= of
	}
	b.grant()
}

// Close gives back everything. It may be called again.
func (c *Claim) Close() {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range kinds {
		b.take(c, k, -c.held[k])
	}
	b.grant()
}

func (b *Budget) take(c *Claim, k kind, n int64) {
	c.held[k] += n
	b.used[k] += n
}

// grant serves those who wait, in order, as far as it goes. Called with b.mu.
func (b *Budget) grant() {
	small, part := true, true // nobody before was refused
	b.wait = slices.DeleteFunc(b.wait, func(g *grow) bool {
		switch {
		case small && g.some > 0 && b.fitsSmall(g):
			b.take(g.claim, smallKind, g.some)
			g.granted <- g.some
		case part && b.fitsPart(g):
			begun := g.claim.held[smallKind]
			b.take(g.claim, smallKind, -begun)
			b.take(g.claim, partKind, begun+g.all)
			g.granted <- g.all
		default:
			small, part = small && g.some == 0, false
			return false
		}
		return true
	})
}

func (b *Budget) fitsSmall(g *grow) bool {
	return b.sum()+g.some <= b.total && b.used[smallKind]+g.some <= b.total/4
}

func (b *Budget) fitsPart(g *grow) bool {
	part := g.claim.held[smallKind] + g.all
	return b.used[partKind] == 0 || b.sum()+g.all <= b.total && b.used[partKind]+part <= b.total-b.total/8
}
