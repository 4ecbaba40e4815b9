package ftp

import (
	"net/netip"
	"strconv"
	"strings"
)

// ParseHostPort reads the argument of PORT, "h1,h2,h3,h4,p1,p2": exactly six
// decimal numbers of one to three digits, each at most 255, nothing else
// (RFC 959 §5.3.2). Whether the address may be used is the caller's question.
// The error is ErrSyntax.
func ParseHostPort(arg string) (netip.AddrPort, error) {
	var v [6]byte
	for i := range v {
		field, rest, found := strings.Cut(arg, ",")
		n, ok := number(field, 3, 255)
		if !ok || found != (i < len(v)-1) {
			return netip.AddrPort{}, ErrSyntax
		}
		v[i], arg = byte(n), rest
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(v[:4])), uint16(v[4])<<8|uint16(v[5])), nil
}

// FormatHostPort is the inverse of ParseHostPort, for IPv4 and IPv4-mapped
// addresses. Others have no such form; for them it is "".
func FormatHostPort(a netip.AddrPort) string {
	addr := a.Addr().Unmap()
	if !addr.Is4() {
		return ""
	}
	b := make([]byte, 0, len("255,255,255,255,255,255"))
	for _, n := range addr.As4() {
		b = strconv.AppendUint(b, uint64(n), 10)
		b = append(b, ',')
	}
	b = strconv.AppendUint(b, uint64(a.Port()>>8), 10)
	b = append(b, ',')
	b = strconv.AppendUint(b, uint64(a.Port()&0xFF), 10)
	return string(b)
}

// PassiveReply is the answer to PASV. For an address that is not IPv4 it is
// the 502 that sends the client to EPSV.
func PassiveReply(a netip.AddrPort) Reply {
	hostPort := FormatHostPort(a)
	if hostPort == "" {
		return Replyf(502, "PASV is available only for IPv4 (use EPSV instead).")
	}
	return Replyf(227, "Entering Passive Mode (%s).", hostPort)
}

// ParsePassiveReply finds the address in a 227 reply: in parentheses, or else,
// as some servers write it, the first six numbers that stand together anywhere
// (RFC 1123 §4.1.2.6). A client should use the port and the control
// connection's peer; the address may be a lie. The error is ErrSyntax.
func ParsePassiveReply(r Reply) (netip.AddrPort, error) {
	if r.Code != 227 {
		return netip.AddrPort{}, ErrSyntax
	}
	for _, line := range r.Lines {
		if _, rest, ok := strings.Cut(line, "("); ok {
			inner, _, _ := strings.Cut(rest, ")")
			if a, err := ParseHostPort(inner); err == nil {
				return a, nil
			}
		}
	}
	for _, line := range r.Lines {
		for i := 0; i < len(line); i++ {
			if !isDigit(line[i]) {
				continue
			}
			end := i
			for end < len(line) && (isDigit(line[end]) || line[end] == ',') {
				end++
			}
			negative := i > 0 && line[i-1] == '-'
			if a, err := ParseHostPort(strings.TrimSuffix(line[i:end], ",")); err == nil && !negative {
				return a, nil
			}
			i = end
		}
	}
	return netip.AddrPort{}, ErrSyntax
}
