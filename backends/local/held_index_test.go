//go:build unix

package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// leave puts n kept partials of owner into root, one byte each, for /0, /1 and
// so on, each written a second after the one before, the last one an hour ago.
func leave(t *testing.T, root, owner string, n int) {
	t.Helper()
	dir := filepath.Join(root, reservedName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		r := &record{
			owner: ownerKey(owner), path: pathKey(fmt.Sprintf("/%d", i)), base: "0", boot: bootKey("this"),
			kept: 1, window: 24 * time.Hour,
		}
		path := filepath.Join(dir, fmt.Sprintf("%s-%x-%s", keptProcess, i, r))
		written := time.Now().Add(-time.Hour + time.Duration(i-n)*time.Second)
		err := os.WriteFile(path, []byte("x"), 0o600)
		if err == nil {
			err = os.Chtimes(path, written, written)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func keepPart(t *testing.T, fsys afero.Fs, name string) {
	t.Helper()
	if err := cut(t, fsys, name, "y").(vfs.Keeper).Keep(); err != nil {
		t.Fatal(err)
	}
}

func isHeld(t *testing.T, fsys afero.Fs, name string) bool {
	t.Helper()
	_, err := vfs.Held(fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	return err == nil
}

func inStaging(t *testing.T, root string) int {
	t.Helper()
	kept, err := filepath.Glob(filepath.Join(root, reservedName, keptProcess+"-*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(kept)
}

// Thousands of partials make nobody's commands slower: none of them reads the
// staging directory.
func TestHeldPartialsSlowNobody(t *testing.T) {
	root := t.TempDir()
	const owners, each = 5, heldPerOwner
	for i := range owners {
		leave(t, root, fmt.Sprint("owner", i), each)
	}
	b := boots(t, root, "this")
	listed := &b.stagings[""].listed
	if n := listed.Load(); n != owners*each {
		t.Fatalf("New read %d entries", n)
	}
	one, other := b.Open("owner1", time.Hour), b.Open("other", 0)
	for what, command := range map[string]func() error{
		"SIZE":         func() error { _, err := vfs.Held(one, "/5"); return err },
		"SIZE of none": func() error { isHeld(t, one, "/none"); return nil },
		"STOR":         func() error { return afero.WriteFile(other, "/new", []byte("x"), 0o644) },
		"APPE":         func() error { return cut(t, one, "/6", "x").Close() },
		"ABOR":         func() error { return vfs.Abort(cut(t, one, "/7", "x")) },
		"cut":          func() error { keepPart(t, one, "/8"); return nil },
		"RNTO": func() error {
			return errors.Join(os.WriteFile(filepath.Join(root, "old"), nil, 0o600), other.Rename("/old", "/9"))
		},
		"DELE": func() error {
			return errors.Join(os.WriteFile(filepath.Join(root, "10"), nil, 0o600), other.Remove("/10"))
		},
	} {
		before := listed.Load()
		if err := command(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if n := listed.Load() - before; n != 0 {
			t.Errorf("%s read %d entries", what, n)
		}
	}
	// APPE, RNTO and DELE ended what was held for everybody, and nothing else did.
	if n := inStaging(t, root); n != owners*(each-3) {
		t.Errorf("%d partials are left, want %d", n, owners*(each-3))
	}
	before := listed.Load()
	b.Sweep(time.Now())
	if listed.Load() == before {
		t.Error("nothing is counted")
	}
}

func TestHeldPerOwner(t *testing.T) {
	root := t.TempDir()
	leave(t, root, "bob", 1)
	leave(t, root, "alice", heldPerOwner+2)
	b := boots(t, root, "this")
	alice, bob := b.Open("alice", time.Hour), b.Open("bob", time.Hour)
	gone := func(n int) {
		t.Helper()
		for i := range n + 1 {
			if name := fmt.Sprintf("/%d", i); isHeld(t, alice, name) != (i == n) {
				t.Errorf("%s: held is %t", name, i != n)
			}
		}
		if got := inStaging(t, root); got != heldPerOwner+1 {
			t.Errorf("%d files are left", got)
		}
		if !isHeld(t, bob, "/0") {
			t.Error("somebody else's is gone")
		}
	}
	gone(2) // what a dead process left counts
	keepPart(t, alice, "/a")
	gone(3)
	keepPart(t, alice, "/a") // in place of the one before
	gone(3)
	keepPart(t, alice, "/b")
	gone(4)
	if !isHeld(t, alice, "/a") || !isHeld(t, alice, "/b") {
		t.Error("the newest are gone")
	}
}

// What somebody else removed is not held, nor does it count for ever.
func TestIndexFollowsTheFiles(t *testing.T) {
	root := t.TempDir()
	leave(t, root, "alice", 3)
	b := boots(t, root, "this")
	if err := os.RemoveAll(filepath.Join(root, reservedName)); err != nil {
		t.Fatal(err)
	}
	alice := b.Open("alice", time.Hour)
	if isHeld(t, alice, "/1") || len(b.held.all()) != 2 {
		t.Errorf("%d are in the index after a look", len(b.held.all()))
	}
	b.Sweep(time.Now())
	if len(b.held.all()) != 0 || len(b.held.byOwner)+len(b.held.byPath) != 0 {
		t.Errorf("%d are in the index after a sweep", len(b.held.all()))
	}
	keepPart(t, alice, "/1")
	if !isHeld(t, alice, "/1") {
		t.Error("in a new staging directory nothing is held")
	}
}

// Of two for one owner and path the one written last is held, whichever is found first.
func TestTheLastWrittenIsHeld(t *testing.T) {
	root := t.TempDir()
	leave(t, root, "alice", 1)
	b := boots(t, root, "this")
	alice := b.Open("alice", time.Hour)
	keepers := []vfs.Keeper{}
	for _, content := range []string{"older", "new"} {
		f, err := alice.OpenFile("/0", vfs.ModeReplace, vfs.NewFileMode)
		if err == nil {
			_, err = f.WriteString(content)
		}
		if err != nil {
			t.Fatal(err)
		}
		keepers = append(keepers, f.(vfs.Keeper))
		then := time.Now().Add(time.Duration(len(content)) * -time.Minute)
		if err := os.Chtimes(f.(*upload).path(root), then, then); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []int{1, 0} {
		if err := keepers[k].Keep(); err != nil {
			t.Fatal(err)
		}
		if n, err := vfs.Held(alice, "/0"); n != 3 || err != nil || inStaging(t, root) != 1 {
			t.Errorf("%d bytes are held, %v", n, err)
		}
	}
}

func (u *upload) path(root string) string { return filepath.Join(root, reservedName, u.staged) }

// Sessions and sweeps at once leave what the directory holds in the index.
func TestIndexUnderLoad(t *testing.T) {
	root := t.TempDir()
	b := boots(t, root, "this")
	var sessions sync.WaitGroup
	for i := range 6 {
		sessions.Go(func() {
			alice := b.Open("alice", time.Hour)
			for n := range 30 {
				f, err := alice.OpenFile("/f", vfs.ModeAppend, vfs.NewFileMode)
				if err == nil {
					_, _ = f.WriteString("x")
					if (n+i)%3 == 0 {
						_ = vfs.Abort(f)
					} else {
						_ = f.(vfs.Keeper).Keep()
					}
				}
				if i == 0 {
					b.Sweep(time.Now())
				}
			}
		})
	}
	sessions.Wait()
	alice := b.Open("alice", time.Hour)
	if !isHeld(t, alice, "/f") {
		t.Errorf("nothing is held of %d", inStaging(t, root))
	}
	b.Sweep(time.Now())
	if n := inStaging(t, root); n != 1 || len(b.held.all()) != 1 {
		t.Errorf("%d files, %d in the index", n, len(b.held.all()))
	}
}
