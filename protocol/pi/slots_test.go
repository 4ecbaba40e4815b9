package pi

import (
	"net/netip"
	"testing"
)

// TestSlotsByNetwork: whoever has an IPv6 address has all of its /64, and that gives no more connections.
func TestSlotsByNetwork(t *testing.T) {
	stop := make(chan struct{})
	close(stop) // nobody waits
	for _, x := range []struct{ a, same, other string }{
		{"2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"},
		{"fe80::1%eth0", "fe80::2%eth1", "fe80:0:0:1::1"},
		{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
	} {
		var s slots
		enter := func(addr string) bool {
			return s.enter(netip.MustParseAddr(addr), Limits{MaxConnections: 10, MaxConnectionsPerIP: 2}, stop) == ""
		}
		if !enter(x.a) || !enter(x.same) || enter(x.a) || enter(x.same) || !enter(x.other) {
			t.Errorf("%s: they are not counted together", x.a)
		}
		s.leave(netip.MustParseAddr(x.same))
		if !enter(x.a) || enter(x.same) {
			t.Errorf("%s: the place of one is not another's", x.a)
		}
		for _, addr := range []string{x.a, x.a, x.other} {
			s.leave(netip.MustParseAddr(addr))
		}
		if s.all != 0 || len(s.perIP) != 0 {
			t.Errorf("%s: %d connections, and %d addresses are remembered", x.a, s.all, len(s.perIP))
		}
	}
}
