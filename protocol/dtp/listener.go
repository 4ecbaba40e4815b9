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

	reserved  map[netip.Addr]*Reservation // by what Passive.peer gives
	stranger  netip.Addr                  // who came last without a reservation
	strangers uint64                      // how many have
	used      time.Time                   // when the last reservation ended, or it was opened
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
			l.take(c)
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

// take finds out whose connection it is. The header of a proxy's is read in a
// goroutine of its own, of which Proxies bounds the number and the time:
// the next connection waits for nobody.
func (l *listener) take(c *net.TCPConn) {
	peer := AddrPort(c.RemoteAddr())
	if !l.passive.proxies.Trusts(peer.Addr()) {
		l.deliver(c, peer, false)
		return
	}
	l.passive.wg.Go(func() {
		switch o, err := l.passive.proxies.Origin(c); {
		case err == nil:
			l.deliver(c, o.Peer, o.Own)
		case errors.Is(err, ErrNoHeader), errors.Is(err, net.ErrClosed):
			l.reject(c, Rejection{Peer: peer, Err: err}, true)
		default:
			l.reject(c, Rejection{Peer: peer, Err: err}, false)
		}
	})
}

// deliver hands a connection to the reservation that waits for its peer, which
// ends there: the port is free for the next session of this peer. Without one the
// connection is closed and gets not one byte.
func (l *listener) deliver(c *net.TCPConn, from netip.AddrPort, probe bool) {
	p := l.passive
	peer := p.peer(from.Addr())
	p.mu.Lock()
	r := l.reserved[peer]
	if r == nil {
		x := Rejection{Peer: from}
		if !probe {
			l.stranger = from.Addr()
			l.strangers++
		}
		if len(l.reserved) == 1 {
			for _, waiting := range l.reserved {
				x.Waiting = waiting.addr
			}
		}
		p.mu.Unlock()
		l.reject(c, x, probe)
		return
	}
	delete(l.reserved, peer)
	l.used = p.now()
	p.stats.Accepted++
	r.conn <- c
	p.mu.Unlock()
}

// reject closes a connection, and tells of it unless it is a health probe.
func (l *listener) reject(c *net.TCPConn, x Rejection, probe bool) {
	p := l.passive
	p.mu.Lock()
	p.stats.Rejected++
	p.mu.Unlock()
	c.Close()
	if p.opt.Rejected != nil && !probe {
		x.Local = l.addr
		p.opt.Rejected(x)
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

// AddrPort is the unmapped address of a TCP connection's end, with its zone; zero if it has none (a pipe).
func AddrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
