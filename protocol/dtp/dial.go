package dtp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Waiting for a pair of ports that an earlier connection still holds.
const (
	// busyPatience is a little more than the second after which Linux gives up the
	// remains of a closed connection where net.ipv4.tcp_tw_reuse lets it.
	busyPatience = 2 * time.Second
	busyPause    = 50 * time.Millisecond
)

// dial connects to the peer from the control connection's address.
//
// With a SourcePort it comes from that port and no other: who asks for one has a
// firewall that lets nothing else pass, and a connection from elsewhere would time out
// there. All connections share the port, so a target can have one at a time: while an
// earlier one is there, or lingers (TIME_WAIT), the dial waits for a moment and then
// fails with ErrTargetBusy.
func (c *Channel) dial(ctx context.Context, target netip.AddrPort) (*net.TCPConn, error) {
	source := netip.AddrPortFrom(c.local, c.SourcePort)
	if source == target {
		return nil, ErrTargetBusy // it would connect to itself
	}
	d := net.Dialer{KeepAlive: -1, ControlContext: dialControl}
	if c.SourcePort != 0 {
		d.ControlContext = shareSource
	}
	d.SetMultipathTCP(false)
	for start := time.Now(); ; {
		conn, err := d.DialTCP(ctx, tcpNetwork(target.Addr()), source, target)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case c.SourcePort == 0:
			return nil, err
		case !failed(err, "connect", syscall.EADDRNOTAVAIL):
			return nil, explain(err)
		case time.Since(start) >= busyPatience:
			return nil, fmt.Errorf("%w: %w", ErrTargetBusy, err)
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// CheckSource reports why active connections could not come from addr: above all
// that the process may not use a port below 1024. It binds the port for a moment and does
// not listen. The unspecified address stands for all of its family.
func CheckSource(addr netip.AddrPort) error {
	if err := bind(addr); err != nil {
		return explain(os.NewSyscallError("bind", err))
	}
	return nil
}

// failed reports whether a system call failed for a reason.
func failed(err error, call string, reason syscall.Errno) bool {
	var e *os.SyscallError
	return errors.As(err, &e) && e.Syscall == call && errors.Is(e.Err, reason)
}

// explain adds what usually helps to an error of binding a source port.
func explain(err error) error {
	switch {
	case failed(err, "bind", syscall.EACCES):
		return fmt.Errorf("%w; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE", err)
	case failed(err, "bind", syscall.EADDRINUSE):
		return fmt.Errorf("%w; another program listens on the source port, or keeps it for itself", err)
	}
	return err
}
