package vfstest

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 6: listings.
var listing = theme{"readdir", []clause{
	{name: "batches", check: readdirBatches},
	{name: "all", check: readdirAll},
	{name: "entries", check: readdirEntries},
	{name: "names", check: readdirNames},
	{name: "file", check: readdirFile},
	{name: "changing", check: readdirChanging},
}}

// many is more than any backend's page and than most read buffers.
const many = 3000

// fill puts n empty files into /d.
func (t *tree) fill(n int) map[string]bool {
	t.Helper()
	want := make(map[string]bool)
	for i := range n {
		name := fmt.Sprintf("entry %04d", i)
		t.ok(store(t.fs, "/d/"+name, vfs.ModeReplace, ""), "store %q", name)
		want[name] = true
	}
	return want
}

// once checks that got is exactly want, each name once.
func (t *tree) once(what string, got []string, want map[string]bool) {
	t.Helper()
	seen := make(map[string]bool)
	for _, name := range got {
		if seen[name] {
			t.Errorf("%s: %q is listed twice", what, name)
		}
		if !want[name] {
			t.Errorf("%s: %q is listed and not there", what, name)
		}
		seen[name] = true
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("%s: %q is not listed", what, name)
		}
	}
}

func readdirBatches(t *tree) {
	t.mkdir("/d")
	want := t.fill(many)
	for _, n := range []int{1, 7, 100, many, many + 1} {
		d := t.open("/d", vfs.ModeRead)
		var got []string
		for {
			batch, err := d.Readdir(n)
			if len(batch) > n {
				t.Fatalf("Readdir(%d) returned %d entries", n, len(batch))
			}
			for _, e := range batch {
				got = append(got, e.Name())
			}
			if ended(err) {
				break
			}
			t.ok(err, "readdir")
			if len(batch) == 0 || len(got) > 2*many {
				t.Fatalf("Readdir(%d) does not end", n)
			}
		}
		t.once(fmt.Sprintf("Readdir(%d)", n), got, want)
		if more, err := d.Readdir(n); len(more) != 0 || !ended(err) {
			t.Errorf("Readdir(%d) after the end: %d entries, %v", n, len(more), err)
		}
		t.ok(d.Close(), "close")
	}
	t.mkdir("/empty")
	d := t.open("/empty", vfs.ModeRead)
	if got, err := d.Readdir(10); len(got) != 0 || !ended(err) {
		t.Errorf("Readdir of an empty directory: %d entries, %v", len(got), err)
	}
}

func readdirAll(t *tree) {
	t.mkdir("/d")
	want := t.fill(500)
	for _, n := range []int{0, -1} {
		d := t.open("/d", vfs.ModeRead)
		first, err := d.Readdir(3)
		t.ok(err, "readdir")
		rest, err := d.Readdir(n)
		t.ok(err, "Readdir(%d)", n)
		var got []string
		for _, e := range append(first, rest...) {
			got = append(got, e.Name())
		}
		t.once(fmt.Sprintf("Readdir(%d)", n), got, want)
		if more, err := d.Readdir(n); len(more) != 0 || err != nil {
			t.Errorf("Readdir(%d) after the end: %d entries, %v", n, len(more), err)
		}
	}
}

func readdirEntries(t *tree) {
	t.mkdir("/d")
	t.mkdir("/d/sub")
	t.put("/d/f", "12345")
	if t.props.SetMode {
		t.ok(t.fs.Chmod("/d/f", 0o600), "chmod")
	}
	for _, e := range t.entries("/d") {
		info, err := t.fs.Stat(vfs.Join("/d", e.Name()))
		t.ok(err, "stat")
		if e.Mode() != info.Mode() || e.IsDir() != info.IsDir() || !e.ModTime().Equal(info.ModTime()) {
			t.Errorf("%q is listed as %v %v, Stat says %v %v", e.Name(), e.Mode(), e.ModTime(), info.Mode(), info.ModTime())
		}
		if !e.IsDir() && e.Size() != info.Size() {
			t.Errorf("%q is listed with %d bytes, Stat says %d", e.Name(), e.Size(), info.Size())
		}
		if e.IsDir() != (e.Name() == "sub") {
			t.Errorf("%q is listed as %v", e.Name(), e.Mode())
		}
	}
	t.lists("/d", "f", "sub")
	t.lists("/", "d")
	t.lists("/d/sub")
}

func readdirNames(t *tree) {
	t.mkdir("/d")
	want := t.fill(250)
	d := t.open("/d", vfs.ModeRead)
	var got []string
	for {
		batch, err := d.Readdirnames(100)
		got = append(got, batch...)
		if ended(err) {
			break
		}
		t.ok(err, "readdirnames")
		if len(batch) == 0 {
			t.Fatalf("Readdirnames does not end")
		}
	}
	t.once("Readdirnames", got, want)
}

func readdirFile(t *tree) {
	t.put("/f", "file")
	f := t.open("/f", vfs.ModeRead)
	_, err := f.Readdir(1)
	if ended(err) {
		err = nil
	}
	if vfs.OSFile(f) != nil {
		t.failsSomehow(err, "Readdir of a bare file") // with the operating system's own error
	} else {
		t.fails(err, "Readdir of a file", vfs.ErrNotDir)
	}
	_, err = t.fs.Open("/none")
	t.fails(err, "opening a missing directory", fs.ErrNotExist)
}

// readdirChanging: what is there all the time is listed once, whatever else comes and goes.
func readdirChanging(t *tree) {
	t.mkdir("/d")
	stay := t.fill(300)
	for i := range 300 {
		t.put(fmt.Sprintf("/d/goes %d", i), "")
	}
	d := t.open("/d", vfs.ModeRead)
	seen := make(map[string]int)
	for round := 0; ; round++ {
		batch, err := d.Readdir(10)
		for _, e := range batch {
			seen[e.Name()]++
		}
		if ended(err) {
			break
		}
		t.ok(err, "readdir")
		if round > 1000 {
			t.Fatalf("a listing does not end while files are created")
		}
		for i := round * 10; i < min(round*10+10, 300); i++ {
			t.ok(ignoreMissing(t.fs, fmt.Sprintf("/d/goes %d", i)), "remove")
		}
		for i := range 20 {
			t.ok(store(t.fs, fmt.Sprintf("/d/comes %d-%d", round, i), vfs.ModeReplace, ""), "store")
		}
	}
	for name := range stay {
		if seen[name] != 1 {
			t.Errorf("%q was listed %d times", name, seen[name])
		}
	}
	for name, n := range seen {
		if n > 1 {
			t.Errorf("%q was listed %d times", name, n)
		}
	}
	// A directory that goes while it is listed ends the listing, or fails it.
	t.mkdir("/gone")
	t.put("/gone/f", "")
	d = t.open("/gone", vfs.ModeRead)
	t.ok(t.fs.Remove("/gone/f"), "remove")
	t.ok(t.fs.Remove("/gone"), "remove")
	got, err := d.Readdir(10)
	if t.props.ImpliedDirs && err == nil && len(got) == 1 && got[0].Name() == "f" {
		got, err = d.Readdir(10) // the first page, which came when the directory was opened
	}
	if err == nil || len(got) > 0 {
		t.Errorf("a removed directory lists %d entries, %v", len(got), err)
	}
}

func ignoreMissing(fsys afero.Fs, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
