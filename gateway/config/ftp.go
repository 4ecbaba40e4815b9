package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// FTP is a directory of an upstream FTP server.
type FTP struct {
	Address        string // host or host:port
	User, Password string // empty with Passthrough
	Passthrough    bool   // the client's own name and password
	TLS            UpstreamTLS
	TLSVerify      bool
	TLSName        string // that the certificate must have; empty: the host
	CAFile         string
	Active         bool
	Root           string // absolute
	MaxConnections int
	Encoding       string         // of names; empty: none
	TimeZone       *time.Location // of LIST; nil: UTC
	LocalTimes     bool           // MLSD, MDTM and MFMT are in TimeZone, too

	TemporaryPrefix string // of the names of uploads under way; empty: the backend's own

	ConnectTimeout, Timeout, StallTimeout time.Duration
}

// UpstreamTLS is how connections to an upstream server are protected.
type UpstreamTLS string

// The ways.
const (
	UpstreamPlain    UpstreamTLS = "none"
	UpstreamExplicit UpstreamTLS = "explicit"
	UpstreamImplicit UpstreamTLS = "implicit"
)

func (s *section) ftp() *FTP {
	x := &FTP{
		Address:        s.upstream(),
		User:           s.credential("user", `"scanner"`),
		Password:       s.credential("password", `env("UPSTREAM_PASSWORD")`),
		Passthrough:    s.boolean("passthrough"),
		TLS:            choice(s, "tls", UpstreamExplicit, UpstreamExplicit, UpstreamImplicit, UpstreamPlain),
		TLSVerify:      s.booleanOr("tls_verify", true),
		Active:         s.boolean("active"),
		Root:           s.upstreamRoot(),
		MaxConnections: s.number("max_connections", minUpstreamConnections, maxConnections, DefaultUpstreamConnections),
		Encoding:       s.encoding(),
		TimeZone:       s.timeZone(),
		LocalTimes:     s.boolean("local_times"),

		TemporaryPrefix: s.temporaryPrefix(),

		ConnectTimeout: s.duration("connect_timeout", leastTimeout, DefaultConnectTimeout),
		Timeout:        s.duration("timeout", leastTimeout, DefaultStoreTimeout),
		StallTimeout:   s.duration("stall_timeout", leastTimeout, DefaultStallTimeout),
	}
	if s.set("ca_file") {
		x.CAFile = s.file("ca_file", `"/etc/ftpgate/upstream-ca.pem"`)
	}
	x.TLSName, _, _ = s.text("tls_name", `"ftp.example.org"`)
	s.checkFTP(x)
	return x
}

// checkFTP reports values that do not go together.
func (s *section) checkFTP(x *FTP) {
	for _, name := range []string{"user", "password"} {
		switch {
		case x.Passthrough && s.set(name):
			s.l.report(false, s.place(name), "Two kinds of credentials", "With passthrough = true clients log in there with their own, so "+name+" has no use.")
		case !x.Passthrough && !s.set(name):
			s.missing(name, map[string]string{"user": `"scanner"`, "password": `env("UPSTREAM_PASSWORD")`}[name])
		}
	}
	for _, name := range []string{"tls_verify", "tls_name", "ca_file"} {
		if x.TLS == UpstreamPlain && s.set(name) {
			s.l.report(false, s.place(name), name+" needs TLS", `It has no meaning with tls = "none".`)
		}
	}
	if x.LocalTimes && !s.set("time_zone") {
		s.l.report(false, s.place("local_times"), "local_times needs a time zone", "Say in which zone the server's times are, for example: time_zone = \"Europe/Berlin\"")
	}
	host, _, err := net.SplitHostPort(x.Address)
	if err != nil {
		host = x.Address
	}
	switch {
	case x.TLS == UpstreamPlain && !isLocal(host):
		s.l.warnAt(s.at("tls"), "Passwords and files travel in the clear", "Everyone on the way to the server can read them.")
	case x.TLS != UpstreamPlain && !x.TLSVerify && s.set("tls_verify"):
		s.l.warnAt(s.at("tls_verify"), "The server is not verified",
			"Whoever answers at its address gets the password. For a certificate of its own, name it in ca_file, and its name in tls_name.")
	}
}

