package dtp

import (
	"net/netip"
	"time"
)

// Defaults of PassiveOptions.
const (
	DefaultIdle   = 60 * time.Second
	DefaultRest   = 5 * time.Second
	DefaultSpread = 16
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
	// Pools are networks that count as one peer each, for clients whose control
	// and data connections come from different addresses of one NAT. Whoever is
	// in such a network may connect for whoever else is in it. They do not overlap.
	Pools []netip.Prefix
	// Proxies are the load balancers whose connections begin with a PROXY header.
	Proxies []netip.Prefix
	// HeaderTimeout is how long such a header may take; 0 means
	// DefaultHeaderTimeout.
	HeaderTimeout time.Duration
	// Rejected, if set, is told of each connection that no reservation waited
	// for, after it was closed, but not of a proxy's own that only see whether we
	// live. It is called from the goroutine that has the connection and holds it up.
	Rejected func(Rejection)
	// Exhausted, if set, is told when Reserve finds no port, before it returns.
	Exhausted func(*NoPortError)
}

// Rejection is a passive connection that was closed without a byte.
type Rejection struct {
	Local netip.AddrPort // where it came to
	Peer  netip.AddrPort // where it came from, according to its PROXY header if there is one
	// Waiting is the peer whose connection is waited for on this port, if it is
	// exactly one: the client whose control connection it is. Else it is zero.
	Waiting netip.Addr
	Err     error // what is wrong with its PROXY header; nil: there was no reservation
}

// PassiveStats are figures of a Passive.
type PassiveStats struct {
	Ports        int    // in the range, on each local address; 0: any number
	Listeners    int    // open now
	Used         int    // of those, with a reservation for some peer; the others are free for all
	Reservations int    // waiting for their peer now
	Resting      int    // (port, peer) pairs that rest now
	Accepted     uint64 // connections handed to a reservation so far
	Rejected     uint64 // connections closed because no reservation waited for them, or without a good PROXY header
	Exhausted    uint64 // calls of Reserve that found no port
	Pauses       uint64 // waits of a listener because descriptors or memory ran out
}
