package dtp

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Reservation is the right of one peer to one connection on one port. It costs
// no timer and no goroutine: it lasts until the peer connects, Accept's context
// ends, Release, or, once it is older than PassiveOptions.Timeout and nobody waits in
// Accept, until another session needs its port.
type Reservation struct {
	listener *listener
	addr     netip.Addr        // of the control connection's peer
	peer     netip.Addr        // what it is filed under
	conn     chan *net.TCPConn // room for one; closed by Passive.Close and by expiry
	made     time.Time

	waited    bool   // Accept has been called; guarded by Passive.mu
	strangers uint64 // of the listener, when it was made
	expired   bool   // set before conn is closed
}

// Port is the port the peer is to connect to.
func (r *Reservation) Port() uint16 { return r.listener.addr.Port() }

// Accept returns the peer's connection, which may have come before the call,
// and ends the reservation. If ctx ends first the error is context.Cause(ctx)
// and the pair of port and peer rests; within a *StrangerError if somebody else came to the
// port meanwhile. If the reservation had expired it is ErrNotReady.
// The caller bounds ctx.
func (r *Reservation) Accept(ctx context.Context) (*net.TCPConn, error) {
	select {
	case c := <-r.conn:
		return r.accepted(c)
	default:
	}
	p := r.listener.passive
	p.mu.Lock()
	r.waited = true
	p.mu.Unlock()
	select {
	case c := <-r.conn:
		return r.accepted(c)
	case <-ctx.Done():
		r.end(true)
		return nil, r.waitedInVain(context.Cause(ctx))
	}
}

func (r *Reservation) waitedInVain(cause error) error {
	p := r.listener.passive
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.listener.strangers != r.strangers {
		return &StrangerError{Waiting: r.addr, Came: r.listener.stranger, Err: cause}
	}
	return cause
}

func (r *Reservation) accepted(c *net.TCPConn) (*net.TCPConn, error) {
	switch {
	case c != nil:
		return c, nil
	case r.expired:
		return nil, ErrNotReady
	}
	return nil, net.ErrClosed
}

// Release ends the reservation. A connection that had come and was not taken by
// Accept is closed. If none had, it may be on its way, or wait in the kernel: the pair is
// given out again only where there is no other. Calling it again, or after Accept, does nothing.
func (r *Reservation) Release() { r.end(false) }

func (r *Reservation) end(rest bool) {
	l, p := r.listener, r.listener.passive
	p.mu.Lock()
	if l.reserved[r.peer] == r {
		delete(l.reserved, r.peer)
		l.used = p.now()
		rests := &p.doubtful
		if rest {
			rests = &p.resting
		}
		p.wake()
		rests.add(pair{l.addr, r.peer}, p.now().Add(p.opt.Rest))
	}
	p.mu.Unlock()
	select {
	case c := <-r.conn:
		if c != nil {
			c.Close()
		}
	default:
	}
}