// upstream reads host or host:port.
func (s *section) upstream() string {
	const name, example = "address", `"10.0.0.7:21"`
	if !s.set(name) {
		s.missing(name, example)
		return ""
	}
	text, v, ok := s.text(name, example)
	if !ok {
		return ""
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, "21"
	}
	n, err := strconv.Atoi(port)
	if host == "" || strings.ContainsAny(host, "/@ \x00\r\n") || err != nil || n < 1 || n > 65535 {
		s.wrong(name, v, "It is a host and perhaps a port, without a scheme, a user or a path, for example %s.", example)
	}
	return text
}

// credential reads a text that can be the argument of USER or PASS.
func (s *section) credential(name, example string) string {
	text, v, ok := s.text(name, example)
	switch {
	case !ok:
	case text == "" && name == "user":
		s.wrong(name, v, "It cannot be empty, for example: %s = %s", name, example)
	case strings.ContainsAny(text, "\x00\r\n"):
		s.wrong(name, v, "It cannot hold a line end or a NUL byte.")
	}
	return text
}

func (s *section) upstreamRoot() string {
	const name = "root"
	text, v, ok := s.text(name, `"/scans/${user.name}"`)
	if !ok {
		return "/"
	}
	segments := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '\\' })
	switch {
	case !strings.HasPrefix(text, "/"):
		s.wrong(name, v, "It is a directory of the server, from its root: it begins with a slash.")
	case slices.Contains(segments, "..") || slices.Contains(segments, ".") || strings.ContainsAny(text, "\x00\r\n"):
		s.wrong(name, v, `Between two slashes there must be a name other than "." and "..", without a line end.`)
	}
	return text
}

func (s *section) encoding() string {
	const name = "encoding"
	text, v, ok := s.text(name, `"windows-1252"`)
	if !ok {
		return ""
	}
	e, err := htmlindex.Get(text)
	if err != nil {
		s.wrong(name, v, `It is the name of an encoding as browsers know it, such as "windows-1252", "shift_jis" or "gbk". Leave it out for UTF-8.`)
		return ""
	}
	if canonical, err := htmlindex.Name(e); err == nil && canonical == "utf-8" {
		return "" // no conversion
	}
	return text
}

// temporaryPrefix reads what temporary names begin with. So that it cannot hide whole directories by mistake it
// is not short, and so that every server takes it, it is plain.
func (s *section) temporaryPrefix() string {
	const name = "temporary_prefix"
	text, v, ok := s.text(name, `".gateway-"`)
	if ok && (len(text) < 4 || len(text) > 32 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || strings.HasPrefix(text, "..")) {
		s.wrong(name, v, "It is 4 to 32 small letters, digits, dots, hyphens and underscores, not two dots first, for example %s.", `".gateway-"`)
	}
	return text
}

func (s *section) timeZone() *time.Location {
	const name = "time_zone"
	text, v, ok := s.text(name, `"Europe/Berlin"`)
	if !ok {
		return nil
	}
	zone, err := time.LoadLocation(text)
	if err != nil || text == "" {
		s.wrong(name, v, "It is the name of a time zone that this machine knows, for example %q.", "Europe/Berlin")
		return nil
	}
	return zone
}

// checkPassthrough reports who has no password to pass through.
func (s *section) checkPassthrough(b Backend, guest, certified bool) {
	if b.FTP == nil || !b.FTP.Passthrough {
		return
	}
	const summary = "There is no password to pass through"
	switch {
	case s.set(hashAttribute):
	case certified:
		s.l.report(false, s.place("filesystem"), summary, fmt.Sprintf(
			"A login by certificate alone has none, and %s has passthrough = true. Set password_hash, or use a backend with a user of its own.", b))
	case guest:
		s.l.report(false, s.place("filesystem"), summary, fmt.Sprintf(
			"%s has passthrough = true, which guests cannot use: give them a backend with a user of its own.", b))
	}
}
