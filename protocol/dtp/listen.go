package dtp

import (
	"context"
	"net"
)

// Listen opens a listener for control connections.
//
// Urgent data is received in line (SO_OOBINLINE), so that the Telnet Synch that
// clients put before ABOR (RFC 959 §4.1.3) arrives as ordinary bytes: accepted
// connections inherit the option. Multipath TCP, which Go would switch on, is
// off: on such a listener the option silently does not take and the last urgent
// byte is lost.
//
// Keep-alive stays on: a control connection is silent during a long transfer.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	c := net.ListenConfig{Control: listenControl}
	c.SetMultipathTCP(false)
	return c.Listen(ctx, network, addr)
}
