package dtp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// Waiting times of a listener that cannot accept because descriptors or memory
// ran out: connections stay in the kernel's queue meanwhile.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// listener is one open passive port. Its one goroutine accepts; its fields but
// the first group are guarded by Passive.mu.
type listener struct {
	passive *Passive
	ln      *net.TCPListener
	addr    netip.AddrPort
	quit    chan struct{} // closed by Passive.Close
	done    chan struct{} // closed when the goroutine has ended

	reserved map[netip.Addr]*Reservation
	used     time.Time // when the last reservation ended, or it was opened
}

// serve accepts until the listener is closed or has been idle for long enough.
// The accept deadline is the idle timer, so an open port costs no other one.
func (l *listener) serve() {
	defer l.passive.wg.Done()
	defer close(l.done)
	pause := acceptPauseMin
	idle := l.passive.opt.Idle
	_ = l.ln.SetDeadline(time.Now().Add(idle))
	for {
		c, err := l.ln.AcceptTCP()
		switch {
		case err == nil:
			pause = acceptPauseMin
			l.deliver(c)
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			left, over := l.retire()
			if over {
				return
			}
			_ = l.ln.SetDeadline(time.Now().Add(left))
		default:
			if !l.pause(pause) {
				return
			}
			pause = min(2*pause, acceptPauseMax)
		}
	}
}

// pause waits for d; false says that the listener was closed meanwhile.
func (l *listener) pause(d time.Duration) bool {
	l.passive.mu.Lock()
	l.passive.stats.Pauses++
	l.passive.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.quit:
		return false
	}
}

// deliver hands an accepted connection to the reservation that waits for its
// peer, which ends there: the port is free for the next session of this peer.
// Without one the connection is closed and gets not one byte.
func (l *listener) deliver(c *net.TCPConn) {
	p := l.passive
	peer := addrPort(c.RemoteAddr())
	p.mu.Lock()
	r := l.reserved[peer.Addr()]
	if r != nil {
		delete(l.reserved, peer.Addr())
		l.used = p.now()
		p.stats.Accepted++
		r.conn <- c
	} else {
		p.stats.Rejected++
	}
	p.mu.Unlock()
	if r != nil {
		return
	}
	c.Close()
	if p.opt.Rejected != nil {
		p.opt.Rejected(l.addr, peer)
	}
}

// retire closes the listener if it has been idle for long enough, or says how
// long it may still be.
func (l *listener) retire() (left time.Duration, over bool) {
	p := l.passive
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, true
	}
	if len(l.reserved) > 0 {
		return p.opt.Idle, false
	}
	if left := p.opt.Idle - p.now().Sub(l.used); left > 0 {
		return left, false
	}
	p.drop(l)
	l.ln.Close()
	return 0, true
}

// addrPort is the unmapped address of a TCP end, with its zone.
func addrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
