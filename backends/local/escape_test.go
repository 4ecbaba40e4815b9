//go:build unix

package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
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

// look lists a directory.
func look(t *testing.T, fsys afero.Fs, dir string) []fs.FileInfo {
	t.Helper()
	d, err := fsys.Open(dir)
	must(t, err)
	defer d.Close()
	infos, err := d.Readdir(-1)
	must(t, err)
	return infos
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
				for _, info := range look(t, fsys, "/") {
					if info.Name() == "evil" && info.Mode().Type() != fs.ModeSymlink {
						t.Errorf("listed as %v", info.Mode())
					}
				}
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
	for _, info := range look(t, fsys, "/") {
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
