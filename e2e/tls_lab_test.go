//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// tlsLab is a gateway with a listener for each way to protect it.
type tlsLab struct {
	*lab
	ca   string // file of the authority that the server's certificate is from
	cert string // file of a client's certificate
	key  string
}

// The axes of the matrix. Versions are as curl, openssl and the scripts write them.
var (
	tlsModes    = []string{"explicit", "implicit"}
	tlsReuses   = []string{"off", "log", "require"}
	tlsVersions = []string{"1.2", "1.3"}
)

// newTLSLab starts a gateway with the listeners "explicit off" to "implicit require", and
// "data", "certs" and "old", which say what else they are for.
func newTLSLab(t *testing.T) *tlsLab {
	t.Helper()
	a := ftptest.NewAuthority(t)
	l := &tlsLab{lab: &lab{home: t.TempDir(), work: t.TempDir()}}
	l.ca = put(t, l.work, "ca.pem", a.PEM())
	cert, key := ftptest.PEM(t, a.Client("scanner", []string{"scanner.example.org"}, nil))
	l.cert, l.key = put(t, l.work, "client.pem", cert), put(t, l.work, "client.key", key)
	listeners := map[string]string{
		"data":  `require = "data"`,
		"certs": fmt.Sprintf("client_ca = %q\n client_cert = \"required\"", l.ca),
		"old":   `allow_truncation = true`,
	}
	for _, mode := range tlsModes {
		for _, reuse := range tlsReuses {
			listeners[mode+" "+reuse] = fmt.Sprintf("mode = %q\n session_reuse = %q", mode, reuse)
		}
	}
	server := serverFiles(t, l.work, a)
	var b strings.Builder
	for name, more := range listeners {
		fmt.Fprintf(&b, "listener %q {\n address = \"127.0.0.1:0\"\n tls {\n %s%s\n }\n}\n", name, server, more)
	}
	l.gateway = start(t, b.String()+fmt.Sprintf(`
limits { max_connections_per_ip = 100 }
throttle { allow = ["127.0.0.1"] }
log { format = "json" }
backend "local" "home" { root = %q }
user "owner" {
  password_hash = %q
  filesystem    = backend.local.home
}
user "scanner" {
  client_name = "scanner.example.org"
  filesystem  = backend.local.home
}
user "both" {
  client_name   = "scanner"
  password_hash = %q
  filesystem    = backend.local.home
}
`, l.home, passwordHash, passwordHash))
	return l
}

// serverFiles puts a new certificate and its key into dir, and returns the attributes
// that name them.
func serverFiles(t *testing.T, dir string, a *ftptest.Authority) string {
	t.Helper()
	cert, key := ftptest.PEM(t, a.Server())
	return fmt.Sprintf("cert_file = %q\n key_file = %q\n ", put(t, dir, "server.pem", cert), put(t, dir, "server.key", key))
}

// curlVersion are the arguments that make curl speak one version only.
func curlVersion(version string) []string {
	return []string{"--tlsv" + version, "--tls-max", version}
}

// with are the arguments for curl to speak TLS.
func (l *tlsLab) with(version string) []string {
	return append(curlVersion(version), "--ssl-reqd", "--cacert", l.ca)
}

// url names a path on a listener.
func (l *tlsLab) url(listener, user, path string) string {
	u := l.lab.url(listener, user, path)
	if strings.HasPrefix(listener, "implicit") {
		u = "ftps" + strings.TrimPrefix(u, "ftp")
	}
	return u
}
