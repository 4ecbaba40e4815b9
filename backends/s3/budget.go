package s3

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Budget is the memory of all transfers of the process.
//
// An upload that begins a part reserves the memory of all of it before it collects it:
// parts that are all half full would leave nobody the memory to fill one. Only the
// beginning of an upload takes memory as it comes, as long as the share for that lasts, so
// that small files take little; and a share is kept for the first bytes of the smallest. Who
// has to wait is served in order, parts that have begun before others.
//
// Clients decide how long a part takes. So, while somebody waits:
//
//   - one that trickles (tricklePace), be it that we let it send no faster, keeps what it uses and
//     loses what it has reserved: it gets more as it needs it, as long as all of these together
//     have no more than half;
//   - one that could send faster than slowestPace, and does not for longer than slowPatience, is
//     ended, one a second, if somebody has waited that long;
//   - if everything is held by parts that wait for more and by clients that trickle, the first part
//     gets its rest beyond the total, and keeps it; so do those that need least, as long as all that
//     is beyond the total is not more than the first part. Clients that do not trickle go first, for they
//     soon give it back; but every trickleTurn the first of the others does, if it waits.
//
// What is read ahead never waits, and never takes what uploads need.
//
// A nil Budget is unlimited.
type Budget struct {
	total  int64
	memory memory

	mu     sync.Mutex
	used   [kinds]int64
	wait   []*grow // in order
	claims map[*Claim]struct{}
	ended  time.Time // when the last one was ended that was too slow

	trickled time.Time // when one that trickles was the first to get memory beyond the total
}

// kind is what memory is for.
type kind int

const (
	smallKind kind = iota // beginnings of uploads: a quarter at most
	partKind              // parts: an eighth is left for what is small
	aheadKind             // what was read ahead: as long as half of all is free
	kinds
)

const (
	// smallUpload is how much of an upload takes memory as it comes. What is smaller never
	// takes a whole part.
	smallUpload = 1 << 20
	// firstShare of the total is for the first chunks of uploads alone.
	firstShare = 16

	lookEvery    = time.Second // at who is slow, while somebody waits
	tricklePace  = 64 << 10    // bytes a second
	slowestPace  = 16 << 10    // bytes a second
	slowPatience = 30 * time.Second
	trickleTurn  = 5 * time.Minute
)

// Claim is what one transfer holds of a Budget. It serves one goroutine at a time, but for
// Shrink and what the Budget does.
type Claim struct {
	b     *Budget
	slow  func() // ends the transfer; nil: it is not the client's to be slow
	held  [kinds]int64
	spare int64 // of held: reserved for the rest of the part

	trickles  bool // nothing is reserved for it
	overdrawn bool // but spare, which may be beyond the total

	idle   time.Time     // since when nothing comes from the client; zero: not now
	paced  bool          // because it may not send faster: it is not waited for
	debt   time.Duration // how long it was waited for, less what it has sent since
	looked time.Time     // when the Budget last looked
	moved  int64         // bytes from the client since then
	waited time.Duration // for them since then, for whatever reason
}

// grow is a Claim that waits for memory.
type grow struct {
	claim   *Claim
	need    need
	since   time.Time
	granted chan struct{}
}

// need is what an upload asks for.
type need struct {
	chunk int64 // for now
	begun int64 // what the part holds already
	rest  int64 // what it needs beyond both
	small bool  // it is the beginning of the upload
	first bool  // the first chunk of it
}

// left is what the part needs from now on.
func (n need) left() int64 { return n.chunk + n.rest }

// part is the size of the whole part.
func (n need) part() int64 { return n.begun + n.left() }

// NewBudget returns a budget of total bytes.
func NewBudget(total int64) *Budget {
	return &Budget{total: total, memory: memory{limit: total}, claims: make(map[*Claim]struct{})}
}

// Used is how many bytes are held or reserved now.
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

// Claim begins one transfer's account, which Close ends. slow is called, from a goroutine of
// another transfer, when its client is too slow for others to wait any longer.
func (b *Budget) Claim(slow func()) *Claim {
	c := &Claim{b: b, slow: slow}
	if b != nil && slow != nil {
		c.looked = time.Now()
		b.mu.Lock()
		b.claims[c] = struct{}{}
		b.mu.Unlock()
	}
	return c
}

// Take takes the memory of one more chunk, and waits for it as long as ctx lasts.
func (c *Claim) Take(ctx context.Context, n need) error {
	b := c.b
	if b == nil {
		return nil
	}
	b.mu.Lock()
	if c.spare >= n.chunk {
		c.spare -= n.chunk
		c.overdrawn = c.overdrawn && c.spare > 0
		b.mu.Unlock()
		return nil
	}
	g := &grow{claim: c, need: n, since: time.Now(), granted: make(chan struct{})}
	b.wait = append(b.wait, g)
	b.grant()
	b.mu.Unlock()

	select {
	case <-g.granted:
		return nil
	default:
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-g.granted:
			return nil
		case <-look.C:
			b.look()
		case <-ctx.Done():
			b.mu.Lock()
			defer b.mu.Unlock()
			i := slices.Index(b.wait, g)
			if i < 0 {
				return nil // granted at the same moment
			}
			b.wait = slices.Delete(b.wait, i, i+1)
			b.grant() // the next one may need less
			return ctx.Err()
		}
	}
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

// Full gives back what is reserved for the rest of a part that needs no more.
func (c *Claim) Full() {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.spare > 0 {
		b.unreserve(c)
		b.grant()
	}
}

// Close gives back everything. It may be called again.
func (c *Claim) Close() {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unreserve(c)
	for k := range kinds {
		b.take(c, k, -c.held[k])
	}
	delete(b.claims, c)
	b.grant()
}

func (b *Budget) take(c *Claim, k kind, n int64) {
	c.held[k] += n
	b.used[k] += n
}

func (b *Budget) unreserve(c *Claim) {
	b.take(c, partKind, -c.spare)
	c.spare, c.overdrawn = 0, false
}

func (c *Claim) sum() (n int64) {
	for _, held := range c.held {
		n += held
	}
	return n
}
