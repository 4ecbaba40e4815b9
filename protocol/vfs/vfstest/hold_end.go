package vfstest

import (
	"io/fs"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// How a held partial ends, and what it survives.

func heldEndsWithStor(t *tree) {
	for _, flag := range []int{vfs.ModeReplace, vfs.ModeCreate} {
		t.hold("/f", "part")
		f := t.open("/f", flag)
		t.write(f, "complete")
		t.isHeld("/f", 4)
		t.publish(f)
		t.notHeld("/f")
		t.ok(t.fs.Remove("/f"), "remove")
		t.notHeld("/f")
	}
}

func heldEndsWithChange(t *tree) {
	for what, change := range map[string]func(){
		"a STOR by another owner":  func() { t.as(bob).put("/f", "else") },
		"removing the file":        func() { t.ok(t.fs.Remove("/f"), "remove") },
		"renaming another onto it": func() { t.put("/g", "else"); t.ok(t.fs.Rename("/g", "/f"), "rename") },
	} {
		t.put("/f", "base")
		t.hold("/f", "the part")
		t.isHeld("/f", 8)
		change()
		if _, err := vfs.Held(t.fs, "/f"); err == nil {
			t.Errorf("still held after %s", what)
		}
		f := t.open("/f", vfs.ModeAppend)
		t.write(f, "!")
		t.publish(f)
		if got, _ := load(t.fs, "/f"); got != "else!" && got != "!" {
			t.Errorf("append after %s gave %s", what, brief(got))
		}
	}
	// The same for a part of a new file that somebody else finishes first.
	t.hold("/new", "part")
	t.as(bob).put("/new", "theirs")
	t.notHeld("/new")
	t.holds("/new", "theirs")
}

// resumedTwice: two sessions of the owner resume the same partial. It may go
// to the first that publishes, or to the one that has taken it over.
func resumedTwice(t *tree) {
	t.hold("/f", "part")
	var won string
	for i, f := range []afero.File{t.open("/f", vfs.ModeAppend), t.begin("/f", vfs.ModeRestart, 4)} {
		tail := [...]string{" first", " second"}[i]
		_, _ = f.Write([]byte(tail)) // Close says the same
		switch err := f.Close(); {
		case err != nil:
			t.fails(err, "Close of one of two that resume", vfs.ErrTransient)
		case won != "":
			t.Errorf("two that resume the same partial were published")
		default:
			won = tail
		}
	}
	t.holds("/f", "part"+won)
	t.notHeld("/f")
}

// heldExclusive: a cut exclusive create is resumed, and must not replace what
// came to stand there meanwhile.
func heldExclusive(t *tree) {
	part := func() {
		f := t.open("/f", vfs.ModeCreate)
		t.write(f, "part")
		t.keep(f)
		t.isHeld("/f", 4)
	}
	part()
	f := t.open("/f", vfs.ModeAppend)
	t.write(f, " two")
	t.publish(f)
	t.holds("/f", "part two")
	t.ok(t.fs.Remove("/f"), "remove")

	part()
	f = t.begin("/f", vfs.ModeRestart, 4)
	t.write(f, " two")
	t.as(bob).put("/f", "theirs")
	t.fails(f.Close(), "a resumed Close onto a new file", vfs.ErrTransient)
	t.holds("/f", "theirs")
}

func heldExpires(t *tree) {
	if t.setup.Expire == nil {
		return
	}
	t.put("/f", "old")
	t.hold("/f", "the part")
	t.hold("/new", "part")
	t.setup.Expire()
	t.notHeld("/f")
	t.notHeld("/new")
	f := t.open("/f", vfs.ModeAppend)
	t.write(f, "er")
	t.publish(f)
	t.holds("/f", "older")
	_, err := t.fs.OpenFile("/new", vfs.ModeRestart, vfs.NewFileMode)
	t.fails(err, "restarting what has expired", fs.ErrNotExist)
	t.lists("/", "f")
}

func heldSurvivesRestart(t *tree) {
	if t.setup.Restart == nil {
		return
	}
	t.mkdir("/d")
	t.put("/d/old", "old")
	t.hold("/d/old", "the new part")
	t.hold("/new", "part")
	t.write(t.open("/dropped", vfs.ModeReplace), "never ended")
	t.setup.Restart()
	t = t.as(alice)
	t.lists("/", "d")
	t.lists("/d", "old")
	t.holds("/d/old", "old")
	t.isHeld("/d/old", 12)
	t.isHeld("/new", 4)
	t.as(bob).notHeld("/new")
	for name, want := range map[string]string{"/d/old": "the new part, whole", "/new": "part, whole"} {
		f := t.open(name, vfs.ModeAppend)
		t.write(f, ", whole")
		t.publish(f)
		t.holds(name, want)
		t.notHeld(name)
	}
	t.put("/d/old", "base")
	t.hold("/d/old", "another part")
	t.put("/d/old", "changed")
	t.setup.Restart()
	t.as(alice).notHeld("/d/old")
}
