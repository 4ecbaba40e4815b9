package auth

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultQueue is how many logins may wait for a comparison. Two processors
// with bcrypt of cost 12 work through it in about half a minute, well within
// the login timeout; who waits longer gains nothing.
const DefaultQueue = 256

// Comparer compares passwords with hashes: a bounded number at once, and so
// that the time of a failure tells nothing about the user.
type Comparer struct {
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64

	mu    sync.Mutex
	gauge map[Params]*gauge
}

// gauge is what is known about hashes of one set of parameters.
type gauge struct {
	sample Hash          // any one of them
	takes  time.Duration // how long a comparison takes; a recent high, not a mean
}

// NewComparer returns a Comparer that runs at most parallel comparisons at once
// (0: GOMAXPROCS) while at most queue logins wait for one (0: DefaultQueue).
func NewComparer(parallel, queue int) *Comparer {
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	if queue <= 0 {
		queue = DefaultQueue
	}
	return &Comparer{slots: make(chan struct{}, parallel), queue: int64(queue), gauge: make(map[Params]*gauge)}
}

// Learn makes h's cost count: from now on no login fails faster than h compares.
func (c *Comparer) Learn(h Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := h.Params(); c.gauge[p] == nil {
		c.gauge[p] = &gauge{sample: h, takes: p.nominal()}
	}
}

// Compare returns nil at once if password is h's. Otherwise it waits until the
// dearest known hash would have been compared and returns ErrDenied. ErrBusy: the
// queue is full; ctx's error: it ended first.
func (c *Comparer) Compare(ctx context.Context, h Hash, password string) error {
	start, ok, err := c.match(ctx, h, password)
	if err != nil || ok {
		return err
	}
	return c.deny(ctx, start)
}

// Refuse fails as Compare does with a wrong password, for a login that is
// refused whatever the password: it costs one comparison with the dearest known
// hash, whose outcome nobody looks at.
func (c *Comparer) Refuse(ctx context.Context, password string) error {
	start := time.Now()
	if h, _ := c.dearest(); h != nil {
		var err error
		if start, _, err = c.match(ctx, h, password); err != nil {
			return err
		}
	}
	return c.deny(ctx, start)
}

// match runs one comparison when it is its turn and returns when that turn
// came. Time in the queue is the same for everybody and does not count.
func (c *Comparer) match(ctx context.Context, h Hash, password string) (start time.Time, ok bool, err error) {
	if err := c.enter(ctx); err != nil {
		return time.Time{}, false, err
	}
	defer func() { <-c.slots }() // also when a hash panics
	start = time.Now()
	ok = h.Match(password) && password != "" // no hash makes an empty password right
	c.record(h, time.Since(start))
	return start, ok, nil
}

// enter takes a slot, in the order of arrival.
func (c *Comparer) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	if c.waiting.Add(1) > c.queue {
		c.waiting.Add(-1)
		return ErrBusy
	}
	defer c.waiting.Add(-1)
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// deny returns ErrDenied when the dearest comparison, begun at start, would be over.
func (c *Comparer) deny(ctx context.Context, start time.Time) error {
	_, takes := c.dearest()
	t := time.NewTimer(takes - time.Since(start))
	defer t.Stop()
	select {
	case <-t.C:
		return ErrDenied
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// record takes in how long a comparison took. It goes up at once and comes down
// by a 32nd of the way, so that it stays above most comparisons: a failure is then
// answered by the clock and not by the comparison, whichever hash was compared.
func (c *Comparer) record(h Hash, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.gauge[h.Params()]
	if g == nil {
		return
	}
	if took > g.takes {
		g.takes = took
	} else {
		g.takes -= (g.takes - took) / 32
	}
}

// dearest returns a hash of the parameters that take longest, and how long;
// nil if no hash is known.
func (c *Comparer) dearest() (h Hash, takes time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.gauge {
		if h == nil || g.takes > takes {
			h, takes = g.sample, g.takes
		}
	}
	return h, takes
}
