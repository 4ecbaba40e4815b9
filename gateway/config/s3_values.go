package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// noValue is for wrong, where the value is not to be quoted.
var noValue = cty.NilVal

// place is where the value of an attribute stands.
func (s *section) place(name string) *hcl.Range {
	at := s.at(name)
	return &at
}

// plain reads a text that cannot be empty if it is set, and that can be a header.
func (s *section) plain(name, example string) string {
	text, v, ok := s.text(name, example)
	switch {
	case !ok:
	case text == "":
		s.wrong(name, v, "It cannot be empty, for example: %s = %s", name, example)
	case !isPrintable(text):
		s.wrong(name, v, "It can hold printable ASCII characters only.")
	}
	return text
}

// isPrintable reports whether text can be part of a header of HTTP.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

var wordForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// word reads a text without spaces and the like.
func (s *section) word(name, example string) string {
	text, v, ok := s.text(name, example)
	if ok && !wordForm.MatchString(text) {
		s.wrong(name, v, "It is one word, for example: %s = %s", name, example)
	}
	return text
}

// bucketForm is what stores take; Amazon takes less. An access point is an ARN.
var bucketForm = regexp.MustCompile(`^(?:[A-Za-z0-9][A-Za-z0-9._-]{1,254}|arn:[A-Za-z0-9:/_-]+)$`)

func (s *section) bucket() string {
	const name, example = "bucket", `"acme-archive"`
	if !s.set(name) {
		s.missing(name, example)
		return ""
	}
	text, v, ok := s.text(name, example)
	if ok && !bucketForm.MatchString(text) {
		s.wrong(name, v, "It is the name of a bucket, without a scheme, a host or a slash, for example %s.", example)
	}
	return text
}

func (s *section) prefix() string {
	const name = "prefix"
	text, v, ok := s.text(name, `"ftp/${user.name}/"`)
	if !ok || text == "" {
		return ""
	}
	segments := strings.Split(strings.TrimSuffix(text, "/"), "/")
	switch {
	case strings.HasPrefix(text, "/"):
		s.wrong(name, v, "It must not begin with a slash: the keys in a bucket do not.")
	case !strings.HasSuffix(text, "/"):
		s.wrong(name, v, `It must end in a slash, or "ftp" would hold "ftpx" as well.`)
	case slices.ContainsFunc(segments, func(x string) bool { return x == "" || x == "." || x == ".." }):
		s.wrong(name, v, `Between two slashes there must be a name other than "." and "..".`)
	case strings.ContainsAny(text, "\x00\r\n") || len(text) > 900:
		s.wrong(name, v, "It cannot hold line ends, and must leave room for names: a key has 1,024 bytes.")
	}
	return text
}

func (s *section) endpoint() string {
	const name, example = "endpoint", `"https://s3.example.org"`
	text, v, ok := s.text(name, example)
	if !ok || text == "" {
		return "" // as of env("S3_ENDPOINT", "")
	}
	u, err := url.Parse(text)
	switch {
	case strings.ContainsAny(text, "@?#"): // a password may be in it: its line is not shown
		s.l.report(false, &s.header, "endpoint is not valid",
			"It is a URL without user, query and fragment. Keys are set with access_key_id and secret_access_key.")
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", !validPort(u.Port()):
		s.wrong(name, v, "It is the URL of a store, for example %s. Leave it out for Amazon's.", example)
	case u.Scheme == "http" && !isLocal(u.Hostname()):
		s.l.warnAt(s.at(name), "The files travel in the clear", "The endpoint is not an https URL, so everyone on the way can read what is stored and fetched.")
	}
	return text
}

// validPort reports whether the port of a URL is one, or none.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func isPlainHTTP(endpoint string) bool { return strings.HasPrefix(strings.ToLower(endpoint), "http:") }

// isLocal reports whether a host is this machine, or in a network of its own.
func isLocal(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && Private(addr) || err != nil && !strings.Contains(host, ".")
}

func (s *section) storageClass() string {
	const name = "storage_class"
	text := s.word(name, `"STANDARD_IA"`)
	if text == "GLACIER" || text == "DEEP_ARCHIVE" {
		s.l.warnAt(s.at(name), "Files cannot be read back at once",
			"Objects of this class must be restored first: RETR, APPE and RNFR are answered 550 until then. GLACIER_IR has no such wait.")
	}
	return text
}

func (s *section) acl() string {
	const name = "acl"
	acl := choice(s, name, "", "private", "public-read", "public-read-write", "authenticated-read",
		"aws-exec-read", "bucket-owner-read", "bucket-owner-full-control")
	if strings.HasPrefix(acl, "public-") {
		s.l.warnAt(s.at(name), "Everyone on the internet can read what is uploaded", "It is meant for a bucket that is a public site.")
	}
	return acl
}

// proxy reads the URL of a proxy, which may hold a password.
func (s *section) proxy() string {
	const name = "http_proxy"
	text, v, ok := s.text(name, `"http://proxy.example.org:3128"`)
	if !ok || text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
		s.wrong(name, v, "It is the URL of a proxy: http://, https:// or socks5://, and a host.")
	}
	return text
}

// What S3 takes.
const (
	maxTags     = 10
	maxTagKey   = 128
	maxTagValue = 256
	maxMetadata = 2048 // bytes, keys and values together
)

func (s *section) tags() map[string]string {
	const name = "tags"
	ps, _ := s.pairs(name, `{ source = "ftp" }`)
	m := make(map[string]string)
	for _, p := range ps {
		if p.key.text == "" || len(p.key.text) > maxTagKey || len(p.value.text) > maxTagValue || strings.HasPrefix(p.key.text, "aws:") {
			s.l.errorAt(s.at(name), capital(p.key.shown())+" cannot be a tag", "A key has 1 to %d characters and does not begin with aws:, a value has up to %d.", maxTagKey, maxTagValue)
		}
		m[p.key.text] = p.value.text
	}
	if len(m) > maxTags {
		s.l.errorAt(s.at(name), "Too many tags", "An object can have %d.", maxTags)
	}
	return someOrNil(m)
}

var metadataForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (s *section) metadata() map[string]string {
	const name = "metadata"
	ps, _ := s.pairs(name, `{ uploaded-by = "${user.name}" }`)
	m := make(map[string]string)
	total := 0
	for _, p := range ps {
		switch {
		case p.key.text == "mtime" || strings.HasPrefix(p.key.text, "ftpgate-"):
			s.l.errorAt(s.at(name), capital(p.key.shown())+" cannot be a key of metadata", "ftpgate uses mtime and what begins with ftpgate- itself.")
		case !metadataForm.MatchString(p.key.text):
			s.l.errorAt(s.at(name), capital(p.key.shown())+" cannot be a key of metadata", "It is made of lower-case letters, digits, hyphens and underscores.")
		case !isPrintable(p.value.text):
			s.l.errorAt(s.at(name), "The value of "+capital(p.key.shown())+" cannot be metadata", "It can hold printable ASCII characters only.")
		}
		total += len(p.key.text) + len(p.value.text)
		m[p.key.text] = p.value.text
	}
	if total > maxMetadata {
		s.l.errorAt(s.at(name), "Too much metadata", "An object can have %d bytes of it, keys included.", maxMetadata)
	}
	return someOrNil(m)
}

func someOrNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
