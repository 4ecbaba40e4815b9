package gateway

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
)

// publicHost is what PASV announces on one listener.
type publicHost struct {
	listener *config.Listener
	names    *names
	log      zerolog.Logger
	warned   atomic.Bool // a private address went to a client on the internet, and the log knows
}

// announce is pi.Endpoint.PublicHost.
func (h *publicHost) announce(local, client netip.Addr) netip.Addr {
	addr := local
	if a := h.address(h.hostFor(client)); a.IsValid() {
		addr = a
	}
	if config.Private(addr) && !config.Private(client) && h.warned.CompareAndSwap(false, true) {
		h.log.Warn().Str("client", client.String()).Str("address", addr.String()).
			Msg("PASV announced a private address to a client that is not in a private network and can hardly reach it; set public_host to the address that such clients see")
	}
	return addr
}

// hostFor is what the configuration has for a client.
func (h *publicHost) hostFor(client netip.Addr) config.Host {
	for _, x := range h.listener.PublicHosts { // longest prefix first
		if x.Network.Contains(client) {
			return x.Host
		}
	}
	return h.listener.PublicHost
}

// address is that of a host; the zero Addr stands for the one that the client reached.
func (h *publicHost) address(x config.Host) netip.Addr {
	if x.Name != "" {
		return h.names.address(x.Name)
	}
	return x.Addr
}

// warnEarly warns if clients on the internet would be announced a private address.
// own are the addresses of this machine.
func (h *publicHost) warnEarly(own []netip.Addr) {
	if !h.listener.Public() {
		return
	}
	hosts := make([]config.Host, 0, 1)
	everybody := false
	for _, x := range h.listener.PublicHosts {
		if !config.PrivateNetwork(x.Network) {
			hosts = append(hosts, x.Host)
		}
		everybody = everybody || x.Network.Bits() == 0
	}
	if !everybody {
		hosts = append(hosts, h.listener.PublicHost)
	}
	for _, x := range hosts {
		if addr := h.private(x, own); addr.IsValid() {
			h.log.Warn().Str("address", addr.String()).
				Msg("PASV announces a private address to clients on the internet, who cannot reach it; set public_host to the address that they see, or allow_from to the networks of the clients if none come from there")
			return
		}
	}
}

// private returns the private address that a host stands for; the zero Addr if it
// stands for another one, or may do so.
func (h *publicHost) private(x config.Host, own []netip.Addr) netip.Addr {
	reached := own
	if a := h.address(x); a.IsValid() {
		reached = []netip.Addr{a}
	} else if a := h.listener.Address.Addr(); !a.IsUnspecified() {
		reached = []netip.Addr{a}
	}
	reached = slices.DeleteFunc(slices.Clone(reached), func(a netip.Addr) bool { return !a.Is4() })
	if len(reached) == 0 || slices.ContainsFunc(reached, func(a netip.Addr) bool { return !config.Private(a) }) {
		return netip.Addr{}
	}
	return reached[0]
}

// ownAddresses are the IPv4 addresses of this machine, without loopback.
func ownAddresses() (own []netip.Addr) {
	all, _ := net.InterfaceAddrs() // without them nothing is known, and nothing is said
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if addr, _ := netip.AddrFromSlice(n.IP); addr.Unmap().Is4() && !addr.Unmap().IsLoopback() {
				own = append(own, addr.Unmap())
			}
		}
	}
	return own
}

// hostNames are the DNS names that PASV announces the addresses of.
func hostNames(listeners []config.Listener) (all []string) {
	for _, l := range listeners {
		hosts := []config.Host{l.PublicHost}
		for _, x := range l.PublicHosts {
			hosts = append(hosts, x.Host)
		}
		for _, h := range hosts {
			if h.Name != "" {
				all = append(all, h.Name)
			}
		}
	}
	return all
}
