package ftp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestTwoConnectionsAreEnough: uploads that need two at a time do not wait for one another for ever, and
// the server never sees a third.
func TestTwoConnectionsAreEnough(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("", 0)
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Limits: pi.Limits{MaxConnectionsPerIP: 2}})
	u := &upstream{address: s.Addr.String(), user: "rw", password: "rw"}
	o := u.options()
	o.MaxConnections = 2
	up := u.backend(t, o).Open("", 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("/f%d", i)
			for range 4 {
				f, err := up.OpenFile(name, vfs.ModeAppend, vfs.NewFileMode)
				if err == nil {
					_, _ = f.Write([]byte("line\n")) // an error comes back from Close
					err = f.Close()
				}
				if err != nil {
					t.Error(err)
				}
			}
			if got, err := afero.ReadFile(up, name); string(got) != "line\nline\nline\nline\n" {
				t.Errorf("%s holds %q, %v", name, got, err)
			}
		})
	}
	wg.Wait()
	if _, err := New(Options{MaxConnections: 1}); err == nil {
		t.Error("one connection was taken for enough")
	}
}

// TestOverTLS: the control and the data connections, and a server that cannot.
func TestOverTLS(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("", 0)
	authority := ftptest.NewAuthority(t)
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Endpoint: pi.Endpoint{TLS: authority.TLS(nil)}})
	u := &upstream{address: s.Addr.String(), user: "rw", password: "rw"}
	o := u.options()
	o.Client = ftpclient.Options{Security: ftpclient.Explicit, TLS: &tls.Config{RootCAs: authority.Pool}}
	up := u.backend(t, o).Open("", 0)
	if err := put(up, "/f", "over TLS"); err != nil {
		t.Fatal(err)
	}
	if got, err := afero.ReadFile(up, "/f"); string(got) != "over TLS" {
		t.Errorf("%q, %v", got, err)
	}
	if got := list(t, up, "/"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	o.Client.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	if _, err := u.backend(t, o).Open("", 0).Stat("/f"); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	plain, _ := startOwn(t)
	o = plain.options()
	o.Client = ftpclient.Options{Security: ftpclient.Explicit, TLS: &tls.Config{RootCAs: authority.Pool}}
	if err := plain.backend(t, o).Connect(t.Context()); err == nil {
		t.Error("a server without TLS was logged in to")
	}
}

// TestWrongPassword is no reason to try again, which some servers answer with a ban.
func TestWrongPassword(t *testing.T) {
	u, _ := startOwn(t)
	m, o := u.between(t)
	o.Password = "wrong"
	fsys := u.backend(t, o).Open("", 0)
	for range 3 {
		if _, err := fsys.Stat("/f"); !errors.Is(err, ErrLogin) {
			t.Error(err)
		}
	}
	if n := m.count("PASS"); n != 1 {
		t.Errorf("the wrong password was tried %d times at once", n)
	}
}
