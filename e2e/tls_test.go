//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestCurlWithoutTLS: where TLS is required no password is sent in the clear.
func TestCurlWithoutTLS(t *testing.T) {
	l := newTLSLab(t)
	l.curlFails(t, []int{curlLoginDenied}, l.url("data", "owner", "/"))
	if log := l.log.text(); strings.Contains(log, "login") {
		t.Errorf("a login was tried:\n%s", log)
	}
	// An authority that the client does not know, and a version that is too old.
	l.curlFails(t, []int{60}, "--ssl-reqd", l.url("data", "owner", "/"))
	l.curlFails(t, []int{35}, "--ssl-reqd", "-k", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", l.url("data", "owner", "/"))
}

// TestCurlCertificate logs in with a certificate alone, and with certificate and password.
func TestCurlCertificate(t *testing.T) {
	l := newTLSLab(t)
	put(t, l.home, "file", []byte("text"))
	source := put(t, l.work, "source", content(100_000))
	for _, version := range tlsVersions {
		with := append(l.with(version), "--cert", l.cert, "--key", l.key)
		for _, user := range []string{"scanner", "both", "owner"} {
			if got := l.curl(t, append(with, l.url("certs", user, "/file"))...); got != "text" {
				t.Errorf("%s: got %q", user, got)
			}
		}
		l.curl(t, append(with, "-T", source, l.url("certs", "scanner", "/"+version))...)
		same(t, l.home, version, content(100_000))
		l.curlFails(t, []int{curlLoginDenied}, append(with, "-u", "both:wrong", l.url("certs", "", "/file"))...)
		l.curlFails(t, []int{35, 56}, append(l.with(version), l.url("certs", "scanner", "/file"))...)
		for _, user := range []string{"scanner", "both"} {
			l.curlFails(t, []int{curlLoginDenied}, append(l.with(version), l.url("data", user, "/file"))...)
		}
	}
	if log := l.log.about("logged in"); !strings.Contains(log, `"tls":"TLS 1.2 TLS_ECDHE_`) || !strings.Contains(log, `"tls":"TLS 1.3 TLS_`) {
		t.Errorf("the log does not name versions and suites:\n%s", log)
	}
}

// TestOpenSSLCertificate does the same by hand. A data connection needs the
// certificate, or the TLS session of a control connection that had it.
func TestOpenSSLCertificate(t *testing.T) {
	l := newTLSLab(t)
	cert, key := ftptest.PEM(t, ftptest.NewAuthority(t).Client("scanner", []string{"scanner.example.org"}, nil))
	forged := []string{"-cert", put(t, l.work, "forged.pem", cert), "-key", put(t, l.work, "forged.key", key)}
	for _, version := range tlsVersions {
		c := l.dialOpenSSL(t, "certs", version, true, "-cert", l.cert, "-key", l.key)
		c.must(c.do(232, "USER scanner"))
		c.protect()
		c.must(c.store("/scan", content(100_000)))
		same(t, l.home, "scan", content(100_000))
		if got, err := c.fetch("RETR /scan"); err != nil || string(got) != string(content(100_000)) {
			t.Errorf("%s: %d bytes came back, %v", version, len(got), err)
		}
		c.must(c.do(331, "USER both"))
		c.must(c.do(530, "PASS wrong"))
		c.login("both")
		c.more = nil
		got, err := c.fetch("RETR /scan")
		if err != nil || len(got) != 100_000 { // the TLS session was begun with it
			t.Errorf("%s: %d bytes came back, %v", version, len(got), err)
		}
		c.session = ""
		if got, err := c.fetch("RETR /scan"); err == nil {
			t.Errorf("%s: a data connection without a certificate got %d bytes", version, len(got))
		}
		for _, more := range [][]string{nil, forged} {
			if c := l.dialOpenSSL(t, "certs", version, true, more...); c.do(331, "USER owner") == nil {
				t.Errorf("%s: served without a good certificate: %q", version, more)
			}
		}
	}
}

// TestOpenSSL speaks by hand, through openssl s_client.
func TestOpenSSL(t *testing.T) {
	l := newTLSLab(t)
	for _, version := range tlsVersions {
		for _, listener := range []string{"data", "implicit log"} {
			c := l.dialOpenSSL(t, listener, version, true)
			c.must(c.do(331, "USER owner"))
			c.must(c.do(230, "PASS %s", password))
			if listener == "data" {
				c.must(c.do(521, "STOR /clear"))
				c.must(c.do(503, "PROT P"))
			}
			c.must(c.do(200, "PBSZ 0"))
			c.must(c.do(200, "PROT P"))
			if listener == "data" {
				c.must(c.do(534, "PROT C"))
			}
			c.must(c.do(534, "CCC"))
			c.must(c.do(503, "AUTH TLS"))
			c.must(c.do(211, "STAT"))
			c.quit()
		}
	}
	missing(t, l.home, "clear")
}

// TestOpenSSLKilled kills the uploading process. Its data connection ends without
// close_notify, and nobody can know whether that was the end of the file.
func TestOpenSSLKilled(t *testing.T) {
	l := newTLSLab(t)
	for _, version := range tlsVersions {
		for listener, reply := range map[string]int{"explicit log": 426, "implicit log": 426, "old": 226} {
			c := l.dialOpenSSL(t, listener, version, true)
			c.login("owner")
			name := listener + " " + version
			data, in, err := c.upload("/" + name)
			c.must(err)
			if _, err := in.Write(content(100_000)); err != nil {
				t.Fatal(err)
			}
			c.arrived(100_000)
			data.Process.Kill()
			c.must(c.reply(reply))
			data.Wait()
			if reply == 226 {
				same(t, l.home, name, content(100_000))
			} else {
				missing(t, l.home, name)
			}
			c.must(c.store("/"+name, content(1))) // the session goes on
			same(t, l.home, name, content(1))
			c.quit()
		}
	}
}

// TestLftpTLS mirrors a tree up and down.
func TestLftpTLS(t *testing.T) {
	l := newTLSLab(t)
	tree := t.TempDir()
	plant(t, tree)
	for _, listener := range []string{"explicit require", "implicit log"} {
		for _, version := range tlsVersions {
			t.Run(listener+" "+version, func(t *testing.T) {
				t.Parallel()
				got, name := t.TempDir(), strings.ReplaceAll(listener+version, " ", "")
				l.run(t, "lftp", "--norc", "-c", strings.Join(append(l.lftpOpen(listener, version),
					"mkdir "+name, "mirror --reverse --no-perms "+tree+" /"+name, "mirror --no-perms /"+name+" "+got), "; "))
				compare(t, filepath.Join(l.home, name), tree, true)
				compare(t, got, tree, true)
			})
		}
	}
}
