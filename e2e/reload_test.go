//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestNewCertificate replaces the certificate while a session uploads. That session goes on with
// what it began with, new ones get the new one, and nobody notices but the log.
func TestNewCertificate(t *testing.T) {
	t.Parallel() // it takes as long as the gateway does not look
	need(t, "openssl")
	certs := t.TempDir()
	before, after := ftptest.NewAuthority(t), ftptest.NewAuthority(t)
	small := newSmallLab(t, "tls {\n "+serverFiles(t, certs, before)+"}", "", "")
	l := &tlsLab{lab: small, ca: put(t, certs, "before.pem", before.PEM())}
	renewed := &tlsLab{lab: small, ca: put(t, certs, "after.pem", after.PEM())}
	want := content(3 << 20)
	put(t, l.home, "file", []byte("text"))

	c := l.dialOpenSSL(t, "main", "1.3", true)
	c.login("owner")
	data, in, err := c.upload("/upload")
	c.must(err)
	if _, err := in.Write(want[:2<<20]); err != nil {
		t.Fatal(err)
	}
	c.arrived(2 << 20)

	fetch := func(l *tlsLab) int {
		out, text, code := l.try(t, "", "curl", append(l.with("1.3"), "-sS", "--max-time", "60", l.url("main", "owner", "/file"))...)
		if code == 0 && out != "text" {
			t.Errorf("got %q\n%s", out, text)
		}
		return code
	}
	const unknown = 60 // curl: the certificate is not from an authority that it knows
	if old, fresh := fetch(l), fetch(renewed); old != 0 || fresh != unknown {
		t.Fatalf("before the change curl ended with %d and %d", old, fresh)
	}
	serverFiles(t, certs, after)
	ftptest.Eventually(t, "the new certificate is in use", func() bool { return fetch(renewed) == 0 })
	if old := fetch(l); old != unknown {
		t.Errorf("after the change curl ended with %d, and knows the old authority only", old)
	}
	if _, err := l.log.wait(t.Context(), func(l logLine) bool { return strings.HasPrefix(l.Message, "TLS files loaded anew") }); err != nil {
		t.Errorf("not a word in the log: %v\n%s", err, l.log.tail(20))
	}

	missing(t, l.home, "upload")
	if _, err := in.Write(want[2<<20:]); err != nil {
		t.Fatal(err)
	}
	in.Close()
	c.must(c.reply(226))
	data.Wait()
	same(t, l.home, "upload", want)
	c.session = "" // a whole handshake, with the old certificate
	if got, err := c.fetch("RETR /file"); err != nil || string(got) != "text" {
		t.Errorf("the old session fetches %q, %v", got, err)
	}
	c.quit()
}
