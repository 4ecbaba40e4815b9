//go:build unix

package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
	"github.com/spf13/afero"
)

// jail is <tmp>/root to serve, with <tmp>/outside beside it that nobody may reach.
func jail(t *testing.T) (fsys afero.Fs, root, outside string) {
	t.Helper()
	top := t.TempDir()
	root, outside = filepath.Join(top, "root"), filepath.Join(top, "outside")
	put(t, filepath.Join(outside, "secret"), "secret")
	put(t, filepath.Join(outside, "dir", "secret"), "secret")
	put(t, filepath.Join(root, "in", "file"), "inside")
	fsys, _ = open(t, local.Options{Root: root})
	return fsys, root, outside
}

// untouched checks that the outside is as jail made it.
func untouched(t *testing.T, outside string) {
	t.Helper()
	n := 0
	must(t, filepath.WalkDir(outside, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n++
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !e.IsDir() {
			if b, _ := os.ReadFile(path); string(b) != "secret" || info.Mode() != 0o644 {
				t.Errorf("%s was changed", path)
			}
		}
		if time.Since(info.ModTime()) > time.Hour {
			t.Errorf("the times of %s were changed", path)
		}
		return nil
	}))
	if n != 4 {
		t.Errorf("there are %d objects outside, not 4", n)
	}
}

// everything is each operation that a client can cause, on one path. Those that
// act on a link itself, and so may succeed on one, come last.
var everything = []struct {
	name     string
	do       func(fsys afero.Fs, path string) error
	linkSelf bool
}{
	{name: "RETR", do: func(fsys afero.Fs, p string) error { _, err := read(fsys, p); return err }},
	{name: "LIST", do: func(fsys afero.Fs, p string) error {
		d, err := fsys.Open(p)
		if err != nil {
			return err
		}
		defer d.Close()
		_, err = d.Readdir(-1)
		return err
	}},
	{name: "STOR", do: func(fsys afero.Fs, p string) error { return store(fsys, p, vfs.ModeReplace, "x") }},
	{name: "APPE", do: func(fsys afero.Fs, p string) error { return store(fsys, p, vfs.ModeAppend, "x") }},
	{name: "REST", do: func(fsys afero.Fs, p string) error {
		f, err := fsys.OpenFile(p, vfs.ModeRestart, 0)
		if err != nil {
			return err
		}
		_, _ = f.Seek(1, io.SeekStart)
		return f.Close()
	}},
	{name: "MFMT", do: func(fsys afero.Fs, p string) error { return fsys.Chtimes(p, time.Unix(0, 0), time.Unix(0, 0)) }},
	{name: "CHMOD", do: func(fsys afero.Fs, p string) error { return fsys.Chmod(p, 0o777) }},
	{name: "CHOWN", do: func(fsys afero.Fs, p string) error { return fsys.Chown(p, 1, 1) }},
	{name: "Held", do: func(fsys afero.Fs, p string) error { _, err := vfs.Held(fsys, p); return err }},
	{name: "STOU", do: func(fsys afero.Fs, p string) error { return store(fsys, p, vfs.ModeCreate, "x") }},
	{name: "MKD", do: func(fsys afero.Fs, p string) error { return fsys.Mkdir(p, 0o755) }},
	{name: "MKD all", do: func(fsys afero.Fs, p string) error { return fsys.MkdirAll(p, 0o755) }},
	{name: "RNTO", do: func(fsys afero.Fs, p string) error { return vfs.RenameExclusive(fsys, "/in/file", p) }},
	{name: "SIZE", linkSelf: true, do: func(fsys afero.Fs, p string) error { _, err := fsys.Stat(p); return err }},
	{name: "RNFR", linkSelf: true, do: func(fsys afero.Fs, p string) error { return fsys.Rename(p, "/moved") }},
	{name: "DELE", linkSelf: true, do: func(fsys afero.Fs, p string) error { return fsys.Remove(p) }},
	{name: "RMD all", linkSelf: true, do: func(fsys afero.Fs, p string) error { return fsys.RemoveAll(p) }},
}

