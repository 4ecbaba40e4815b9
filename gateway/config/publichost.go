package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Host is what PASV announces. At most one field is set; none: the address that
// the client reached.
type Host struct {
	Addr netip.Addr // IPv4
	Name string     // DNS name
}

// NetworkHost is what PASV announces to the clients of a network.
type NetworkHost struct {
	Network netip.Prefix // IPv4
	Host    Host
}

// localHost is how a configuration names the address that the client reached.
const localHost = "local"

// publicHost reads what PASV announces to everybody who is in no network of public_hosts.
func (s *section) publicHost(name, example string) Host {
	text, v, ok := s.text(name, example)
	if !ok || text == "" {
		return Host{}
	}
	h, problem := parseHost(text)
	if problem != "" {
		s.wrong(name, v, "%s", problem)
	}
	return h
}

// parseHost reads an address, a name or "local". The problem is a sentence that
// does not quote text, or empty.
func parseHost(text string) (h Host, problem string) {
	addr, err := netip.ParseAddr(text)
	switch addr = addr.Unmap(); {
	case text == localHost:
		return Host{}, ""
	case err == nil && !addr.Is4(), err != nil && strings.Trim(text, "0123456789.") == "":
		return Host{}, `It must be an IPv4 address, as "203.0.113.7": a PASV reply has room for nothing else.`
	case addr.IsUnspecified(), addr.IsMulticast():
		return Host{}, "Clients must be able to connect to it."
	case err == nil:
		return Host{Addr: addr}, ""
	case len(text) > maxHostname || !hostnameForm.MatchString(text):
		return Host{}, `It is an IPv4 address, "203.0.113.7", or a DNS name, "ftp.example.org", without a port.`
	}
	return Host{Name: text}, ""
}

// hostnameForm is a DNS name of a machine (RFC 1123 §2.1), with the underscore that
// container networks use.
var hostnameForm = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.|$))+$`)

// maxHostname is the length of the longest DNS name.
const maxHostname = 253

// pair is one entry of a map of texts.
type pair struct{ key, value item }

// pairs reads a map of texts in the order in which it is written, if it is written
// out, else by key.
func (s *section) pairs(name, example string) (ps []pair, ok bool) {
	v, ok := s.value(name, cty.Map(cty.String), example)
	if !ok {
		return nil, false
	}
	bare, marks := v.Unmark()
	values := bare.AsValueMap()
	add := func(key string, at, valueAt hcl.Range) {
		p := pair{item{key, at, len(marks) > 0}, item{"", valueAt, len(marks) > 0}}
		if e := values[key]; !e.IsNull() {
			p.value.secret = p.value.secret || e.IsMarked()
			e, _ = e.Unmark()
			p.value.text = e.AsString()
		}
		ps = append(ps, p)
	}
	written, ds := hcl.ExprMap(s.attrs[name].Expr)
	if ds.HasErrors() {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			add(key, s.at(name), s.at(name))
		}
		return ps, true
	}
	for _, w := range written {
		k, _ := w.Key.Value(s.vars) // no error: it has been evaluated before
		k, _ = k.Unmark()
		if k, err := convert.Convert(k, cty.String); err == nil {
			add(k.AsString(), w.Key.Range(), w.Value.Range())
		}
	}
	return ps, true
}

// publicHosts reads what PASV announces to the clients of some networks, the longest
// prefix first. It wants the rest of the listener to warn of what its clients cannot reach.
func (s *section) publicHosts(name string, x Listener) []NetworkHost {
	ps, _ := s.pairs(name, `{ "10.0.0.0/8" = "local" }`)
	var hosts []NetworkHost
	for _, p := range ps {
		network, problem := parseNetwork(p.key.text, p.key.secret)
		if problem == "" && !network.Addr().Is4() {
			problem = "Only IPv4 clients use PASV."
		}
		if problem != "" {
			s.l.errorAt(p.key.at, fmt.Sprintf("%s is not a network", capital(p.key.shown())), "%s", problem)
			continue
		}
		host, problem := parseHost(p.value.text)
		switch {
		case problem != "":
			s.l.errorAt(p.value.at, fmt.Sprintf("%s cannot be %s", name, p.value.shown()),
				`%s Or it is "local", the address that the client reached.`, problem)
		case slices.ContainsFunc(hosts, func(h NetworkHost) bool { return h.Network == network }):
			s.l.errorAt(p.key.at, fmt.Sprintf("%s is there twice", capital(p.key.shown())), "A network has one host.")
		case x.Public() && !PrivateNetwork(network):
			s.warnPrivate(p.value.at, host)
		}
		hosts = append(hosts, NetworkHost{network, host})
	}
	slices.SortStableFunc(hosts, func(a, b NetworkHost) int { return cmp.Compare(b.Network.Bits(), a.Network.Bits()) })
	return hosts
}

// warnPrivate warns of a private address that would be announced to clients on
// the internet. What names resolve to, and which addresses the machine has, only
// the running gateway knows: it warns in its log.
func (s *section) warnPrivate(at hcl.Range, h Host) {
	if Private(h.Addr) {
		s.l.warnAt(at, "Clients on the internet cannot reach this address",
			"It is a private address. Set the one that they see from outside; if no client comes from outside, say so with allow_from.")
	}
}
