package dtp

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wire is the network side of one transfer: it waits for the peer no longer
// than the stall interval without progress and ends at once with its context.
//
// The network is tried first; only when it would block is the deadline set and
// the context watched. The deadline is set once an interval, not once a chunk:
// when it passes and something has moved since it was set, it is set anew.
// That also covers deadlines that pass while storage is slow.
//
// What the peer has acknowledged counts as moved, too: the kernel lets a sender
// go on only when a third of its buffer is free, and a slow client may need
// more than an interval for that much.
type wire struct {
	ctx      context.Context
	transfer *Transfer
	conn     *net.TCPConn
	raw      syscall.RawConn
	stall    time.Duration
	moved    *atomic.Int64

	seen  int64 // bytes the network has taken or given
	sends bool
	mark  progress // when the deadline was set

	armed   bool
	unwatch func() bool
	ended   chan struct{} // closed when interrupt is over

	direct int      // the descriptor of a socket that is out of the runtime's poller, or -1
	file   *os.File // what owns it after a join that failed
	joined int64    // seen, when it last left or joined
	waits  int64    // direct ones

	mu  sync.Mutex
	cut bool // interrupt has run: the deadline must stay where it is
}

// progress is how far a transfer has come.
type progress struct{ seen, unacknowledged int64 }

func (w *wire) progress() progress {
	p := progress{seen: w.seen}
	if w.sends {
		p.unacknowledged = unacknowledged(w.raw)
	}
	return p
}

// newWire fails with the cause if ctx has ended.
func newWire(ctx context.Context, t *Transfer) (*wire, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	raw, err := t.Conn.SyscallConn()
	if err != nil {
		return nil, &PeerError{err}
	}
	return &wire{ctx: ctx, transfer: t, conn: t.Conn, raw: raw, stall: t.Stall, moved: &t.moved, direct: -1}, nil
}

// release ends the watching of the context and waits for its goroutine.
func (w *wire) release() {
	w.end()
	if w.unwatch != nil && !w.unwatch() {
		<-w.ended
	}
}

// arm is called before the first wait.
func (w *wire) arm() {
	if w.armed {
		return
	}
	w.armed = true
	if w.ctx.Done() != nil {
		w.ended = make(chan struct{})
		w.unwatch = context.AfterFunc(w.ctx, w.interrupt)
	}
	w.renew()
}

// renew begins a stall interval, unless the context has ended: then the
// deadline that interrupt has set stands.
func (w *wire) renew() {
	if w.stall <= 0 {
		return
	}
	w.mark = w.progress()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.cut {
		_ = w.conn.SetDeadline(time.Now().Add(w.stall))
	}
}

// interrupt ends every wait for the network, now and later.
func (w *wire) interrupt() {
	defer close(w.ended)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	_ = w.conn.SetDeadline(time.Unix(1, 0))
}

// again reports whether an operation that failed with err, because a deadline
// passed, is to be tried again.
func (w *wire) again(err error) bool {
	if w.stall <= 0 || !errors.Is(err, os.ErrDeadlineExceeded) || w.ctx.Err() != nil || w.progress() == w.mark {
		return false
	}
	w.renew()
	return true
}

// fail names the failure of an operation.
func (w *wire) fail(err error) error {
	switch {
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrStalled
	}
	return &PeerError{err}
}
