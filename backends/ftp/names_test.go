package ftp

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// put publishes content; an error of Write comes back from Close.
func put(fsys afero.Fs, name, content string) error {
	f, err := fsys.OpenFile(name, vfs.ModeReplace, vfs.NewFileMode)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(f, content)
	return f.Close()
}

func list(t *testing.T, fsys afero.Fs, dir string) []string {
	t.Helper()
	d, err := fsys.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// TestRootIsNotLeft: whatever the server takes for a separator.
func TestRootIsNotLeft(t *testing.T) {
	u, below := startOwn(t)
	for _, dir := range []string{"/a", "/a/b"} {
		if err := below.Mkdir(dir, vfs.NewDirMode); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(below, "/a/secret", "of others"); err != nil {
		t.Fatal(err)
	}
	o := u.options()
	o.Root = "/a/b/"
	fsys := u.backend(t, o).Open("", 0)
	if err := put(fsys, "/f", "mine"); err != nil {
		t.Fatal(err)
	}
	if got, err := afero.ReadFile(below, "/a/b/f"); string(got) != "mine" {
		t.Errorf("below the root: %q, %v", got, err)
	}
	for _, name := range []string{`/..\secret`, `/x\..\..\secret`, `/f\..`, "/../secret"} {
		if _, err := fsys.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %q: %v", name, err)
		}
		if err := put(fsys, name, "x"); !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("store %q: %v", name, err)
		}
		if err := fsys.Rename("/f", name); !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("rename to %q: %v", name, err)
		}
		if err := fsys.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("remove %q: %v", name, err)
		}
		if err := fsys.RemoveAll(name); err != nil {
			t.Errorf("remove all of %q: %v", name, err)
		}
	}
	if got := list(t, below, "/a"); !slices.Equal(got, []string{"b", "secret"}) {
		t.Errorf("the parent has %q", got)
	}
	for _, root := range []string{"a", "/a/../b", `/a\..\b`, "/a\r\nDELE b"} {
		if _, err := New(Options{Root: root}); err == nil {
			t.Errorf("root %q is taken", root)
		}
	}
}

// TestReservedNames: clients neither see nor make names of uploads under way.
func TestReservedNames(t *testing.T) {
	u, below := startOwn(t)
	b := u.backend(t, u.options())
	fsys := b.Open("", 0)
	name := b.temporaryName("/f", time.Now())
	for _, name := range []string{name, strings.ToUpper(name)} {
		if err := put(below, name, "of another gateway"); err != nil {
			t.Fatal(err)
		}
		if _, err := fsys.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat: %v", err)
		}
		if _, err := fsys.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open: %v", err)
		}
		if err := fsys.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("remove: %v", err)
		}
		if err := put(fsys, name, "x"); !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("store: %v", err)
		}
		if err := fsys.Mkdir(name+"x", 0); !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("mkdir: %v", err)
		}
	}
	if got := list(t, fsys, "/"); len(got) != 0 {
		t.Errorf("listed: %q", got)
	}
	if got := list(t, below, "/"); len(got) != 2 {
		t.Errorf("there are %q", got)
	}
}

// TestLeftovers: a listing removes what a gateway has left long ago, and nothing else.
func TestLeftovers(t *testing.T) {
	u, below := startOwn(t)
	b := u.backend(t, u.options())
	fsys := b.Open("", 0)
	now := time.Now()
	old := b.temporaryName("/f", now.Add(-leftoverAge-time.Hour))
	mine := b.temporaryName("/f", now.Add(-leftoverAge-time.Hour))
	b.names.upload(mine) // a very slow one
	keep := []string{mine, b.temporaryName("/f", now.Add(-leftoverAge+time.Hour)), "/.ftpgate-zzz", "/file"}
	for _, name := range append([]string{old}, keep...) {
		if err := put(below, name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(t, fsys, "/"); !slices.Equal(got, []string{"file"}) {
		t.Errorf("listed: %q", got)
	}
	var want []string
	for _, name := range keep {
		want = append(want, name[1:])
	}
	slices.Sort(want)
	if got := list(t, below, "/"); !slices.Equal(got, want) {
		t.Errorf("left: %q, want %q", got, want)
	}
}

// TestFilesLikeLeftovers: what people call their files is not deleted, though it begins with the prefix.
func TestFilesLikeLeftovers(t *testing.T) {
	b, err := New(Options{Address: "host", Prefix: "scan"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, name := range []string{
		"scan2019-abcdefghijkl.pdf", "scan2019-abcdefghijklmnop", "scant5x9ab-invoice-2019-05x", "scan0t5x9ab-abcdefghijklmnop",
		"scan-1-abcdefghijklmnop", "scant5x9ab-ABCDEFGHIJKLMNOP", "scant5x9ab-abcdefghijklmno1",
	} {
		if b.isLeftover("/", name, now) {
			t.Errorf("%q would be deleted", name)
		}
	}
	if name := b.temporaryName("/f", now.Add(-leftoverAge-time.Hour))[1:]; !b.isLeftover("/", name, now) {
		t.Errorf("%q would stay", name)
	}
}
