package ftpclient

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Pool keeps connections for use by many. A Dial is all it needs; the fields are not changed after the first Get.
type Pool struct {
	Dial        func(ctx context.Context) (*Conn, error) // connects and logs in
	MaxOpen     int                                      // connections at once, used and idle; Get waits; 0: no limit
	MaxIdle     int                                      // kept while unused; 0: 4
	IdleTimeout time.Duration                            // after which an unused one is closed; 0: 60 s
	CheckAfter  time.Duration                            // unused for so long, or with anything in its socket, it is asked NOOP before it is given out; 0: 5 s

	mu     sync.Mutex
	idle   []idleConn // the longest unused first
	slots  chan struct{}
	closed bool
	timer  *time.Timer
	reaps  sync.WaitGroup
}

type idleConn struct {
	c     *Conn
	since time.Time
}

// ErrPoolClosed is returned by Get after Close.
var ErrPoolClosed = errors.New("ftpclient: the pool is closed")

const (
	defaultMaxIdle     = 4
	defaultIdleTimeout = 60 * time.Second
	defaultCheckAfter  = 5 * time.Second
	// checkLimit is how long an idle connection may take to answer NOOP; a new one is
	// made sooner than a lost one is noticed otherwise.
	checkLimit = 5 * time.Second
)

// Get returns a connection that is logged in, an idle one or a new one. It belongs to the caller until Put.
func (p *Pool) Get(ctx context.Context) (*Conn, error) {
	if err := p.takeSlot(ctx); err != nil {
		return nil, err
	}
	for {
		if ctx.Err() != nil { // or one idle connection after the other would seem dead
			p.freeSlot()
			return nil, context.Cause(ctx)
		}
		c, unused, err := p.takeIdle()
		made := err == nil && c == nil
		if made {
			c, err = p.Dial(ctx)
		}
		if err != nil {
			p.freeSlot()
			return nil, err
		}
		if made || p.alive(ctx, c, unused) {
			return c, nil
		}
		c.Close()
	}
}

func or(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// alive reports whether an idle connection is still there. What has come on one that was used just now is mostly its end,
// and costs no more than a look: who is given it cannot repeat everything.
func (p *Pool) alive(ctx context.Context, c *Conn, unused time.Duration) bool {
	if unused < or(p.CheckAfter, defaultCheckAfter) && !c.unsettled() && !c.waiting() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	return c.Noop(ctx) == nil
}

// takeSlot waits until one more connection may be in use. Idle ones do not count: they are used first.
func (p *Pool) takeSlot(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrPoolClosed
	}
	if p.slots == nil && p.MaxOpen > 0 {
		p.slots = make(chan struct{}, p.MaxOpen)
	}
	slots := p.slots
	p.mu.Unlock()
	if slots == nil {
		return nil
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *Pool) freeSlot() {
	if p.slots != nil {
		<-p.slots
	}
}

// takeIdle returns the connection that was used last, if there is one.
func (p *Pool) takeIdle() (c *Conn, unused time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, 0, ErrPoolClosed
	}
	n := len(p.idle)
	if n == 0 {
		return nil, 0, nil
	}
	last := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return last.c, time.Since(last.since), nil
}

// Put gives a connection back, usable or not; one that is not, or too many, is closed.
func (p *Pool) Put(c *Conn) {
	defer p.freeSlot()
	if !c.Usable() || !p.keep(c) {
		c.Close()
	}
}

func (p *Pool) keep(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := p.MaxIdle
	if most <= 0 {
		most = defaultMaxIdle
	}
	if p.closed || len(p.idle) >= most {
		return false
	}
	p.idle = append(p.idle, idleConn{c, time.Now()})
	if p.timer == nil {
		p.plan()
	}
	return true
}

// plan has the longest unused connection closed in time.
func (p *Pool) plan() {
	if len(p.idle) == 0 || p.closed {
		p.timer = nil
		return
	}
	p.reaps.Add(1)
	wait := or(p.IdleTimeout, defaultIdleTimeout) - time.Since(p.idle[0].since)
	p.timer = time.AfterFunc(wait, func() {
		defer p.reaps.Done()
		for _, c := range p.expired() {
			c.Close()
		}
	})
}

// expired takes the connections whose time is over.
func (p *Pool) expired() (old []*Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := or(p.IdleTimeout, defaultIdleTimeout)
	for len(p.idle) > 0 && time.Since(p.idle[0].since) >= limit {
		old = append(old, p.idle[0].c)
		p.idle = p.idle[1:]
	}
	p.plan()
	return old
}

// Close closes the idle connections, and later those that are given back.
func (p *Pool) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	if p.timer != nil && p.timer.Stop() {
		p.reaps.Done()
	}
	p.mu.Unlock()
	p.reaps.Wait()
	for _, i := range idle {
		i.c.Close()
	}
	return nil
}
