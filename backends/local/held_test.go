//go:build unix

package local_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func TestNothingExtraWithoutResuming(t *testing.T) {
	b, root := backend(t, local.Options{})
	fsys := b.Open("alice", 0)
	f := started(t, fsys, "/f", vfs.ModeReplace, "part")
	names := staged(t, root)
	if len(names) != 1 || strings.Count(names[0], "-") != 1 {
		t.Errorf("staged as %q", names)
	}
	wants(t, "keep", f.(vfs.Keeper).Keep(), vfs.ErrUnsupported)
	if names := staged(t, root); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	if vfs.PropertiesOf(fsys, "/").Resume {
		t.Errorf("promises what it does not do")
	}
	// What the same user's uploads left while resuming was on is not seen either.
	keep(t, started(t, b.Open("alice", window), "/f", vfs.ModeReplace, "part"))
	notHeld(t, fsys, "/f")
	must(t, store(fsys, "/f", vfs.ModeAppend, "new"))
	holds(t, fsys, "/f", "new")
}

func TestOwnersNeverBecomePaths(t *testing.T) {
	b, root := backend(t, local.Options{})
	owners := []string{"", "a", "a/b", "..", "../../x", "a/", "/f", "é\x00\xff", strings.Repeat("long", 1000)}
	for i, owner := range owners {
		keep(t, started(t, b.Open(owner, window), "/f", vfs.ModeReplace, strings.Repeat("x", i+1)))
	}
	for i, owner := range owners {
		heldSize(t, b.Open(owner, window), "/f", int64(i+1))
	}
	if got := staged(t, root); len(got) != len(owners) {
		t.Errorf("staged: %q", got)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 1 {
		t.Errorf("beside it: %v", entries)
	}
	// The border between the two parts of the key is not blurred.
	must(t, os.Mkdir(filepath.Join(root, "b"), 0o755))
	notHeld(t, b.Open("a", window), "/b/f")
}

func TestSweep(t *testing.T) {
	b, root := backend(t, local.Options{})
	alice := b.Open("alice", window)
	keep(t, started(t, alice, "/kept", vfs.ModeReplace, "part"))
	live := started(t, alice, "/live", vfs.ModeReplace, "part")
	short := started(t, b.Open("bob", 0), "/short", vfs.ModeReplace, "part")
	all := len(staged(t, root))
	put(t, filepath.Join(root, ".ftpgate", "notes"), "of an admin") // nobody's business

	// Neither this Backend nor another one takes what is live or held.
	b.Sweep(time.Now())
	other, _ := backend(t, local.Options{Root: root})
	other.Sweep(time.Now())
	age(t, root, window-time.Minute)
	other.Sweep(time.Now())
	if got := staged(t, root); len(got) != all+1 {
		t.Fatalf("of %d files, %q are left", all, got)
	}
	heldSize(t, other.Open("alice", window), "/kept", 4)
	notHeld(t, other.Open("alice", window), "/live")

	// An expired partial is not seen even before it is swept.
	age(t, root, window+time.Minute)
	notHeld(t, alice, "/kept")
	if got := staged(t, root); len(got) != all+1 {
		t.Errorf("%q are left", got)
	}
	other.Sweep(time.Now())
	if got := staged(t, root); len(got) != all {
		t.Errorf("%q are left after an expiry", got)
	}
	// Live uploads do not expire.
	must(t, live.Close())
	must(t, short.Close())
	holds(t, alice, "/live", "part")
	holds(t, alice, "/short", "part")
}

// A Backend that is gone, as after a crash, leaves files of both kinds.
func TestDeadProcess(t *testing.T) {
	b, root := backend(t, local.Options{})
	must(t, store(b.Open("bob", 0), "/old", vfs.ModeReplace, "old"))
	started(t, b.Open("bob", 0), "/short", vfs.ModeReplace, "part")
	started(t, b.Open("alice", window), "/new", vfs.ModeReplace, "part")
	started(t, b.Open("alice", window), "/old", vfs.ModeAppend, " and more")
	must(t, b.Close())

	again, _ := backend(t, local.Options{Root: root})
	if got := staged(t, root); len(got) != 2 {
		t.Errorf("after the sweep of New there are %q", got)
	}
	alice := again.Open("alice", window)
	heldSize(t, alice, "/new", 4)
	heldSize(t, alice, "/old", int64(len("old and more")))
	notHeld(t, again.Open("bob", window), "/new")
	must(t, store(alice, "/new", vfs.ModeAppend, " two"))
	holds(t, alice, "/new", "part two")
	f, err := alice.OpenFile("/old", vfs.ModeRestart, 0)
	must(t, err)
	_, err = f.Seek(7, io.SeekStart)
	must(t, err)
	_, err = io.WriteString(f, "!")
	must(t, err)
	must(t, f.Close())
	holds(t, alice, "/old", "old and!")
	notHeld(t, alice, "/old")
	if got := staged(t, root); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

// A partial of a dead process can be resumed by another that was there all the
// time, once it has swept.
func TestDeadProcessBesideALivingOne(t *testing.T) {
	living, root := backend(t, local.Options{})
	must(t, store(living.Open("bob", 0), "/f", vfs.ModeReplace, "x"))
	dying, _ := backend(t, local.Options{Root: root})
	started(t, dying.Open("alice", window), "/new", vfs.ModeReplace, "part")
	notHeld(t, living.Open("alice", window), "/new")
	must(t, dying.Close())
	living.Sweep(time.Now())
	heldSize(t, living.Open("alice", window), "/new", 4)
	must(t, store(living.Open("alice", window), "/new", vfs.ModeAppend, "!"))
	holds(t, living.Open("alice", window), "/new", "part!")
}

// Resuming a partial where it ended takes it over without a copy, and gives it back.
func TestTakingOver(t *testing.T) {
	b, root := backend(t, local.Options{})
	fsys := b.Open("alice", window)
	keep(t, started(t, fsys, "/f", vfs.ModeReplace, "part"))
	inode := func() uint64 {
		names := staged(t, root)
		if len(names) != 1 {
			t.Fatalf("staged: %q", names)
		}
		return inodeOf(t, filepath.Join(root, ".ftpgate", names[0]))
	}
	first := inode()
	f := started(t, fsys, "/f", vfs.ModeAppend, " that is cut")
	if inode() != first {
		t.Errorf("the partial was copied")
	}
	notHeld(t, fsys, "/f") // another session cannot take it as well
	must(t, vfs.Abort(f))
	heldSize(t, fsys, "/f", 4)

	keep(t, started(t, fsys, "/f", vfs.ModeAppend, " two"))
	if inode() != first {
		t.Errorf("the partial was copied")
	}
	must(t, store(fsys, "/f", vfs.ModeAppend, " three"))
	if inodeOf(t, filepath.Join(root, "f")) != first {
		t.Errorf("the partial was copied")
	}
	holds(t, fsys, "/f", "part two three")
}

func inodeOf(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	return uint64(st.Ino)
}

// A base that changed on the host, past the gateway, is noticed too.
func TestBaseChangedOnTheHost(t *testing.T) {
	for what, change := range map[string]func(t *testing.T, path string){
		"written in place": func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			defer f.Close()
			_, err = f.WriteString("more")
			must(t, err)
		},
		"same size": func(t *testing.T, path string) {
			put(t, path, "BASE")
			must(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
		},
		"replaced": func(t *testing.T, path string) {
			put(t, path+".new", "BASE")
			must(t, os.Rename(path+".new", path))
		},
		"removed":          func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"a directory now":  func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o755)) },
		"a dangling link":  func(t *testing.T, path string) { must(t, os.Remove(path)); link(t, "nowhere", path) },
		"a link to itself": func(t *testing.T, path string) { must(t, os.Rename(path, path+"2")); link(t, "f2", path) },
	} {
		t.Run(what, func(t *testing.T) {
			fsys, root := open(t, local.Options{})
			path := filepath.Join(root, "f")
			put(t, path, "base")
			f := started(t, fsys, "/f", vfs.ModeAppend, " mine")
			change(t, path)
			wants(t, "close", f.Close(), vfs.ErrTransient)
			f, err := fsys.OpenFile("/f", vfs.ModeAppend, 0)
			if err == nil {
				_ = vfs.Abort(f)
			}
			if got := staged(t, root); len(got) != 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
	fsys, root := open(t, local.Options{})
	put(t, filepath.Join(root, "f"), "base")
	keep(t, started(t, fsys, "/f", vfs.ModeAppend, " mine"))
	heldSize(t, fsys, "/f", 9)
	put(t, filepath.Join(root, "f"), "changed base")
	notHeld(t, fsys, "/f")
	must(t, store(fsys, "/f", vfs.ModeAppend, "!"))
	holds(t, fsys, "/f", "changed base!")
}

func TestHeldIsNeverRead(t *testing.T) {
	fsys, _ := open(t, local.Options{})
	keep(t, started(t, fsys, "/f", vfs.ModeReplace, "part"))
	_, err := read(fsys, "/f")
	wants(t, "read", err, fs.ErrNotExist)
	_, err = fsys.Stat("/f")
	wants(t, "stat", err, fs.ErrNotExist)
	wants(t, "remove", fsys.Remove("/f"), fs.ErrNotExist)
	if got := list(t, fsys, "/"); len(got) != 0 {
		t.Errorf("listed: %q", got)
	}
}

// What was held does not come back when the finished file that ended it goes.
func TestHeldDoesNotComeBack(t *testing.T) {
	for what, end := range map[string]func(fsys afero.Fs) error{
		"STOR": func(fsys afero.Fs) error { return store(fsys, "/f", vfs.ModeReplace, "whole") },
		"STOU": func(fsys afero.Fs) error { return store(fsys, "/f", vfs.ModeCreate, "whole") },
		"RNTO": func(fsys afero.Fs) error { return fsys.Rename("/g", "/f") },
	} {
		b, root := backend(t, local.Options{})
		alice, bob := b.Open("alice", window), b.Open("bob", 0)
		put(t, filepath.Join(root, "g"), "other")
		keep(t, started(t, alice, "/f", vfs.ModeReplace, "part"))
		b.Sweep(time.Now())
		must(t, end(bob))
		must(t, bob.Remove("/f"))
		if n, err := vfs.Held(alice, "/f"); err == nil {
			t.Errorf("%s: %d bytes are held again", what, n)
		}
		if got := staged(t, root); len(got) != 0 {
			t.Errorf("%s: left behind: %q", what, got)
		}
	}
}

func TestOnePartialPerOwnerAndName(t *testing.T) {
	b, root := backend(t, local.Options{})
	alice, bob := b.Open("alice", window), b.Open("bob", window)
	keep(t, started(t, bob, "/f", vfs.ModeReplace, "of bob"))
	for _, content := range []string{"first, and longest", "second", "3"} {
		keep(t, started(t, alice, "/f", vfs.ModeReplace, content))
		heldSize(t, alice, "/f", int64(len(content)))
		heldSize(t, bob, "/f", 6)
		if got := staged(t, root); len(got) != 2 {
			t.Errorf("staged: %q", got)
		}
	}
	// An upload that dies before its first byte hides nothing.
	other, _ := backend(t, local.Options{Root: root})
	_, err := other.Open("alice", window).OpenFile("/f", vfs.ModeReplace, vfs.NewFileMode)
	must(t, err)
	must(t, other.Close())
	heldSize(t, alice, "/f", 1)
}
