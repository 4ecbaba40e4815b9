package ftp

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// startChain starts a server of this project that is a gateway itself, to another one, whose files are returned.
func startChain(t testing.TB) (*upstream, afero.Fs) {
	t.Helper()
	below := memory.New(memory.Options{}).Open("", 0)
	last := ftptest.Start(t, ftptest.Options{FS: below, Limits: pi.Limits{MaxConnectionsPerIP: 200}})
	behind := &upstream{address: last.Addr.String(), user: "rw", password: "rw"}
	b := behind.backend(t, behind.options())
	s := ftptest.Start(t, ftptest.Options{FS: b.Open("", 0), Limits: pi.Limits{MaxConnectionsPerIP: 200}})
	t.Cleanup(func() { // before leaks of the second are looked for
		b.Close()
		last.Close()
		last.Passive.Close()
		runtime.GC() // it closes the pipes that splice has used
	})
	return &upstream{name: "gateway", address: s.Addr.String(), user: "rw", password: "rw", prefix: ".gateway-"}, below
}

// TestGatewayBehindGateway: the server before the last one reserves the names of its own uploads, so the first has
// others. All the rest is as with one.
func TestGatewayBehindGateway(t *testing.T) {
	u, below := startChain(t)
	fsys := u.backend(t, u.options()).Open("", 0)
	if err := fsys.Mkdir("/d", 0); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"one", "two"} {
		if err := put(fsys, "/d/f", content); err != nil {
			t.Fatal(err)
		}
	}
	f, err := fsys.OpenFile("/d/f", vfs.ModeAppend, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte(" and more")) // an error comes back from Close
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fsys.Rename("/d/f", "/d/g"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, fsys, "/d"); !slices.Equal(got, []string{"g"}) {
		t.Errorf("listed: %q", got)
	}
	if got, err := afero.ReadFile(below, "/d/g"); string(got) != "two and more" {
		t.Errorf("behind both: %q, %v", got, err)
	}
	if err := put(fsys, "/.gateway-x", ""); !errors.Is(err, vfs.ErrBadName) {
		t.Errorf("its own reserved name: %v", err)
	}
	if err := put(fsys, "/.ftpgate-x", ""); err == nil {
		t.Error("the reserved name of the gateway behind was taken")
	}

	o := u.options()
	o.Prefix = ""
	b := u.backend(t, o)
	if err := put(b.Open("", 0), "/f", ""); err == nil {
		t.Fatal("the default prefix works, too: so why another one?")
	}
	told := false
	for _, f := range b.Probe(t.Context()) {
		told = told || strings.Contains(f.Mend, "temporary_prefix")
	}
	if !told {
		t.Error("check --connect does not say what to do")
	}
	for _, prefix := range []string{"a", "tmp/", ".UP-", "..a-", "line\n-", strings.Repeat("x", 33)} {
		if _, err := New(Options{Prefix: prefix}); err == nil {
			t.Errorf("prefix %q was taken", prefix)
		}
	}
}
