package vfstest

import (
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 4: APPE and REST do not undo what others published meanwhile.
var lostUpdates = theme{"lost-update", []clause{
	{name: "replaced", check: baseReplaced},
	{name: "removed", check: baseRemoved},
	{name: "created", check: baseCreated},
	{name: "renamed-over", check: baseRenamedOver},
	{name: "two-continue", check: twoContinue},
	{name: "before-the-first-write", check: changedBeforeWrite},
}}

// continuing returns uploads that keep the first five bytes of /f, which it
// makes, and have staged them.
func (t *tree) continuing(then func(mode string, f afero.File)) {
	t.Helper()
	if t.props.Append {
		t.put("/f", "12345")
		f := t.open("/f", vfs.ModeAppend)
		t.write(f, " appended")
		then("ModeAppend", f)
	}
	if t.props.Restart {
		t.put("/f", "12345")
		f := t.begin("/f", vfs.ModeRestart, 5)
		then("ModeRestart", f)
	}
}

func baseReplaced(t *tree) {
	t.continuing(func(mode string, f afero.File) {
		t.as(bob).put("/f", "54321") // of the same size
		t.fails(f.Close(), "Close in "+mode+" after a STOR", vfs.ErrTransient)
		t.holds("/f", "54321")
	})
}

func baseRemoved(t *tree) {
	t.continuing(func(mode string, f afero.File) {
		t.ok(t.fs.Remove("/f"), "remove")
		t.fails(f.Close(), "Close in "+mode+" after a DELE", vfs.ErrTransient)
		t.missing("/f")
	})
}

func baseCreated(t *tree) {
	f := t.open("/f", vfs.ModeAppend)
	t.write(f, "mine")
	t.as(bob).put("/f", "theirs")
	t.fails(f.Close(), "Close in ModeAppend after somebody created the file", vfs.ErrTransient)
	t.holds("/f", "theirs")
}

func baseRenamedOver(t *tree) {
	t.continuing(func(mode string, f afero.File) {
		t.put("/g", "other")
		t.ok(t.fs.Rename("/g", "/f"), "rename")
		t.fails(f.Close(), "Close in "+mode+" after a rename onto it", vfs.ErrTransient)
		t.holds("/f", "other")
	})
}

func twoContinue(t *tree) {
	if !t.props.Append {
		return
	}
	t.put("/f", "log:")
	first, second := t.open("/f", vfs.ModeAppend), t.open("/f", vfs.ModeAppend)
	t.write(first, "1")
	t.write(second, "2")
	t.publish(first)
	t.fails(second.Close(), "the later Close of two appends", vfs.ErrTransient)
	t.holds("/f", "log:1")
}

// changedBeforeWrite: staging may happen at opening or at the first Write, so
// either the change is kept or the upload fails.
func changedBeforeWrite(t *tree) {
	if !t.props.Append {
		return
	}
	t.put("/f", "log:")
	f := t.open("/f", vfs.ModeAppend)
	t.put("/f", "new:")
	_, err := f.Write([]byte("1"))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		t.holds("/f", "new:1")
		return
	}
	t.fails(err, "an append after a STOR", vfs.ErrTransient)
	t.holds("/f", "new:")
}
