package remote

import (
	"errors"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// URL is the address of a file or directory on a server (RFC 1738 §3.2). Its text never has the password.
type URL struct {
	Scheme   string // "ftp", "ftps" (TLS from the first byte) or "ftpes" (AUTH TLS)
	Host     string // without brackets
	Port     string // always set
	User     string // "" if the URL has none
	Path     string // to send: relative to the directory of the login, or from the root with a "/"; "" is the former
	Type     byte   // 'i' or 'd' of ;type=, or 0
	password string
	hasPass  bool
}

// schemes are what there is, with the default port and protection of each.
var schemes = map[string]struct {
	port     string
	security ftpclient.Security
}{
	"ftp":   {"21", ftpclient.Plain},
	"ftps":  {"990", ftpclient.Implicit},
	"ftpes": {"21", ftpclient.Explicit},
}

// IsURL reports whether an argument is meant as a URL and not as a local name.
func IsURL(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && scheme != "" && !strings.ContainsAny(scheme, `/\`)
}

// ParseURL reads a URL. Its errors do not quote it, as there may be a password in it.
func ParseURL(text string) (URL, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	s, known := schemes[scheme]
	switch {
	case !ok:
		return URL{}, errors.New("this is no URL; one looks like ftp://host/path, ftpes://host/path or ftps://host/path")
	case !known:
		return URL{}, errors.New("unknown scheme: there are ftp:// (no TLS), ftpes:// (explicit TLS) and ftps:// (implicit TLS)")
	}
	u := URL{Scheme: scheme, Port: s.port}
	authority, path, hasPath := strings.Cut(rest, "/")
	if strings.ContainsAny(authority, "?#") {
		return URL{}, errors.New(`"?" and "#" in names are written %3F and %23`)
	}
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		if err := u.setUser(authority[:at]); err != nil {
			return URL{}, err
		}
		authority = authority[at+1:]
	}
	if err := u.setHost(authority); err != nil {
		return URL{}, err
	}
	if hasPath {
		if err := u.setPath(path); err != nil {
			return URL{}, err
		}
	}
	return u, nil
}

func (u *URL) setUser(text string) error {
	user, password, has := strings.Cut(text, ":")
	var err1, err2 error
	u.User, err1 = unescape(user)
	u.password, err2 = unescape(password)
	u.hasPass = has
	if err1 != nil || err2 != nil {
		return errors.New("user or password of the URL: a % must be followed by two hexadecimal digits and cannot stand for CR, LF or NUL")
	}
	if u.User == "" {
		return errors.New("the URL has an @ and no user before it")
	}
	return nil
}

func (u *URL) setHost(text string) error {
	host, port := text, ""
	if strings.HasPrefix(text, "[") {
		var ok bool
		if host, port, ok = strings.Cut(text[1:], "]"); !ok || port != "" && port[0] != ':' {
			return errors.New("an IPv6 address stands in brackets: ftp://[2001:db8::1]:21/")
		}
		port = strings.TrimPrefix(port, ":")
	} else if h, p, ok := strings.Cut(text, ":"); ok {
		host, port = h, p
	}
	if host == "" {
		return errors.New("the URL has no host")
	}
	if strings.ContainsAny(host, " %\r\n\x00\\[]") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return errors.New("the host of the URL is not valid")
	}
	u.Host = host
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return errors.New("the port of the URL is not a number from 1 to 65535; a / or @ in a password is written %2F or %40")
	}
	u.Port = strconv.FormatUint(n, 10)
	return nil
}

// setPath decodes the path segment by segment (RFC 1738 §3.2.2): it is relative to where the login leads,
// unless it begins with an encoded or a second slash.
func (u *URL) setPath(text string) error {
	const mark = ";type="
	if i := strings.LastIndexByte(text, ';'); i >= 0 && len(text)-i >= len(mark) && strings.EqualFold(text[i:i+len(mark)], mark) {
		switch kind := strings.ToLower(text[i+len(mark):]); kind {
		case "i", "d":
			u.Type = kind[0]
		case "a":
			return errors.New(";type=a is not supported: files are transferred as they are")
		default:
			return errors.New("after ;type= comes i (a file) or d (a directory)")
		}
		text = text[:i]
	}
	if strings.ContainsAny(text, "?#") {
		return errors.New(`"?" and "#" in names are written %3F and %23`)
	}
	p, err := unescape(text)
	if err != nil {
		return errors.New("the path of the URL: a % must be followed by two hexadecimal digits and cannot stand for CR, LF or NUL")
	}
	if strings.HasPrefix(p, "/") {
		p = "/" + strings.TrimLeft(p, "/")
	}
	u.Path = p
	return nil
}

// unescape decodes %XX. CR, LF and NUL have no place in anything that is sent.
func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", errors.New("incomplete escape")
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", errors.New("bad escape")
			}
			c = byte(n)
			i += 2
		}
		if c == '\r' || c == '\n' || c == 0 {
			return "", errors.New("control character")
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// Security is the protection that the scheme stands for.
func (u URL) Security() ftpclient.Security { return schemes[u.Scheme].security }

// Address is host and port.
func (u URL) Address() string { return net.JoinHostPort(u.Host, u.Port) }

// HasPassword reports whether the URL holds a password.
func (u URL) HasPassword() bool { return u.hasPass }

// Dir reports whether the URL says that it is of a directory.
func (u URL) Dir() bool { return u.Type == 'd' || u.Path == "" || strings.HasSuffix(u.Path, "/") }

// Base is the last element of the path; "" if there is none.
func (u URL) Base() string {
	if b := path.Base(strings.TrimRight(u.Path, "/")); b != "." && b != "/" {
		return b
	}
	return ""
}

// Site is the part that says which server, and as whom: two URLs with the same Site share connections.
func (u URL) Site() string {
	user := ""
	if u.User != "" {
		user = escape(u.User, true) + "@"
	}
	port := ""
	if u.Port != schemes[u.Scheme].port {
		port = ":" + u.Port
	}
	host := u.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + user + host + port
}

// String is the URL without the password.
func (u URL) String() string {
	p := u.Path
	if rest, ok := strings.CutPrefix(p, "/"); ok {
		p = "%2F" + escape(rest, false)
	} else {
		p = escape(p, false)
	}
	return u.Site() + "/" + p
}

// GoString keeps %#v from showing the password.
func (u URL) GoString() string { return fmt.Sprintf("remote.URL(%q)", u.String()) }

// With is the URL of another path on the same server.
func (u URL) With(path string) URL {
	u.Path, u.Type = path, 0
	return u
}

func escape(s string, user bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c <= ' ' || c == 0x7F || strings.IndexByte(`%?#;"<>\`, c) >= 0, user && strings.IndexByte(`/:@[]`, c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
