package gateway

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// reloading is a server whose TLS files change.
type reloading struct {
	*ftptest.Server
	t      *testing.T
	config config.TLS

	mu  sync.Mutex
	now time.Time
	log bytes.Buffer
}

func (r *reloading) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// later moves the clock to when the files are looked at again.
func (r *reloading) later() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(filesLookedAt)
}

func (r *reloading) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

// said counts log lines that hold text.
func (r *reloading) said(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.log.String(), text)
}

func newReloading(t *testing.T, authority *ftptest.Authority) *reloading {
	t.Helper()
	dir := t.TempDir()
	r := &reloading{t: t, now: time.Unix(1e9, 0), config: config.TLS{
		CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem"),
		MinVersion: tls.VersionTLS12, SessionReuse: config.ReuseRequire,
	}}
	r.write(authority)
	secure, err := newTLS(&r.config, r.clock, zerolog.New(r))
	if err != nil {
		t.Fatal(err)
	}
	r.Server = ftptest.Start(t, ftptest.Options{
		FS: memory.New(memory.Options{}).Open("rw", 0), Endpoint: pi.Endpoint{TLS: secure},
		Certified: func(string, []string) bool { return true },
	})
	return r
}

// write replaces the files: certificate and key of a server of authority, and authority itself for clients.
func (r *reloading) write(authority *ftptest.Authority) {
	r.t.Helper()
	cert, key := ftptest.PEM(r.t, authority.Server())
	r.replace(r.config.CertFile, cert)
	r.replace(r.config.KeyFile, key)
	r.replace(r.config.ClientCA, authority.PEM())
}

// replace renames a new file over an old one, as tools that renew certificates do.
func (r *reloading) replace(name string, text []byte) {
	r.t.Helper()
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		r.t.Fatal(err)
	}
}

// served reports whether a client that trusts only authority gets through the handshake.
func (r *reloading) served(authority *ftptest.Authority) bool {
	r.t.Helper()
	c := r.Dial()
	defer c.Close()
	c.Want(220)
	c.Cmd(234, "AUTH TLS")
	config, _ := authority.TrustTLS(0)
	return c.TryTLS(config) == nil
}

// TestChangedFilesAreUsed: new sessions get the new certificate, sessions that stand go on with the old one.
func TestChangedFilesAreUsed(t *testing.T) {
	before, after := ftptest.NewAuthority(t), ftptest.NewAuthority(t)
	r := newReloading(t, before)
	config, _ := before.TrustTLS(0)
	c := r.Dial()
	c.Want(220)
	c.AuthTLS(config)
	c.Login("rw")
	c.Private()

	r.write(after)
	if !r.served(before) {
		t.Error("the files were looked at before it was time")
	}
	r.later()
	if r.served(before) || !r.served(after) {
		t.Error("the new certificate is not used")
	}
	if n := r.said("loaded anew"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}

	// The old session, with a new data connection that resumes.
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.StartTLS(config).Send("text")
	d.Close()
	c.Want(226)
	c.Quit()

	// Clients' certificates are held against the new authority.
	for _, a := range []*ftptest.Authority{before, after} {
		config, _ := after.TrustTLS(tls.VersionTLS12)
		cert := a.Client("rw", nil, nil)
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		c := r.Dial()
		c.Want(220)
		c.Cmd(234, "AUTH TLS")
		if err := c.TryTLS(config); (err == nil) != (a == after) {
			t.Errorf("client of the new authority %v: %v", a == after, err)
		}
		c.Conn.Close()
	}
}

// TestBadFilesAreNotUsed: the old certificate stays, and the log says why, once for each change.
func TestBadFilesAreNotUsed(t *testing.T) {
	before, after := ftptest.NewAuthority(t), ftptest.NewAuthority(t)
	r := newReloading(t, before)
	cert, key := ftptest.PEM(t, after.Server())
	_, other := ftptest.PEM(t, after.Server())
	for i, spoil := range []func(){
		func() { r.replace(r.config.CertFile, []byte("garbage")) },
		func() { r.replace(r.config.CertFile, cert) }, // and the key is still the old one
		func() { r.replace(r.config.KeyFile, other) },
		func() { os.Remove(r.config.KeyFile) },
		func() {
			r.replace(r.config.KeyFile, key)
			r.replace(r.config.ClientCA, []byte("garbage"))
		},
	} {
		spoil()
		for range 3 {
			r.later()
			if !r.served(before) {
				t.Errorf("%d: the old certificate is not used", i)
			}
		}
		if n := r.said("the old ones stay in use"); n != i+1 {
			t.Errorf("%d: the log says so %d times", i, n)
		}
	}
	r.write(after)
	r.later()
	if !r.served(after) {
		t.Error("the good files are not used")
	}
}

// TestFilesMustBeGoodAtTheStart: a gateway does not start with files that it could not use.
func TestFilesMustBeGoodAtTheStart(t *testing.T) {
	a := ftptest.NewAuthority(t)
	dir := t.TempDir()
	cert, key := ftptest.PEM(t, a.Server())
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := config.TLS{CertFile: file("cert", cert), KeyFile: file("key", key), ClientCA: file("ca", a.PEM())}
	if _, err := newTLS(&good, time.Now, zerolog.Nop()); err != nil {
		t.Error(err)
	}
	garbage := file("garbage", []byte("garbage"))
	for _, change := range []func(*config.TLS){
		func(c *config.TLS) { c.CertFile = garbage },
		func(c *config.TLS) { c.KeyFile = garbage },
		func(c *config.TLS) { c.ClientCA = garbage },
		func(c *config.TLS) { c.ClientCA = filepath.Join(dir, "none") },
		func(c *config.TLS) { c.CertFile = filepath.Join(dir, "none") },
	} {
		bad := good
		change(&bad)
		if _, err := newTLS(&bad, time.Now, zerolog.Nop()); err == nil || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestLegacyListener: old versions and suites are there where they are named, and nowhere else.
func TestLegacyListener(t *testing.T) {
	a := ftptest.NewAuthority(t)
	r := newReloading(t, a)
	for _, x := range []struct {
		name    string
		min     uint16
		suites  []uint16
		ok      bool
		version uint16
		suite   uint16
	}{
		{"1.1 by default", tls.VersionTLS12, nil, false, tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
		{"1.1 where allowed", tls.VersionTLS10, nil, true, tls.VersionTLS11, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
		{"1.0 where allowed", tls.VersionTLS10, nil, true, tls.VersionTLS10, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA},
		{"weak by default", tls.VersionTLS12, nil, false, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA},
		{"weak where named", tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}, true, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA},
		{"1.2 where only 1.3 is allowed", tls.VersionTLS13, nil, false, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	} {
		c := r.config
		c.MinVersion, c.CipherSuites = x.min, x.suites
		secure, err := newTLS(&c, time.Now, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		s := ftptest.Start(t, ftptest.Options{FS: memory.New(memory.Options{}).Open("rw", 0), Endpoint: pi.Endpoint{TLS: secure}})
		client, _ := a.TrustTLS(x.version)
		client.CipherSuites = []uint16{x.suite}
		conn := s.Dial()
		conn.Want(220)
		conn.Cmd(234, "AUTH TLS")
		if err := conn.TryTLS(client); (err == nil) != x.ok {
			t.Errorf("%s: %v", x.name, err)
		}
		conn.Conn.Close()
	}
}
