package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func (l *loader) listener(b *hclsyntax.Block) Listener {
	s := l.open(b, blocks["listener"], "")
	x := Listener{
		Name:        b.Labels[0],
		DefaultType: choice(s, "default_type", DefaultBinary, DefaultBinary, DefaultASCII),
	}
	x.Address = s.address("address", `":2121"`)
	x.PassivePorts = s.ports("passive_ports", `"20000-20099"`)
	x.PublicHost = s.publicHost("public_host", `"203.0.113.7"`)
	x.AllowFrom = s.networks("allow_from", "Nobody could connect. Leave it out to let everyone connect.")
	x.DenyFrom = s.networks("deny_from", "")
	x.PublicHosts = s.publicHosts("public_hosts", x)
	everybody := slices.ContainsFunc(x.PublicHosts, func(h NetworkHost) bool { return h.Network.Bits() == 0 })
	if s.set("public_host") && x.Public() && !everybody {
		s.warnPrivate(s.at("public_host"), x.PublicHost)
	}
	x.ProxyProtocol = s.proxyProtocol("proxy_protocol")
	x.DataPeers = s.dataPeers("data_peers")
	x.ActiveMode = s.booleanOr("active_mode", true)
	x.SourcePort = uint16(s.number("active_source_port", 1, math.MaxUint16, 0))
	if s.set("active_source_port") && !x.ActiveMode {
		l.warnAt(s.at("active_source_port"), "active_source_port is of no use", "active_mode = false turns active data connections off.")
	}
	x.TLS = l.tlsBlock(b)
	banner, _, _ := s.text("banner", `"Welcome."`)
	x.Banner = strings.TrimRight(banner, "\r\n")
	return x
}

// address reads "host:port", the host a literal address or nothing.
func (s *section) address(name, example string) netip.AddrPort {
	if !s.set(name) {
		s.missing(name, example)
		return netip.AddrPort{}
	}
	text, v, ok := s.text(name, example)
	if !ok {
		return netip.AddrPort{}
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		s.wrong(name, v, "It is an address and a port, or a colon and a port: \"192.0.2.1:2121\", \"[2001:db8::1]:2121\", \":2121\".")
		return netip.AddrPort{}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		s.wrong(name, v, "The port is a number up to 65535.")
		return netip.AddrPort{}
	}
	addr := netip.IPv6Unspecified()
	if host != "" {
		if addr, err = netip.ParseAddr(host); err != nil {
			s.wrong(name, v, "The host must be an address and not a name, or be left out to listen on all addresses.")
			return netip.AddrPort{}
		}
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n))
}

// ports reads "first-last".
func (s *section) ports(name, example string) PortRange {
	text, v, ok := s.text(name, example)
	if !ok {
		return PortRange{}
	}
	lo, hi, _ := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(strings.TrimSpace(lo), 10, 16)
	last, err2 := strconv.ParseUint(strings.TrimSpace(hi), 10, 16)
	r := PortRange{uint16(first), uint16(last)}
	switch {
	case err1 != nil || err2 != nil:
		s.wrong(name, v, "It is the first and the last port with a hyphen between: %s. Ports go up to 65535.", example)
	case r.First > r.Last:
		s.wrong(name, v, "The first port is above the last; the range is the wrong way round.")
	case r.First < 1024:
		s.wrong(name, v, "Ports below 1024 belong to other services; clients refuse to connect to them.")
	default:
		if e, ok := s.l.machine.ephemeral(); ok && r.overlaps(e) {
			s.l.warnAt(s.at(name), "passive_ports overlaps the kernel's own range",
				"The kernel gives ports %d to %d to outgoing connections, so some of the range will be taken at times. Choose ports below %d.",
				e.First, e.Last, e.First)
		}
		return r
	}
	return PortRange{}
}

func (r PortRange) overlaps(o PortRange) bool {
	return r != PortRange{} && o != PortRange{} && r.First <= o.Last && o.First <= r.Last
}

// compareListeners reports listeners that want the same ports of one address.
func (l *loader) compareListeners(xs []Listener, bs []*hclsyntax.Block) {
	for i, x := range xs {
		if !x.Address.IsValid() {
			continue
		}
		for _, y := range xs[:i] {
			if !y.Address.IsValid() || !sameHost(x.Address.Addr(), y.Address.Addr()) {
				continue
			}
			other := fmt.Sprintf("listener %q", y.Name)
			if x.Address.Port() == y.Address.Port() && x.Address.Port() != 0 {
				l.errorAt(bs[i].Body.Attributes["address"].Expr.Range(), "Two listeners on one address",
					"%s listens there already.", other)
			}
			if x.PassivePorts.overlaps(y.PassivePorts) {
				l.errorAt(bs[i].Body.Attributes["passive_ports"].Expr.Range(), "Two listeners with the same passive ports",
					"%s uses ports %d to %d of the same address.", other, y.PassivePorts.First, y.PassivePorts.Last)
			}
		}
		for _, y := range xs {
			if !y.Address.IsValid() || !sameHost(x.Address.Addr(), y.Address.Addr()) {
				continue
			}
			own, source := PortRange{y.Address.Port(), y.Address.Port()}, PortRange{x.SourcePort, x.SourcePort}
			if source.overlaps(own) || source.overlaps(y.PassivePorts) {
				l.errorAt(bs[i].Body.Attributes["active_source_port"].Expr.Range(), "active_source_port is listened on",
					"listener %q takes connections on port %d, so none can come from there.", y.Name, x.SourcePort)
			}
			if x.PassivePorts.overlaps(own) {
				l.errorAt(bs[i].Body.Attributes["passive_ports"].Expr.Range(), "passive_ports holds a listener's own port",
					"listener %q takes control connections on port %d.", y.Name, own.First)
			}
		}
	}
}

// sameHost reports whether some address belongs to both. The unspecified IPv6
// address stands for all addresses, the unspecified IPv4 address for all of IPv4.
func sameHost(a, b netip.Addr) bool {
	covers := func(a, b netip.Addr) bool {
		return a == b || a == netip.IPv6Unspecified() || a == netip.IPv4Unspecified() && b.Is4()
	}
	return covers(a, b) || covers(b, a)
}
