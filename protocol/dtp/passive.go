package dtp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Defaults of PassiveOptions.
const (
	DefaultIdle   = 60 * time.Second
	DefaultRest   = 5 * time.Second
	DefaultSpread = 16
)

const (
	// growthPause is how long the search for another port to spread over is
	// left alone after it found none, so that a range others sit on does not
	// cost every PASV a hundred bind calls. It never delays a search that is
	// needed because no open listener is free.
	growthPause = time.Second
	// pickTries is how many open listeners are drawn before they are gone
	// through one by one.
	pickTries = 8
)

// PassiveOptions says which ports passive data connections use.
type PassiveOptions struct {
	// FirstPort and LastPort are the range, both included. 0, 0: any port the
	// kernel gives.
	FirstPort, LastPort uint16
	// Idle is how long a listener without reservations stays open; 0 means
	// DefaultIdle.
	Idle time.Duration
	// Rest is how long a (port, peer) is not given out after the wait for the
	// peer's connection timed out or was aborted: the connection may still be on
	// its way and must not be taken for another session's. 0 means DefaultRest.
	Rest time.Duration
	// Timeout is how long a reservation is safe from other sessions of the same
	// peer that find no free port while nobody waits for its connection; 0 means forever.
	Timeout time.Duration
	// Spread is how many listeners are opened for each local address before
	// they are shared, so that a port is hard to guess; 0 means DefaultSpread.
	Spread int
	// Rejected, if set, is told of each connection that no reservation waited
	// for, after it was closed. It is called from the listener's goroutine and
	// holds it up.
	Rejected func(local, peer netip.AddrPort)
}

// PassiveStats are figures of a Passive.
type PassiveStats struct {
	Listeners    int    // open now
	Reservations int    // waiting for their peer now
	Resting      int    // (port, peer) pairs that rest now
	Accepted     uint64 // connections handed to a reservation so far
	Rejected     uint64 // connections closed because no reservation waited for them
	Pauses       uint64 // waits of a listener because descriptors or memory ran out
}

// Passive is the passive side of one endpoint: its listeners and who may
// connect to them. All sessions of the endpoint share it.
type Passive struct {
	opt    PassiveOptions
	config net.ListenConfig
	now    func() time.Time // replaced by tests
	wg     sync.WaitGroup   // one goroutine for each listener

	mu       sync.Mutex
	closed   bool
	open     map[netip.AddrPort]*listener
	byLocal  map[netip.Addr][]*listener
	noGrowth time.Time // until then nothing is opened for Spread's sake
	resting  map[pair]time.Time
	rests    []pair // keys of resting in the order in which they end
	stats    PassiveStats
}

// NewPassive opens nothing: listeners are opened when they are needed.
func NewPassive(o PassiveOptions) *Passive {
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Rest <= 0 {
		o.Rest = DefaultRest
	}
	if o.Spread <= 0 {
		o.Spread = DefaultSpread
	}
	p := &Passive{
		opt:     o,
		now:     time.Now,
		open:    make(map[netip.AddrPort]*listener),
		byLocal: make(map[netip.Addr][]*listener),
		resting: make(map[pair]time.Time),
	}
	// A data connection needs no keep-alive, the stall interval watches it; four
	// system calls for each accepted connection are saved.
	p.config.KeepAlive = -1
	p.config.SetMultipathTCP(false)
	return p
}

// Reserve gives peer the right to one connection on a port of local. Both are
// compared unmapped. The error is ErrNoPort or, after Close, net.ErrClosed.
func (p *Passive) Reserve(local, peer netip.Addr) (*Reservation, error) {
	local, peer = local.Unmap(), peer.Unmap()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	p.wake()
	var l *listener
	var err error
	searched := false
	if n := len(p.byLocal[local]); n == 0 || n < p.opt.Spread && p.mayGrow() {
		searched = true
		if l, err = p.listen(local, peer); l == nil {
			p.noGrowth = p.now().Add(growthPause)
		}
	}
	if l == nil {
		l = p.pick(local, peer)
	}
	if l == nil && !searched {
		l, err = p.listen(local, peer)
	}
	if l == nil {
		l = p.reclaim(local, peer)
	}
	if l == nil {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoPort, err)
		}
		return nil, ErrNoPort
	}
	r := &Reservation{listener: l, peer: peer, conn: make(chan *net.TCPConn, 1), made: p.now()}
	l.reserved[peer] = r
	return r, nil
}

// reclaim ends a reservation of peer that has expired and returns its listener, or
// nil. Called with p.mu.
func (p *Passive) reclaim(local, peer netip.Addr) *listener {
	if p.opt.Timeout <= 0 {
		return nil
	}
	for _, l := range p.byLocal[local] {
		r := l.reserved[peer]
		if r != nil && !r.waited && p.now().Sub(r.made) >= p.opt.Timeout {
			delete(l.reserved, peer)
			r.expired = true
			close(r.conn)
			return l
		}
	}
	return nil
}

