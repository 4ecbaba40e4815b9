package ftp

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestBackendsOfOneServer: two blocks of a configuration that lead to one file know of each other. Only one of many
// exclusive creates succeeds, and an append does not lose what the other one has published.
func TestBackendsOfOneServer(t *testing.T) {
	u, below := startOwn(t)
	if err := below.Mkdir("/a", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	var servers Servers
	o := u.options()
	o.Servers = &servers
	outer := u.backend(t, o).Open("", 0)
	o.Root = "/a"
	inner := u.backend(t, o).Open("", 0)
	for range 20 {
		var done sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			done.Go(func() {
				fsys, name := outer, "/a/f"
				if i%2 == 0 {
					fsys, name = inner, "/f"
				}
				file, err := fsys.OpenFile(name, vfs.ModeCreate, vfs.NewFileMode)
				if err == nil {
					_, _ = file.Write([]byte{byte('a' + i)}) // an error comes back from Close
					err = file.Close()
				}
				results[i] = err
			})
		}
		done.Wait()
		created := 0
		for _, err := range results {
			switch {
			case err == nil:
				created++
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		}
		if created != 1 {
			t.Fatalf("%d of %d have made the same file", created, len(results))
		}
		if err := outer.Remove("/a/f"); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(outer, "/a/f", "one"); err != nil {
		t.Fatal(err)
	}
	file, err := inner.OpenFile("/f", vfs.ModeAppend, vfs.NewFileMode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(" more")); err != nil {
		t.Fatal(err)
	}
	before, err := below.Stat("/a/f")
	if err != nil {
		t.Fatal(err)
	}
	if err := put(outer, "/a/f", "two"); err != nil {
		t.Fatal(err)
	}
	// In the same second, as far as the server tells.
	if err := below.Chtimes("/a/f", before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("the append to what is gone: %v", err)
	}
	if got, err := afero.ReadFile(below, "/a/f"); string(got) != "two" {
		t.Errorf("there is %q, %v", got, err)
	}
}

// TestUsersOfOneServer may see different files under one name: what one changes is not a change for the other.
func TestUsersOfOneServer(t *testing.T) {
	var servers Servers
	at := func(address, user string) *names {
		b, err := New(Options{Address: address, User: user, Servers: &servers})
		if err != nil {
			t.Fatal(err)
		}
		return &b.names
	}
	a, b, other := at("Host", "a"), at("host:21", "b"), at("host:2121", "a")
	w := b.watch("/f")
	defer b.ignore(w)
	a.change("/f")
	if w.changed.Load() {
		t.Error("a change by another user was taken for one")
	}
	at("host", "b").change("/f")
	if !w.changed.Load() {
		t.Error("a change by another session of the user was not noticed")
	}
	unlock, err := a.lock(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.lock(over, "/f"); err == nil {
		t.Error("two users of one server have the same lock")
	}
	free, err := other.lock(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	free()
}
