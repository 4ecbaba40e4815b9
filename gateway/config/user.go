package config

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// anonymousUser is user.name for anonymous users.
const anonymousUser = "anonymous"

func (l *loader) anonymous(b *hclsyntax.Block) *Anonymous {
	s := l.open(b, blocks["anonymous"], anonymousUser)
	x := &Anonymous{Names: []string{anonymousUser, "ftp"}, Filesystem: s.filesystem(anonymousUser)}
	s.checkPassthrough(x.Filesystem, true, false)
	names, ok := s.list("names", `["anonymous", "ftp"]`)
	if !ok {
		return x
	}
	x.Names = nil
	for _, n := range names {
		if err := l.checks.user(n.text); err != nil {
			l.errorAt(n.at, fmt.Sprintf("%s cannot be an anonymous name", capital(n.shown())), "%s.", capital(err.Error()))
		}
		x.Names = append(x.Names, n.text)
	}
	if len(names) == 0 {
		l.errorAt(s.at("names"), "names is empty", "Nobody could log in. Remove the anonymous block to allow no anonymous logins.")
	}
	return x
}

func (l *loader) user(b *hclsyntax.Block, a *Anonymous, everybody Rates) User {
	name := b.Labels[0]
	if err := l.checks.user(name); err != nil {
		l.errorAt(b.LabelRanges[0], fmt.Sprintf("%q cannot be a user name", clip(name)), "%s.", capital(err.Error()))
		name = "user" // what else is wrong can still be found
	}
	if a != nil && slices.ContainsFunc(a.Names, func(n string) bool { return strings.EqualFold(n, name) }) {
		l.errorAt(b.LabelRanges[0], fmt.Sprintf("%q is an anonymous name", name),
			"The anonymous block lets everyone in under this name, so the user's password would never be asked for.")
	}
	s := l.open(b, blocks["user"], name)
	x := User{
		Name:         name,
		ClientName:   s.clientName(),
		PasswordHash: s.passwordHash(),
		Filesystem:   s.filesystem(name),
		Access:       choice(s, "access", ReadWrite, ReadOnly, ReadWrite, DropBox),
		OnConflict:   Overwrite,
		Commit:       choice(s, "commit", Strict, Strict, Lenient),
		ResumeWindow: s.duration("resume_window", 0, 0),
		AllowFrom:    s.networks("allow_from", "Nobody could log in. Leave it out to allow logins from anywhere."),
		RequireTLS:   choice(s, "require_tls", RequireNone, RequireNone, RequireLogin, RequireData),
		DenyNames:    s.patterns("deny_names"),
		MaxUpload:    s.size("max_upload", `"1GiB"`, 1, math.MaxInt64, 0),
		MaxSessions:  s.number("max_sessions", 1, maxConnections, 0),
		Rates:        s.rates(everybody),
	}
	s.checkPassthrough(x.Filesystem, false, s.set("client_name"))
	if f := x.Filesystem.FTP; f != nil && f.Passthrough && x.ResumeWindow > 0 {
		l.warnAt(s.at("resume_window"), "Nothing is held",
			"%s has passthrough = true: what it knows, it forgets with the session. A cut upload has to be sent again from its start.", x.Filesystem)
	}
	if x.Access == DropBox {
		x.OnConflict = Refuse
	}
	x.OnConflict = choice(s, "on_conflict", x.OnConflict, Overwrite, Refuse, Rename)
	if x.Access == DropBox && x.OnConflict == Overwrite {
		l.errorAt(s.at("on_conflict"), "A drop-box never overwrites",
			"With access = \"drop-box\" on_conflict is \"refuse\" (what it is if left out) or \"rename\".")
	}
	return x
}

// patterns reads a list of patterns of one name each.
func (s *section) patterns(name string) []string {
	items, _ := s.list(name, `["*.php", ".*"]`)
	var patterns []string
	for _, x := range items {
		switch {
		case x.text == "":
			s.l.errorAt(x.at, "A pattern is empty", "It would match no name.")
		case strings.Contains(x.text, "/"):
			s.l.errorAt(x.at, fmt.Sprintf("%s cannot be a pattern", capital(x.shown())),
				"It is compared with single names, of files and directories, and those hold no slash.")
		case strings.Count(x.text, "*") > maxStars:
			s.l.errorAt(x.at, fmt.Sprintf("%s cannot be a pattern", capital(x.shown())), "It has more than %d stars.", maxStars)
		}
		patterns = append(patterns, x.text)
	}
	return patterns
}

