package ftp

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// upstream is a server.
type upstream struct {
	name           string
	address        string
	user, password string
	dir            string // where files can be made
	root           string // of the machine's files, which is dir; "" for our own
	prefix         string
}

// startOwn starts a server of this project in the test's own process.
func startOwn(t testing.TB) (*upstream, afero.Fs) { return startOwnWith(t, pi.CommitStrict) }

// startOwnWith can have a server that does not wait 5 ms before it publishes an empty file.
func startOwnWith(t testing.TB, commit pi.Commit) (*upstream, afero.Fs) {
	t.Helper()
	fsys := memory.New(memory.Options{}).Open("", 0)
	s := ftptest.Start(t, ftptest.Options{
		FS: fsys, Limits: pi.Limits{MaxConnectionsPerIP: 200}, Change: func(_ string, a *pi.Account) { a.Commit = commit },
	})
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
	u := &upstream{name: name, address: p.Addr, user: p.User, password: p.Password, root: p.Root}
	if p.Dir != "/" {
		u.dir = p.Dir
	}
	return u
}

func (u *upstream) options() Options {
	return Options{
		Address: u.address, User: u.user, Password: u.password, Root: u.dir, Prefix: u.prefix,
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

// empty removes everything from the folder of a peer, as one test has left it, so that the next
// tree is empty. Not over FTP: some servers cannot remove what they have listed.
func (u *upstream) empty(t testing.TB) {
	t.Helper()
	if u.root == "" {
		return
	}
	entries, err := os.ReadDir(u.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(u.root, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}