func TestLinksDoNotLeaveTheRoot(t *testing.T) {
	for what, target := range map[string]string{
		"relative":       "../outside",
		"through itself": "in/../../outside",
		"absolute":       "OUTSIDE",
		"absolute root":  "ROOT/in",
		"etc":            "/etc",
		"parent":         "..",
		"deep parent":    "in/../..",
		"far parent":     "../../../../../../../../etc",
		"chained":        "chain1",
		"loop":           "loop",
		"proc":           "/proc/self/root/etc",
	} {
		t.Run(what, func(t *testing.T) {
			for _, op := range everything {
				fsys, root, outside := jail(t)
				switch target {
				case "OUTSIDE":
					target = outside
				case "ROOT/in":
					target = filepath.Join(root, "in")
				}
				link(t, "chain2", filepath.Join(root, "chain1"))
				link(t, "in/../../outside", filepath.Join(root, "chain2"))
				link(t, "evil", filepath.Join(root, "loop"))
				link(t, target, filepath.Join(root, "evil"))
				// As a directory on the way, nothing can be done through it.
				for _, below := range []string{"/evil/secret", "/evil/dir/secret", "/evil/new"} {
					err := op.do(fsys, below)
					if op.name == "RMD all" && err == nil {
						continue // what cannot be reached is not there
					}
					if !errors.Is(err, fs.ErrPermission) {
						t.Errorf("%s %s: %v, want a refusal", op.name, below, err)
					}
				}
				err := op.do(fsys, "/evil")
				if op.linkSelf {
					must(t, err)
				} else if err == nil {
					t.Errorf("%s /evil succeeded", op.name)
				} else {
					wants(t, op.name, err, err)
				}
				untouched(t, outside)
			}
		})
	}
}

// A path that is not clean breaks the contract; it still leads nowhere.
func TestUncleanPathsDoNotLeaveTheRoot(t *testing.T) {
	for _, path := range []string{
		"..", "/..", "/../outside/secret", "/in/../../outside/secret", "../outside/secret", "/in/..", "/../../etc/passwd",
		"", ".", "/.", "/./in", "//etc/passwd", "/in//file", "/in/", "in/file", "/in/file\x00", "/\x00",
	} {
		for _, op := range everything {
			fsys, _, outside := jail(t)
			if err := op.do(fsys, path); err == nil {
				t.Errorf("%s %q succeeded", op.name, path)
			}
			untouched(t, outside)
		}
	}
}

