package dtp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Passive is the passive side of one endpoint: its listeners and who may
// connect to them. All sessions of the endpoint share it.
type Passive struct {
	opt     PassiveOptions
	config  net.ListenConfig
	proxies *Proxies
	now     func() time.Time // replaced by tests
	wg      sync.WaitGroup   // one goroutine for each listener and each PROXY header

	mu       sync.Mutex
	closed   bool
	open     map[netip.AddrPort]*listener
	byLocal  map[netip.Addr][]*listener
	noGrowth time.Time // until then nothing is opened for Spread's sake
	resting  rests     // somebody has waited in vain: a connection may be on its way
	doubtful rests     // nobody has waited: there may be one, too; used when there is no other
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
		proxies: NewProxies(o.Proxies, o.HeaderTimeout),
		now:     time.Now,
		open:    make(map[netip.AddrPort]*listener),
		byLocal: make(map[netip.Addr][]*listener),
	}
	// A data connection needs no keep-alive, the stall interval watches it; four
	// system calls for each accepted connection are saved.
	p.config.KeepAlive = -1
	p.config.SetMultipathTCP(false)
	return p
}

// Reserve gives the peer with this address the right to one connection on a port of
// local. Both are compared unmapped. The error is a *NoPortError, which is
// ErrNoPort, or, after Close, net.ErrClosed.
func (p *Passive) Reserve(local, addr netip.Addr) (*Reservation, error) {
	r, err := p.reserve(local.Unmap(), addr.Unmap())
	if full := (*NoPortError)(nil); p.opt.Exhausted != nil && errors.As(err, &full) {
		p.opt.Exhausted(full)
	}
	return r, err
}

func (p *Passive) reserve(local, addr netip.Addr) (*Reservation, error) {
	peer := p.peer(addr)
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
	if l == nil && len(p.byLocal[local]) >= p.opt.Spread {
		l = p.pickDoubtful(local, peer)
	}
	if l == nil && !searched {
		l, err = p.listen(local, peer)
	}
	if l == nil {
		l = p.pickDoubtful(local, peer)
	}
	if l == nil {
		l = p.reclaim(local, peer)
	}
	if l == nil {
		return nil, p.noPort(local, addr, err)
	}
	r := &Reservation{listener: l, addr: addr, peer: peer, conn: make(chan *net.TCPConn, 1), made: p.now(), strangers: l.strangers}
	l.reserved[peer] = r
	return r, nil
}

// peer is what reservations for addr are filed under: the first address of its pool,
// or itself.
func (p *Passive) peer(addr netip.Addr) netip.Addr {
	if pool := inNetworks(p.opt.Pools, addr); pool.IsValid() {
		return pool.Masked().Addr()
	}
	return addr
}

// ports is the size of the range; 0 without one.
func (p *Passive) ports() int {
	if p.opt.FirstPort == 0 {
		return 0
	}
	return int(p.opt.LastPort) - int(p.opt.FirstPort) + 1
}

// noPort counts what stands in the way of addr. Called with p.mu.
func (p *Passive) noPort(local, addr netip.Addr, cause error) *NoPortError {
	p.stats.Exhausted++
	e := &NoPortError{Local: local, Peer: addr, Ports: p.ports(), Err: cause}
	peer := p.peer(addr)
	for _, l := range p.byLocal[local] {
		if l.reserved[peer] != nil {
			e.Reserved++
		}
	}
	for i := range e.Ports {
		if p.resting.has(pair{netip.AddrPortFrom(local, p.opt.FirstPort+uint16(i)), peer}) {
			e.Resting++
		}
	}
	return e
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
	s.Ports, s.Listeners, s.Resting = p.ports(), len(p.open), p.resting.len()
	for _, l := range p.open {
		s.Reservations += len(l.reserved)
		if len(l.reserved) > 0 {
			s.Used++
		}
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
		p.resting, p.doubtful = rests{}, rests{}
	}
	p.mu.Unlock()
	p.proxies.Close()
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
