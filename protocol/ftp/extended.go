package ftp

import (
	"net/netip"
	"strconv"
	"strings"
)

// Family is a network protocol as RFC 2428 §2 numbers it.
type Family int

const (
	FamilyAny Family = 0 // none was asked for
	IPv4      Family = 1
	IPv6      Family = 2
)

// The delimiters that RFC 2428 §2 allows.
const (
	minDelimiter = 33
	maxDelimiter = 126
)

// ParseExtendedPort reads the argument of EPRT, "|family|address|port|" with
// any delimiter (RFC 2428 §2). The address is a literal of that family: no name,
// no zone, and no IPv4-mapped IPv6 address, which would be a second spelling to
// check. The error is ErrNetworkProtocol for a family other than 1 and 2,
// whatever follows it, otherwise ErrSyntax.
func ParseExtendedPort(arg string) (netip.AddrPort, error) {
	if arg == "" || arg[0] < minDelimiter || arg[0] > maxDelimiter {
		return netip.AddrPort{}, ErrSyntax
	}
	delimiter := arg[:1]
	number1, rest, _ := strings.Cut(arg[1:], delimiter)
	address, rest, _ := strings.Cut(rest, delimiter)
	number2, rest, closed := strings.Cut(rest, delimiter)
	family, ok := number(number1, 5, 65535)
	if !ok {
		return netip.AddrPort{}, ErrSyntax
	}
	if Family(family) != IPv4 && Family(family) != IPv6 {
		return netip.AddrPort{}, ErrNetworkProtocol
	}
	port, ok := number(number2, 5, 65535)
	if !ok || !closed || rest != "" {
		return netip.AddrPort{}, ErrSyntax
	}
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.Is4() != (Family(family) == IPv4) {
		return netip.AddrPort{}, ErrSyntax
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

// FormatExtendedPort is the inverse of ParseExtendedPort. IPv4-mapped addresses
// are written as IPv4, zones are left out, and the invalid address is "".
func FormatExtendedPort(a netip.AddrPort) string {
	addr := a.Addr().Unmap().WithZone("")
	if !addr.IsValid() {
		return ""
	}
	family := IPv6
	if addr.Is4() {
		family = IPv4
	}
	return "|" + strconv.Itoa(int(family)) + "|" + addr.String() + "|" + strconv.Itoa(int(a.Port())) + "|"
}

// ParseExtendedPassive reads the argument of EPSV: nothing, a family, or ALL in
// any case (RFC 2428 §3). The error is ErrNetworkProtocol for another family's
// number, otherwise ErrSyntax.
func ParseExtendedPassive(arg string) (family Family, all bool, err error) {
	if arg == "" {
		return FamilyAny, false, nil
	}
	if len(arg) == len("ALL") && strings.EqualFold(arg, "ALL") {
		return FamilyAny, true, nil
	}
	n, ok := number(arg, 5, 65535)
	switch {
	case !ok:
		return FamilyAny, false, ErrSyntax
	case Family(n) == IPv4, Family(n) == IPv6:
		return Family(n), false, nil
	}
	return FamilyAny, false, ErrNetworkProtocol
}

// ExtendedPassiveReply is the answer to EPSV.
func ExtendedPassiveReply(port uint16) Reply {
	return Replyf(229, "Entering Extended Passive Mode (|||%d|)", port)
}

// ParseExtendedPassiveReply finds the port in a 229 reply, "(|||port|)" with
// any delimiter (RFC 2428 §3). The error is ErrSyntax.
func ParseExtendedPassiveReply(r Reply) (port uint16, err error) {
	if r.Code != 229 {
		return 0, ErrSyntax
	}
	for _, line := range r.Lines {
		_, rest, found := strings.Cut(line, "(")
		for ; found; _, rest, found = strings.Cut(rest, "(") {
			inner, _, closed := strings.Cut(rest, ")")
			if !closed {
				break
			}
			if len(inner) < 5 || inner[0] < minDelimiter || inner[0] > maxDelimiter {
				continue
			}
			d := inner[0]
			if inner[1] != d || inner[2] != d || inner[len(inner)-1] != d {
				continue
			}
			if n, ok := number(inner[3:len(inner)-1], 5, 65535); ok {
				return uint16(n), nil
			}
		}
	}
	return 0, ErrSyntax
}