func TestLinksInsideTheRoot(t *testing.T) {
	fsys, root, _ := jail(t)
	put(t, filepath.Join(root, "a/b/target"), "target")
	link(t, "a/b", filepath.Join(root, "dirlink"))
	link(t, "../b/target", filepath.Join(root, "a/b/filelink"))
	link(t, "dirlink/../b/target", filepath.Join(root, "twice")) // ".." of what dirlink leads to
	link(t, "a/b/missing", filepath.Join(root, "dangling"))
	link(t, "..", filepath.Join(root, "a/up"))
	link(t, "in/", filepath.Join(root, "slash"))

	holds(t, fsys, "/dirlink/target", "target")
	holds(t, fsys, "/a/b/filelink", "target")
	holds(t, fsys, "/twice", "target")
	holds(t, fsys, "/a/up/in/file", "inside")
	holds(t, fsys, "/slash/file", "inside")
	for name, want := range map[string]fs.FileMode{
		"/dirlink": fs.ModeDir, "/twice": 0, "/dangling": fs.ModeSymlink, "/a/up": fs.ModeDir, "/slash": fs.ModeDir,
	} {
		info, err := fsys.Stat(name)
		must(t, err)
		if info.Mode().Type() != want {
			t.Errorf("%s shows as %v", name, info.Mode())
		}
	}
	// A listing shows the same.
	d, err := fsys.Open("/")
	must(t, err)
	defer d.Close()
	infos, err := d.Readdir(-1)
	must(t, err)
	for _, info := range infos {
		alone, err := fsys.Stat("/" + info.Name())
		must(t, err)
		if alone.Mode() != info.Mode() || alone.Size() != info.Size() || alone.(vfs.Identifier).Identity() != info.(vfs.Identifier).Identity() {
			t.Errorf("%s is %v in a listing and %v alone", info.Name(), info.Mode(), alone.Mode())
		}
	}

	// Uploads go through: the links stay, what they lead to is replaced, or made.
	must(t, store(fsys, "/twice", vfs.ModeReplace, "new"))
	must(t, store(fsys, "/twice", vfs.ModeAppend, "er"))
	must(t, store(fsys, "/dangling", vfs.ModeReplace, "made"))
	wants(t, "exclusive create through a link", store(fsys, "/a/b/filelink", vfs.ModeCreate, "x"), fs.ErrExist)
	for name, content := range map[string]string{"a/b/target": "newer", "a/b/missing": "made"} {
		if b, _ := os.ReadFile(filepath.Join(root, name)); string(b) != content {
			t.Errorf("%s holds %q, want %q", name, b, content)
		}
	}
	for _, name := range []string{"twice", "dangling", "a/b/filelink"} {
		if info, err := os.Lstat(filepath.Join(root, name)); err != nil || info.Mode().Type() != fs.ModeSymlink {
			t.Errorf("the link %s did not stay: %v", name, err)
		}
	}
	// Onto a link to a directory counts as onto the directory; a link is removed and moved itself.
	wants(t, "rename onto a link to a directory", fsys.Rename("/in/file", "/dirlink"), fs.ErrExist)
	must(t, fsys.Rename("/dirlink", "/moved"))
	must(t, fsys.Remove("/moved"))
	holds(t, fsys, "/a/b/target", "newer")
	must(t, fsys.Chtimes("/a/b/filelink", time.Time{}, time.Unix(1e9, 0)))
	if info, _ := os.Stat(filepath.Join(root, "a/b/target")); !info.ModTime().Equal(time.Unix(1e9, 0)) {
		t.Errorf("a time set through a link is %v", info.ModTime())
	}
}

// TestLinkSwappedDuringRequests races every operation against somebody on the
// host who turns a directory and a file into links to the outside and back.
func TestLinkSwappedDuringRequests(t *testing.T) {
	fsys, root, outside := jail(t)
	at := func(name string) string { return filepath.Join(root, name) }
	must(t, os.Mkdir(at("realdir"), 0o755))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			// RENAME_EXCHANGE would be neater; replacing by rename is as fast and portable.
			_ = os.Symlink("../outside/dir", at("l1"))
			_ = os.Rename(at("swapped"), at("old"))
			_ = os.Rename(at("l1"), at("swapped"))
			_ = os.RemoveAll(at("old"))
			_ = os.Symlink("../outside/secret", at("l2"))
			_ = os.Rename(at("l2"), at("swappedfile"))
			_ = os.Mkdir(at("d"), 0o755)
			_ = os.WriteFile(at("d/secret"), []byte("mine"), 0o600)
			_ = os.Remove(at("swapped"))
			_ = os.Rename(at("d"), at("swapped"))
			_ = os.WriteFile(at("f"), []byte("mine"), 0o600)
			_ = os.Rename(at("f"), at("swappedfile"))
		}
	})
	deadline := time.Now().Add(2 * time.Second)
	for rounds := 0; time.Now().Before(deadline) || rounds < 20; rounds++ {
		for _, path := range []string{"/swapped/secret", "/swapped/new", "/swappedfile"} {
			if got, err := read(fsys, path); err == nil && got == "secret" {
				t.Fatalf("%s gave the secret away", path)
			}
			if info, err := fsys.Stat(path); err == nil && info.Size() == int64(len("secret")) && info.Mode().IsRegular() {
				t.Fatalf("stat of %s was of the secret", path)
			}
			for _, op := range everything {
				if op.name != "RNTO" && op.name != "RNFR" {
					_ = op.do(fsys, path) // whatever comes of it, untouched tells
				}
			}
		}
	}
	close(stop)
	wg.Wait()
	untouched(t, outside)
}
