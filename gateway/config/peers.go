package config

import "net/netip"

// Networks of proxy_protocol with fewer bits than these are warned of.
const (
	vast4 = 8
	vast6 = 16
)

// proxyProtocol reads the networks of load balancers.
func (s *section) proxyProtocol(name string) (networks []netip.Prefix) {
	for _, n := range s.placedNetworks(name, "No load balancer could send a header. Leave it out if there is none.") {
		switch {
		case n.Bits() == 0:
			s.l.errorAt(n.at, "Everybody would be a load balancer",
				"A network of length 0 is all addresses: anyone could claim to come from anywhere. List the load balancers only.")
		case n.Bits() < vast4 || n.Addr().Is6() && n.Bits() < vast6:
			s.l.warnAt(n.at, "proxy_protocol has a huge network",
				"Everybody in it can claim to come from anywhere. List the load balancers only.")
		}
		networks = append(networks, n.Prefix)
	}
	return networks
}

// Networks of data_peers with fewer bits than these are warned of.
const (
	wide4 = 16
	wide6 = 48
)

// dataPeers reads the networks whose addresses stand for one another.
func (s *section) dataPeers(name string) (networks []netip.Prefix) {
	for _, n := range s.placedNetworks(name, "It would let nobody in. Leave it out to accept data connections from the client's own address only.") {
		for _, other := range networks {
			if n.Overlaps(other) {
				s.l.errorAt(n.at, "Two networks overlap", "One that stands before it has some of the same addresses. Keep the one that is meant.")
			}
		}
		if narrow := n.Bits() >= wide4 && n.Addr().Is4() || n.Bits() >= wide6; !narrow {
			s.l.warnAt(n.at, "data_peers has a large network",
				"Every address in it may take over the data connections of every other, and all of them together can begin only as many transfers at once as there are passive ports. List the addresses of the NAT only.")
		}
		networks = append(networks, n.Prefix)
	}
	return networks
}
