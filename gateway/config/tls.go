package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TLS is how a listener protects connections.
type TLS struct {
	Mode            TLSMode
	Require         RequireTLS
	CertFile        string   // certificate chain, PEM
	KeyFile         string   // PEM
	MinVersion      uint16   // tls.VersionTLS10 and so on
	CipherSuites    []uint16 // beside Go's own choice; for old devices, TLS 1.2 and below
	SessionReuse    SessionReuse
	AllowTruncation bool   // an upload may end without close_notify
	ClientCA        string // certificates that client certificates are signed by; empty: none are asked for
	ClientCert      ClientCert
}

// TLSMode says when TLS begins.
type TLSMode string

// The modes.
const (
	TLSExplicit TLSMode = "explicit" // with AUTH TLS
	TLSImplicit TLSMode = "implicit" // with the first byte
)

// RequireTLS says what must be protected.
type RequireTLS string

// What must be protected, each including the one before it.
const (
	RequireNone  RequireTLS = "none"
	RequireLogin RequireTLS = "login"
	RequireData  RequireTLS = "data"
)

// SessionReuse says what is made of data connections with a TLS session of their own.
type SessionReuse string

// What is made of them.
const (
	ReuseLog     SessionReuse = "log"
	ReuseOff     SessionReuse = "off"
	ReuseRequire SessionReuse = "require"
)

// ClientCert says whether a client must have a certificate.
type ClientCert string

// Whether it must.
const (
	ClientCertOptional ClientCert = "optional"
	ClientCertRequired ClientCert = "required"
)

// tlsVersions are the values of min_version.
var tlsVersions = []struct {
	text    string
	version uint16
}{{"1.0", tls.VersionTLS10}, {"1.1", tls.VersionTLS11}, {"1.2", tls.VersionTLS12}, {"1.3", tls.VersionTLS13}}

// tlsBlock reads the tls block of a listener; nil if there is none.
func (l *loader) tlsBlock(b *hclsyntax.Block) *TLS {
	for _, inner := range b.Body.Blocks {
		if inner.Type != "tls" {
			continue
		}
		s := l.open(inner, tlsSchema, "")
		x := &TLS{
			Mode:            choice(s, "mode", TLSExplicit, TLSExplicit, TLSImplicit),
			Require:         choice(s, "require", RequireLogin, RequireNone, RequireLogin, RequireData),
			CertFile:        s.needed("cert_file", `"/etc/ftpgate/cert.pem"`),
			KeyFile:         s.needed("key_file", `"/etc/ftpgate/key.pem"`),
			MinVersion:      s.minVersion(),
			CipherSuites:    s.cipherSuites(),
			SessionReuse:    choice(s, "session_reuse", ReuseLog, ReuseOff, ReuseLog, ReuseRequire),
			AllowTruncation: s.boolean("allow_truncation"),
		}
		if x.SessionReuse == ReuseRequire && s.set("require") && x.Require != RequireData {
			l.warnAt(s.at("require"), fmt.Sprintf("require = %q is not enough for session_reuse", x.Require),
				"session_reuse = \"require\" holds for every data connection, so here it means require = \"data\": no login without TLS, and no transfer without PROT P.")
		}
		if s.set("client_ca") {
			x.ClientCA = s.file("client_ca", `"/etc/ftpgate/clients.pem"`)
			x.ClientCert = ClientCertOptional
		}
		if s.set("client_cert") {
			x.ClientCert = choice(s, "client_cert", ClientCertOptional, ClientCertOptional, ClientCertRequired)
			if !s.set("client_ca") {
				l.errorAt(s.at("client_cert"), "client_cert needs client_ca", "Say whose signature makes a client's certificate good: client_ca = \"/etc/ftpgate/clients.pem\"")
			}
		}
		s.checkFiles(x)
		return x
	}
	return nil
}

// needed is file for one that must be there.
func (s *section) needed(name, example string) string {
	if !s.set(name) {
		s.missing(name, example)
		return ""
	}
	return s.file(name, example)
}

// file reads a path, relative to the configuration file. That the file is not there is no error:
// it may be there when ftpgate starts.
func (s *section) file(name, example string) string {
	text, v, ok := s.text(name, example)
	if !ok {
		return ""
	}
	if text == "" {
		s.wrong(name, v, "It is the path of a file.")
		return ""
	}
	if !filepath.IsAbs(text) {
		text = filepath.Join(filepath.Dir(s.header.Filename), text)
	}
	if _, err := s.l.machine.stat(text); err != nil && errors.Is(err, fs.ErrNotExist) {
		s.l.warnAt(s.at(name), fmt.Sprintf("%s is not there", name), "Without the file ftpgate will not start.")
	}
	return text
}

func (s *section) minVersion() uint16 {
	text, v, ok := s.text("min_version", `"1.2"`)
	if !ok {
		return tls.VersionTLS12
	}
	for _, x := range tlsVersions {
		if x.text != text {
			continue
		}
		if x.version < tls.VersionTLS12 {
			s.l.warnAt(s.at("min_version"), fmt.Sprintf("TLS %s is broken", text),
				"It is for old devices only: give them a listener of their own, in a network of their own.")
		}
		return x.version
	}
	s.wrong("min_version", v, `It can be "1.0", "1.1", "1.2" or "1.3".`)
	return tls.VersionTLS12
}

// cipherSuites reads names of suites that are added to those Go offers by itself.
func (s *section) cipherSuites() []uint16 {
	items, _ := s.list("cipher_suites", `["TLS_RSA_WITH_AES_128_CBC_SHA"]`)
	var ids []uint16
	known := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = k.Name
	}
	for _, x := range items {
		i := slices.Index(names, x.text)
		if i < 0 {
			hint := ""
			if !x.secret {
				hint = didYouMean(x.text, names)
			}
			s.l.errorAt(x.at, fmt.Sprintf("%s is not a cipher suite that can be spoken", capital(x.shown())),
				"Go has no DHE, no anonymous and no export suites.%s", hint)
			continue
		}
		if known[i].Insecure {
			s.l.warnAt(x.at, fmt.Sprintf("%s is weak", x.text),
				"It is for old devices only: give them a listener of their own, in a network of their own.")
		}
		ids = append(ids, known[i].ID)
	}
	return ids
}
