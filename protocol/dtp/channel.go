package dtp

import (
	"context"
	"net"
	"net/netip"
)

// firstUserPort is the lowest port an active data connection may go to
// (RFC 2577 §3).
const firstUserPort = 1024

// Channel is one session's data connection while it is being set up; its states
// are in the package's documentation. It is used by one goroutine at a time.
type Channel struct {
	// SourcePort is the local port of active connections (RFC 959 §3.2 has 20); 0: any. It
	// is set before the channel is used.
	SourcePort uint16

	passive     *Passive
	local, peer netip.Addr
	reservation *Reservation
	target      netip.AddrPort
}

// NewChannel makes the channel of the session whose control connection has the
// ends local and peer.
func NewChannel(p *Passive, local, peer netip.AddrPort) *Channel {
	return &Channel{passive: p, local: local.Addr().Unmap(), peer: peer.Addr().Unmap()}
}

// Passive reserves a port for the peer and says where to connect (PASV, EPSV).
// It replaces what was pending. The error is ErrNoPort or net.ErrClosed.
func (c *Channel) Passive() (netip.AddrPort, error) {
	c.Reset()
	r, err := c.passive.Reserve(c.local, c.peer)
	if err != nil {
		return netip.AddrPort{}, err
	}
	c.reservation = r
	return netip.AddrPortFrom(c.local, r.Port()), nil
}

// Active notes where Open is to connect to (PORT, EPRT); nothing is sent
// before. It replaces what was pending, but not when it fails: with
// ErrForeignPeer or ErrLowPort. The unspecified IPv6 address stands for an IPv6
// peer's: lftp 4.9 sends "EPRT |2|::|port|", and hangs when that is refused.
func (c *Channel) Active(target netip.AddrPort) error {
	// The address in a command has no zone; the peer's own may have one.
	unspecified := c.peer.Is6() && target.Addr() == netip.IPv6Unspecified()
	if target.Addr().Unmap() != c.peer.WithZone("") && !unspecified {
		return ErrForeignPeer
	}
	if target.Port() < firstUserPort {
		return ErrLowPort
	}
	c.Reset()
	c.target = netip.AddrPortFrom(c.peer, target.Port())
	return nil
}

// Pending reports whether a data connection has been set up and not used.
func (c *Channel) Pending() bool { return c.reservation != nil || c.target.IsValid() }

// Open makes the data connection that was set up: it waits for the peer's, or
// connects to the peer from the control connection's address. Whatever comes of
// it, nothing is pending afterwards. The caller bounds ctx.
//
// The error is ErrNotReady, ErrPeerGone, ErrTargetBusy, net.ErrClosed, context.Cause(ctx), or
// that of connecting. ErrPeerGone is a passive connection whose peer has closed
// it by now and sent nothing: as an upload it would make an empty file of a
// client's failure.
func (c *Channel) Open(ctx context.Context) (*net.TCPConn, error) {
	switch r, target := c.reservation, c.target; {
	case r != nil:
		c.reservation = nil
		conn, err := r.Accept(ctx)
		if err != nil {
			return nil, err
		}
		if peerGone(conn) {
			conn.Close()
			return nil, ErrPeerGone
		}
		return conn, nil
	case target.IsValid():
		c.target = netip.AddrPort{}
		return c.dial(ctx, target)
	}
	return nil, ErrNotReady
}

// Reset drops what is pending: a reservation ends, a connection that came is
// closed, a target is forgotten.
func (c *Channel) Reset() {
	if c.reservation != nil {
		c.reservation.Release()
		c.reservation = nil
	}
	c.target = netip.AddrPort{}
}
