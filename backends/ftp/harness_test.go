package ftp

import (
	"runtime"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// upstream is a server with an empty folder for each tree.
type upstream struct {
	name           string
	address        string
	user, password string
	dir            string // where folders can be made, without a slash at its end
}

// startOwn starts a server of this project in the test's own process.
func startOwn(t testing.TB) (*upstream, afero.Fs) {
	t.Helper()
	fsys := memory.New(memory.Options{}).Open("", 0)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	t.Cleanup(func() {
		for range 3 {
			runtime.GC() // it closes the pipes that splice has used, before descriptors are counted
		}
	})
	return &upstream{name: "ftpgate", address: s.Addr.String(), user: "rw", password: "rw"}, fsys
}

func startPeer(t testing.TB, name string) *upstream {
	t.Helper()
	p := peers.Start(t, name, peers.Options{})
	u := &upstream{name: name, address: p.Addr, user: p.User, password: p.Password}
	if p.Dir != "/" {
		u.dir = p.Dir
	}
	return u
}

func (u *upstream) options() Options {
	return Options{
		Address: u.address, User: u.user, Password: u.password, Root: u.dir, MaxConnections: 100,
	}
}

func (u *upstream) backend(t testing.TB, o Options) *Backend {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// empty removes everything below the folder, so that the next tree is empty.
func empty(t testing.TB, fsys afero.Fs) {
	t.Helper()
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	names, err := d.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	for _, name := range names {
		if err := fsys.RemoveAll(vfs.Join("/", name)); err != nil {
			t.Fatalf("emptying: %v", err)
		}
	}
}
