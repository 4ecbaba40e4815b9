package config

import (
	"net/netip"
	"slices"
)

// privateNetworks returns the networks that the internet has no way to: RFC 1918, 6598
// (carriers' NAT), 3927 and 4291 (link-local), 4193, and loopback.
func privateNetworks() []netip.Prefix {
	v4 := func(a, b byte, bits int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b}), bits)
	}
	v6 := func(a, b byte, bits int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{a, b}), bits)
	}
	return []netip.Prefix{
		v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v4(100, 64, 10), v4(169, 254, 16), v4(127, 0, 8),
		v6(0xfc, 0, 7), v6(0xfe, 0x80, 10), netip.PrefixFrom(netip.IPv6Loopback(), 128),
	}
}

// Private reports whether an address cannot be reached over the internet. The
// zero Addr is not private.
func Private(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // Contains refuses an address with a zone
	return slices.ContainsFunc(privateNetworks(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// PrivateNetwork reports whether all addresses of a network are private.
func PrivateNetwork(n netip.Prefix) bool {
	return slices.ContainsFunc(privateNetworks(), func(p netip.Prefix) bool {
		return n.IsValid() && p.Bits() <= n.Bits() && p.Contains(n.Addr())
	})
}

// Public reports whether clients on the internet may connect to the listener, if
// the network lets them.
func (x *Listener) Public() bool {
	if x.Address.Addr().IsLoopback() {
		return false
	}
	return len(x.AllowFrom) == 0 || slices.ContainsFunc(x.AllowFrom, func(n netip.Prefix) bool { return !PrivateNetwork(n) })
}
