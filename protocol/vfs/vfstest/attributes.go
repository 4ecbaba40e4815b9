package vfstest

import (
	"io/fs"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Times, modes and identity, as far as Properties promises them.
var attributes = theme{"attributes", []clause{
	{name: "times", check: setTimes},
	{name: "modes", check: setModes},
	{name: "fresh-time", check: freshTime},
	{name: "identity", check: identity},
}}

func setTimes(t *tree) {
	t.mkdir("/d")
	t.put("/d/f", "content")
	want := time.Date(2001, 2, 3, 4, 5, 6, 789_012_345, time.UTC)
	if !t.props.SetTimes {
		t.fails(t.fs.Chtimes("/d/f", want, want), "Chtimes where Properties.SetTimes does not hold", vfs.ErrUnsupported)
		return
	}
	rounded := func(at time.Time) time.Time {
		return at.Truncate(max(t.props.TimePrecision, 1))
	}
	for _, at := range []time.Time{want, time.Unix(0, 0), time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC)} {
		t.ok(t.fs.Chtimes("/d/f", at, at), "chtimes")
		info, err := t.fs.Stat("/d/f")
		t.ok(err, "stat")
		if !info.ModTime().Equal(rounded(at)) {
			t.Errorf("time set to %v is %v", at, info.ModTime())
		}
	}
	t.ok(t.fs.Chtimes("/d/f", want, want), "chtimes")
	t.rename("/d/f", "/g")
	info, err := t.fs.Stat("/g")
	t.ok(err, "stat")
	if !info.ModTime().Equal(rounded(want)) {
		t.Errorf("a rename made the time %v", info.ModTime())
	}
	t.holds("/g", "content")
	t.fails(t.fs.Chtimes("/none", want, want), "Chtimes of nothing", fs.ErrNotExist)
	t.lists("/", "d", "g")
}

func setModes(t *tree) {
	t.put("/f", "content")
	if !t.props.SetMode {
		t.fails(t.fs.Chmod("/f", 0o600), "Chmod where Properties.SetMode does not hold", vfs.ErrUnsupported)
		return
	}
	for _, mode := range []fs.FileMode{0o600, 0o644, 0o755, 0o640} {
		t.ok(t.fs.Chmod("/f", mode), "chmod")
		info, err := t.fs.Stat("/f")
		t.ok(err, "stat")
		if info.Mode() != mode {
			t.Errorf("mode set to %v is %v", mode, info.Mode())
		}
	}
	t.put("/f", "replaced")
	if info, err := t.fs.Stat("/f"); err != nil || info.Mode() != 0o640 {
		t.Errorf("a replaced file of mode 0640 has %v (%v)", info.Mode(), err)
	}
	t.fails(t.fs.Chmod("/none", 0o600), "Chmod of nothing", fs.ErrNotExist)
}

// freshTime: what is published is not older than its upload.
func freshTime(t *tree) {
	// Clocks of storage and test may differ; an hour tells a set time from a kept one.
	old := time.Now().Add(-24 * time.Hour)
	t.put("/f", "old")
	if t.props.SetTimes {
		t.ok(t.fs.Chtimes("/f", old, old), "chtimes")
	}
	t.put("/f", "new")
	info, err := t.fs.Stat("/f")
	t.ok(err, "stat")
	if age := time.Since(info.ModTime()); age > time.Hour || age < -time.Hour {
		t.Errorf("a file published now is dated %v", info.ModTime())
	}
}

// identity checks vfs.Identifier where a FileInfo has it.
func identity(t *tree) {
	t.mkdir("/d")
	t.put("/f", "one")
	t.put("/g", "one")
	of := func(name string) string {
		t.Helper()
		info, err := t.fs.Stat(name)
		t.ok(err, "stat %q", name)
		if id, ok := info.(vfs.Identifier); ok {
			return id.Identity()
		}
		return ""
	}
	f, g, d := of("/f"), of("/g"), of("/d")
	if f == "" {
		return
	}
	if f == g || f == d || g == d {
		t.Errorf("different objects have the identities %q, %q and %q", f, g, d)
	}
	for _, e := range t.entries("/") {
		id, ok := e.(vfs.Identifier)
		if !ok || id.Identity() != of("/"+e.Name()) {
			t.Errorf("%q has another identity in a listing than in Stat", e.Name())
		}
	}
	if again := of("/f"); again != f {
		t.Errorf("the identity %q became %q", f, again)
	}
	if t.props.ImpliedDirs {
		return // an object's identity may be its key
	}
	t.rename("/f", "/d/h")
	if moved := of("/d/h"); moved != f {
		t.Errorf("the identity %q became %q in a rename", f, moved)
	}
	t.put("/f", "a new file")
	if other := of("/f"); other == f {
		t.Errorf("two files have the identity %q", f)
	}
}