// passwordHash reads the hash and never says anything of its value.
func (s *section) passwordHash() string {
	const name, example = hashAttribute, `"$argon2id$..." (ftpgate hash makes one)`
	if !s.set(name) {
		if !s.set("client_name") {
			s.missing(name, example)
		}
		return ""
	}
	text, v, ok := s.text(name, example)
	if !ok {
		return ""
	}
	if err := s.l.checks.hash(text); err != nil {
		s.wrong(name, v, "%s.", capital(err.Error()))
	}
	return text
}

// clientName reads the name that the client's certificate must have.
func (s *section) clientName() string {
	const name = "client_name"
	text, v, ok := s.text(name, `"scanner-7.example.org"`)
	if ok && strings.TrimSpace(text) == "" {
		s.wrong(name, v, "It is a name in the client's certificate: its common name, a DNS name or an email address.")
	}
	return text
}

// checkProtection reports users that no listener could let in.
func (l *loader) checkProtection(listeners []Listener, users []User, bs []*hclsyntax.Block) {
	hasTLS := slices.ContainsFunc(listeners, func(x Listener) bool { return x.TLS != nil })
	hasCA := slices.ContainsFunc(listeners, func(x Listener) bool { return x.TLS != nil && x.TLS.ClientCA != "" })
	authorities := make(map[string]bool)
	for _, x := range listeners {
		if x.TLS != nil && x.TLS.ClientCA != "" {
			authorities[x.TLS.ClientCA] = true
		}
	}
	for i, u := range users {
		attrs := bs[i].Body.Attributes
		if u.ClientName != "" && len(authorities) > 1 {
			l.warnAt(attrs["client_name"].Expr.Range(), "Listeners have different authorities",
				"A certificate with this name will do from the client_ca of any of them, on its own listener: each authority can make one.")
		}
		if u.ClientName != "" && !hasCA {
			l.errorAt(attrs["client_name"].Expr.Range(), "No listener asks for certificates",
				"Set client_ca in the tls block of a listener, or this user can never log in.")
		}
		if u.RequireTLS != RequireNone && !hasTLS {
			l.errorAt(attrs["require_tls"].Expr.Range(), "No listener has TLS",
				"Give one a tls block, or this user can never log in.")
		}
	}
}

// networks reads a list of networks and addresses. empty says why it may not be
// empty; "": it may.
func (s *section) networks(name, empty string) []netip.Prefix {
	var networks []netip.Prefix
	for _, n := range s.placedNetworks(name, empty) {
		networks = append(networks, n.Prefix)
	}
	return networks
}

// placedNetwork is a network and where it stands.
type placedNetwork struct {
	netip.Prefix
	at hcl.Range
}

func (s *section) placedNetworks(name, empty string) (networks []placedNetwork) {
	items, ok := s.list(name, `["192.168.0.0/16"]`)
	if ok && len(items) == 0 && empty != "" {
		s.l.errorAt(s.at(name), fmt.Sprintf("%s is empty", name), "%s", empty)
	}
	for _, x := range items {
		p, problem := parseNetwork(x.text, x.secret)
		if problem != "" {
			s.l.errorAt(x.at, fmt.Sprintf("%s is not a network", capital(x.shown())), "%s", problem)
			continue
		}
		networks = append(networks, placedNetwork{p, x.at})
	}
	return networks
}

// parseNetwork reads a network or an address. The problem is a sentence, which quotes
// nothing of a secret, or empty.
func parseNetwork(text string, secret bool) (p netip.Prefix, problem string) {
	p, err := netip.ParsePrefix(text)
	if addr, err2 := netip.ParseAddr(text); err2 == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	switch {
	case err != nil:
		return p, `A network is an address and a length, "192.168.0.0/16" or "2001:db8::/32", or a single address.`
	case p.Addr().Is4In6():
		return p, "IPv4 networks are written as IPv4."
	case p != p.Masked():
		hint := ""
		if !secret {
			hint = fmt.Sprintf(" Did you mean %q?", p.Masked())
		}
		return p, "Some bits after its length are set." + hint
	}
	return p, ""
}

func (c Checks) hash(h string) error {
	if c.Hash == nil {
		return nil
	}
	return c.Hash(h)
}

func (c Checks) user(name string) error {
	if c.User == nil {
		return nil
	}
	return c.User(name)
}
