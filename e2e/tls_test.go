//go:build e2e

package e2e

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
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

// tlsVersions are as curl, openssl and the scripts write them.
var tlsVersions = []string{"1.2", "1.3"}

func newTLSLab(t *testing.T) *tlsLab {
	t.Helper()
	a := ftptest.NewAuthority(t)
	l := &tlsLab{lab: &lab{home: t.TempDir(), work: t.TempDir()}}
	cert, key := ftptest.PEM(t, a.Server())
	l.ca = put(t, l.work, "ca.pem", a.PEM())
	server := fmt.Sprintf("cert_file = %q\n key_file = %q\n", put(t, l.work, "server.pem", cert), put(t, l.work, "server.key", key))
	cert, key = ftptest.PEM(t, a.Client("scanner", []string{"scanner.example.org"}, nil))
	l.cert, l.key = put(t, l.work, "client.pem", cert), put(t, l.work, "client.key", key)
	var b strings.Builder
	for name, more := range map[string]string{
		"explicit": `require = "data"`,
		"implicit": `mode = "implicit"`,
		"off":      `session_reuse = "off"`,
		"require":  `session_reuse = "require"`,
		"certs":    fmt.Sprintf("client_ca = %q\nclient_cert = \"required\"", l.ca),
		"old":      `allow_truncation = true`,
	} {
		fmt.Fprintf(&b, "listener %q {\n address = \"127.0.0.1:0\"\n tls {\n %s%s\n }\n}\n", name, server, more)
	}
	l.gateway = start(t, b.String()+fmt.Sprintf(`
limits { max_connections_per_ip = 100 }
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

// curlVersion are the arguments that make curl speak one version only.
func curlVersion(version string) []string {
	return []string{"--tlsv" + version, "--tls-max", version}
}

// curlTLS runs curl against a listener.
func (l *tlsLab) curlTLS(t *testing.T, listener, version string, args ...string) string {
	t.Helper()
	return l.curl(t, append(append(curlVersion(version), "--ssl-reqd", "--cacert", l.ca), args...)...)
}

// to is the address of a path on a listener.
func (l *tlsLab) to(listener, user, path string) string {
	u := l.url(listener, user, path)
	if listener == "implicit" {
		u = "ftps" + strings.TrimPrefix(u, "ftp")
	}
	return u
}

// TestCurlTLS moves files of all kinds both ways, several over one session.
func TestCurlTLS(t *testing.T) {
	l := newTLSLab(t)
	for _, listener := range []string{"explicit", "implicit", "off"} {
		for _, version := range tlsVersions {
			t.Run(listener+" "+version, func(t *testing.T) {
				for _, n := range []int{0, 1, 1<<20 + 1} {
					want := content(n)
					source := put(t, l.work, "source", want)
					l.curlTLS(t, listener, version, "-T", source, l.to(listener, "owner", "/a"), "-T", source, l.to(listener, "owner", "/b"))
					same(t, l.home, "a", want)
					same(t, l.home, "b", want)
					got := l.curlTLS(t, listener, version, l.to(listener, "owner", "/a"), l.to(listener, "owner", "/b"))
					if got != string(want)+string(want) {
						t.Fatalf("%d bytes came back, want twice %d", len(got), n)
					}
				}
				if list := l.curlTLS(t, listener, version, "--list-only", l.to(listener, "owner", "/")); list != "a\nb\n" && list != "b\na\n" {
					t.Errorf("listed %q", list)
				}
				put(t, l.work, "lines", []byte("one\ntwo\n"))
				l.curlTLS(t, listener, version, "-B", "-T", "lines", l.to(listener, "owner", "/text"))
				same(t, l.home, "text", []byte("one\ntwo\n"))
				os.Remove(filepath.Join(l.home, "text"))
			})
		}
	}
	if log := l.log.about("logged in"); !strings.Contains(log, `"tls":"TLS 1.2 TLS_ECDHE_`) || !strings.Contains(log, `"tls":"TLS 1.3 TLS_`) {
		t.Errorf("the log does not name versions and suites:\n%s", log)
	}
}

// TestCurlWithoutTLS: where TLS is required no password is sent in the clear.
func TestCurlWithoutTLS(t *testing.T) {
	l := newTLSLab(t)
	l.curlFails(t, []int{curlLoginDenied}, l.url("explicit", "owner", "/"))
	if log := l.log.text(); strings.Contains(log, "login") {
		t.Errorf("a login was tried:\n%s", log)
	}
	// An authority that the client does not know, and a version that is too old.
	l.curlFails(t, []int{60}, "--ssl-reqd", l.url("explicit", "owner", "/"))
	l.curlFails(t, []int{35}, "--ssl-reqd", "-k", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", l.url("explicit", "owner", "/"))
}

// TestCurlCertificate logs in with a certificate alone, and with certificate and password.
func TestCurlCertificate(t *testing.T) {
	l := newTLSLab(t)
	put(t, l.home, "file", []byte("text"))
	for _, version := range tlsVersions {
		with := append(curlVersion(version), "--ssl-reqd", "--cacert", l.ca, "--cert", l.cert, "--key", l.key)
		for _, user := range []string{"scanner", "both", "owner"} {
			if got := l.curl(t, append(with, l.url("certs", user, "/file"))...); got != "text" {
				t.Errorf("%s: got %q", user, got)
			}
		}
		without := append(curlVersion(version), "--ssl-reqd", "--cacert", l.ca)
		l.curlFails(t, []int{35, 56}, append(without, l.url("certs", "scanner", "/file"))...)
		for _, user := range []string{"scanner", "both"} {
			l.curlFails(t, []int{curlLoginDenied}, append(without, l.url("explicit", user, "/file"))...)
		}
	}
}

// TestCurlReuse holds docs/security.md to what it says of curl under session_reuse = "require".
func TestCurlReuse(t *testing.T) {
	l := newTLSLab(t)
	put(t, l.home, "file", []byte("text"))
	if got := l.curlTLS(t, "require", "1.3", l.url("require", "owner", "/file"), l.url("require", "owner", "/file"), l.url("require", "owner", "/file")); got != "texttexttext" {
		t.Errorf("got %q", got)
	}
	source := put(t, l.work, "source", []byte("new"))
	l.curlTLS(t, "require", "1.3", "-T", source, l.url("require", "owner", "/one"))
	same(t, l.home, "one", []byte("new"))

	// Newer ones than 7.88 may do better; those that cannot are refused cleanly.
	tried := append(curlVersion("1.3"), "--ssl-reqd", "--cacert", l.ca, "-T", source, l.url("require", "owner", "/two"), "-T", source, l.url("require", "owner", "/three"))
	_, text, code := l.try(t, "", "curl", append([]string{"-sS", "--max-time", "60"}, tried...)...)
	if _, err := os.Stat(filepath.Join(l.home, "three")); (err == nil) != (code == 0) {
		t.Errorf("curl ended with %d, and the second file is there: %v\n%s", code, err == nil, text)
	}
	t.Logf("a second upload over TLS 1.3: exit code %d", code)
	tried = append(curlVersion("1.2"), "--ssl-reqd", "--cacert", l.ca, l.url("require", "owner", "/file"))
	out, text, code := l.try(t, "", "curl", append([]string{"-sS", "--max-time", "60"}, tried...)...)
	if (out == "text") != (code == 0) {
		t.Errorf("curl ended with %d and %q\n%s", code, out, text)
	}
	t.Logf("a download over TLS 1.2: exit code %d", code)
}

//go:embed testdata/ftplib_tls.py
var ftplibTLS string

// TestFtplibTLS: ftplib as it is, and taught to resume, with each setting of session_reuse.
func TestFtplibTLS(t *testing.T) {
	l := newTLSLab(t)
	script := put(t, l.work, "tls.py", []byte(ftplibTLS))
	for _, version := range tlsVersions {
		for _, x := range []struct{ listener, reuse, refused string }{
			{"explicit", "fresh", "served"}, {"explicit", "reuse", "served"},
			{"implicit", "fresh", "served"}, {"implicit", "reuse", "served"},
			{"off", "fresh", "served"}, {"off", "reuse", "served"},
			{"require", "reuse", "served"}, {"require", "fresh", "refused"},
		} {
			t.Run(version+" "+x.listener+" "+x.reuse, func(t *testing.T) {
				a := l.at(x.listener)
				out := l.run(t, "python3", script, a.Addr().String(), strconv.Itoa(int(a.Port())), l.ca, "owner", password,
					x.listener, version, x.reuse, x.refused)
				if !strings.HasSuffix(out, "all well\n") {
					t.Fatalf("the script ended early:\n%s", out)
				}
				if x.refused == "refused" && !strings.Contains(l.log.text(), `"reply":522`) {
					t.Error("no 522 in the log")
				}
			})
		}
	}
	if names := listed(t, l.home); len(names) != 0 {
		t.Fatalf("left: %q", names)
	}
}

// lftpTLS runs commands in lftp.
func (l *tlsLab) lftpTLS(t *testing.T, listener, version string, commands ...string) string {
	t.Helper()
	priority := "NORMAL:-VERS-ALL:+VERS-TLS" + version
	scheme := "ftp://"
	if listener == "implicit" {
		scheme = "ftps://"
	}
	script := append([]string{
		"set cmd:fail-exit yes", "set net:max-retries 2", "set net:timeout 20", "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes",
		"set ssl:ca-file " + l.ca, "set ssl:check-hostname no", "set ssl:priority " + priority, "set xfer:clobber yes",
		fmt.Sprintf("open -u 'owner,%s' %s%s", password, scheme, l.at(listener)),
	}, commands...)
	return l.run(t, "lftp", "--norc", "-c", strings.Join(script, "; "))
}

// TestLftpTLS mirrors a tree up and down with each setting.
func TestLftpTLS(t *testing.T) {
	l := newTLSLab(t)
	tree := t.TempDir()
	plant(t, tree)
	for _, listener := range []string{"explicit", "implicit", "require"} {
		for _, version := range tlsVersions {
			t.Run(listener+" "+version, func(t *testing.T) {
				got := t.TempDir()
				l.lftpTLS(t, listener, version, "mkdir tree", "mirror --reverse --no-perms "+tree+" /tree", "mirror --no-perms /tree "+got)
				compare(t, filepath.Join(l.home, "tree"), tree, true)
				compare(t, got, tree, true)
				l.lftpTLS(t, listener, version, "rm -r tree")
			})
		}
	}
}

// TestOpenSSL speaks by hand, through openssl s_client.
func TestOpenSSL(t *testing.T) {
	l := newTLSLab(t)
	for _, version := range tlsVersions {
		for _, listener := range []string{"explicit", "implicit"} {
			args := []string{"s_client", "-connect", l.at(listener).String(), "-CAfile", l.ca, "-verify_return_error", "-quiet", "-crlf",
				"-tls1_" + version[2:]}
			if listener == "explicit" {
				args = append(args, "-starttls", "ftp")
			}
			input := "USER owner\nPASS " + password + "\nPBSZ 0\nPROT P\nPROT C\nCCC\nPWD\nSTAT\nQUIT\n"
			out, text, _ := l.try(t, input, "openssl", args...)
			wants := []string{"331 ", "230 ", "200 PBSZ=0", "200 ", "534 ", "257 ", "211 ", "221 "}
			for _, want := range wants {
				if !strings.Contains(out, want) {
					t.Errorf("%s %s: no %q in\n%s", listener, version, want, text)
				}
			}
		}
	}
}

// TestLargeTLS moves 1 GiB both ways.
func TestLargeTLS(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode")
	}
	l := newTLSLab(t)
	const n = 1 << 30
	source := filepath.Join(l.work, "large")
	f, err := os.Create(source)
	if err != nil {
		t.Fatal(err)
	}
	block := content(1<<20 + 7)
	for written := 0; written < n; written += len(block) {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	want := digest(t, source)
	for _, version := range tlsVersions {
		l.curlTLS(t, "explicit", version, "-T", source, l.url("explicit", "owner", "/large"))
		if got := digest(t, filepath.Join(l.home, "large")); got != want {
			t.Errorf("%s: what was stored differs", version)
		}
		l.curlTLS(t, "explicit", version, "-o", "back", l.url("explicit", "owner", "/large"))
		if got := digest(t, filepath.Join(l.work, "back")); got != want {
			t.Errorf("%s: what came back differs", version)
		}
	}
}

func digest(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return string(h.Sum(nil))
}