// mayGrow reports whether a port may be opened for Spread's sake. Called with
// p.mu.
func (p *Passive) mayGrow() bool {
	return p.noGrowth.IsZero() || !p.now().Before(p.noGrowth)
}

// pick draws one of the open listeners of local that are free for peer, or
// nil. Called with p.mu.
func (p *Passive) pick(local, peer netip.Addr) *listener {
	all := p.byLocal[local]
	if len(all) == 0 {
		return nil
	}
	for range pickTries {
		if l := all[rand.IntN(len(all))]; p.free(l, peer) {
			return l
		}
	}
	start := rand.IntN(len(all))
	for i := range all {
		if l := all[(start+i)%len(all)]; p.free(l, peer) {
			return l
		}
	}
	return nil
}

// free reports whether l can be reserved for peer. Called with p.mu.
func (p *Passive) free(l *listener, peer netip.Addr) bool {
	return l.reserved[peer] == nil && !p.isResting(pair{l.addr, peer})
}

// listen opens another port of local that is free for peer. It returns nil and
// no error if the range has none left. Called with p.mu.
func (p *Passive) listen(local, peer netip.Addr) (*listener, error) {
	first, n := int(p.opt.FirstPort), int(p.opt.LastPort)-int(p.opt.FirstPort)+1
	if first == 0 {
		return p.listenOn(netip.AddrPortFrom(local, 0))
	}
	if n <= len(p.byLocal[local]) {
		return nil, nil
	}
	var last error
	start := rand.IntN(n)
	for i := range n {
		addr := netip.AddrPortFrom(local, uint16(first+(start+i)%n))
		if p.open[addr] != nil || p.isResting(pair{addr, peer}) {
			continue
		}
		l, err := p.listenOn(addr)
		if err == nil {
			return l, nil
		}
		last = err
		if exhausted(err) {
			break
		}
		// In use, or not ours to use: the next one may be.
	}
	return nil, last
}

// listenOn opens addr and starts the goroutine that accepts on it. Called with
// p.mu.
func (p *Passive) listenOn(addr netip.AddrPort) (*listener, error) {
	// The address is a literal and nothing waits, so no context can end it.
	ln, err := p.config.Listen(context.TODO(), tcpNetwork(addr.Addr()), addr.String())
	if err != nil {
		return nil, err
	}
	l := &listener{
		passive:  p,
		ln:       ln.(*net.TCPListener),
		addr:     netip.AddrPortFrom(addr.Addr(), uint16(ln.Addr().(*net.TCPAddr).Port)),
		reserved: make(map[netip.Addr]*Reservation),
		used:     p.now(),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	p.open[l.addr] = l
	p.byLocal[l.addr.Addr()] = append(p.byLocal[l.addr.Addr()], l)
	p.wg.Add(1)
	go l.serve()
	return l, nil
}

// drop forgets a listener. Called with p.mu.
func (p *Passive) drop(l *listener) {
	delete(p.open, l.addr)
	local := l.addr.Addr()
	all := p.byLocal[local]
	for i := range all {
		if all[i] == l {
			all[i] = all[len(all)-1]
			all[len(all)-1] = nil
			all = all[:len(all)-1]
			break
		}
	}
	if p.byLocal[local] = all; len(all) == 0 {
		delete(p.byLocal, local)
	}
}

// Stats gives the figures of this moment.
func (p *Passive) Stats() PassiveStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
	s := p.stats
	s.Listeners, s.Resting = len(p.open), len(p.resting)
	for _, l := range p.open {
		s.Reservations += len(l.reserved)
	}
	return s
}

// Close closes every listener, ends every reservation (a waiting Accept returns
// net.ErrClosed) and waits for its goroutines. Connections that were accepted
// belong to their reservations and stay.
func (p *Passive) Close() error {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	var errs []error
	if first {
		for _, l := range p.open {
			close(l.quit)
			errs = append(errs, l.ln.Close())
			for _, r := range l.reserved {
				close(r.conn)
			}
			clear(l.reserved)
		}
		clear(p.open)
		clear(p.byLocal)
		clear(p.resting)
		p.rests = nil
	}
	p.mu.Unlock()
	p.wg.Wait()
	return errors.Join(errs...)
}

// exhausted reports an error of the process or the machine rather than of one
// port or connection: trying the next one at once would not help.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// tcpNetwork keeps an IPv6 listener from taking IPv4 connections and the other
// way round.
func tcpNetwork(a netip.Addr) string {
	if a.Is4() {
		return "tcp4"
	}
	return "tcp6"
}
