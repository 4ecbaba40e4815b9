package ftp

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// works stores, continues, lists and reads, each of which has a data connection, an append two.
func works(t *testing.T, fsys afero.Fs) {
	t.Helper()
	if err := put(fsys, "/f", "one"); err != nil {
		t.Fatal(err)
	}
	if err := put(fsys, "/empty", ""); err != nil {
		t.Fatal(err)
	}
	if err := send(fsys, vfs.ModeAppend, " two"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, fsys, "/"); !slices.Equal(got, []string{"empty", "f"}) {
		t.Errorf("listed: %q", got)
	}
	for name, want := range map[string]string{"/f": "one two", "/empty": ""} {
		if got, err := afero.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
}

// TestActive: the server makes the data connections.
func TestActive(t *testing.T) {
	u, _ := startOwn(t)
	m, o := u.between(t)
	o.Client.Active = true
	works(t, u.backend(t, o).Open("", 0))
	if m.count("EPSV")+m.count("PASV") > 0 || m.count("EPRT")+m.count("PORT") == 0 {
		t.Errorf("it was not active: %q", m.commands())
	}
}

// TestImplicitTLS: without a word in clear.
func TestImplicitTLS(t *testing.T) {
	authority := ftptest.NewAuthority(t)
	secure := authority.TLS(nil)
	secure.Implicit = true
	s := ftptest.Start(t, ftptest.Options{FS: memory.New(memory.Options{}).Open("", 0), Endpoint: pi.Endpoint{TLS: secure}})
	u := &upstream{address: s.Addr.String(), user: "rw", password: "rw"}
	o := u.options()
	o.Client.Security, o.Client.TLS = ftpclient.Implicit, &tls.Config{RootCAs: authority.Pool}
	works(t, u.backend(t, o).Open("", 0))
}

// TestTimeZone: LIST has the server's own time, in which listings are understood. MDTM has UTC.
func TestTimeZone(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	m.set(func(line string) (string, bool, bool) {
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "FEAT", "MLST", "MLSD":
			return "502 Not implemented.", true, false
		}
		return "", false, false
	})
	o.Client.TimeZone = time.FixedZone("there", 5*3600)
	fsys := u.backend(t, o).Open("", 0)
	shown := time.Now().UTC().Add(-48 * time.Hour).Truncate(time.Minute) // by our server, whose zone is UTC
	if err := put(below, "/f", "x"); err != nil {
		t.Fatal(err)
	}
	if err := below.Chtimes("/f", shown, shown); err != nil {
		t.Fatal(err)
	}
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	all, err := d.Readdir(-1)
	if err != nil || len(all) != 1 || !all[0].ModTime().Equal(shown.Add(-5*time.Hour)) {
		t.Errorf("listed: %v, %v; want %v", all, err, shown.Add(-5*time.Hour))
	}
	if fi, err := fsys.Stat("/f"); err != nil || !fi.ModTime().Equal(shown) {
		t.Errorf("Stat: %v, %v; want %v", fi, err, shown)
	}
}
