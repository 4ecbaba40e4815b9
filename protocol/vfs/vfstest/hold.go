package vfstest

import (
	"io"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 3: Keep holds a partial upload for its owner, who resumes it with
// ModeAppend or ModeRestart.
var holding = theme{"hold", []clause{
	{name: "refused", check: keepRefused},
	{name: "resume", check: held(resumeHeld)},
	{name: "unseen", check: held(heldUnseen)},
	{name: "owner-only", check: held(heldForOwner)},
	{name: "over-finished", check: held(heldOverFinished)},
	{name: "continued", check: held(heldContinued)},
	{name: "kept-again", check: held(keptAgain)},
	{name: "abort-leaves-it", check: held(heldSurvivesAbort)},
	{name: "stor-ends-it", check: held(heldEndsWithStor)},
	{name: "change-ends-it", check: held(heldEndsWithChange)},
	{name: "resumed-twice", check: held(resumedTwice)},
	{name: "exclusive", check: held(heldExclusive)},
	{name: "expires", check: held(heldExpires)},
	{name: "survives-restart", check: held(heldSurvivesRestart)},
}}

// held leaves a clause out where nothing can be held; keepRefused is for those.
func held(check func(t *tree)) func(t *tree) {
	return func(t *tree) {
		if t.props.Resume && t.props.Append && t.props.Restart {
			check(t)
		}
	}
}

func keepRefused(t *tree) {
	if t.props.Resume {
		return
	}
	f := t.open("/f", vfs.ModeReplace)
	t.write(f, "content")
	if k, ok := f.(vfs.Keeper); ok {
		t.fails(k.Keep(), "Keep where Properties.Resume does not hold", vfs.ErrUnsupported)
	}
	t.notHeld("/f")
	t.missing("/f")
}

// hold makes a partial upload of name and keeps it.
func (t *tree) hold(name, content string) {
	t.Helper()
	f := t.open(name, vfs.ModeReplace)
	t.write(f, content)
	t.keep(f)
}

func resumeHeld(t *tree) {
	part := pattern("part", 300_001)
	t.hold("/f", part)
	t.isHeld("/f", len(part))
	f := t.open("/f", vfs.ModeAppend)
	t.write(f, "tail")
	t.publish(f)
	t.holds("/f", part+"tail")
	t.notHeld("/f")

	for _, n := range []int{len(part), 299_000, 262_144, 1, 0} {
		t.ok(t.fs.Remove("/f"), "remove")
		t.hold("/f", part)
		f = t.begin("/f", vfs.ModeRestart, int64(n))
		t.write(f, "tail")
		t.publish(f)
		t.holds("/f", part[:n]+"tail")
		t.notHeld("/f")
	}

	t.ok(t.fs.Remove("/f"), "remove")
	t.hold("/f", part)
	f = t.open("/f", vfs.ModeRestart)
	_, err := f.Seek(int64(len(part))+1, io.SeekStart)
	t.fails(err, "Seek beyond what is held", fs.ErrInvalid)
	t.abort(f)
	t.isHeld("/f", len(part))
}

// heldUnseen: what is held is no file and in nobody's way.
func heldUnseen(t *tree) {
	t.mkdir("/d")
	before := t.snapshot()
	t.hold("/d/f", "part")
	t.unchanged(before, "Keep")
	t.missing("/d/f")
	_, err := t.fs.OpenFile("/d/f", vfs.ModeRead, 0)
	t.fails(err, "reading what is held", fs.ErrNotExist)
	t.fails(t.fs.Remove("/d/f"), "removing what is held", fs.ErrNotExist)
	t.fails(t.fs.Rename("/d/f", "/d/g"), "renaming what is held", fs.ErrNotExist)
	t.isHeld("/d/f", 4)
	t.notHeld("/d")
	t.notHeld("/d/other")

	// A directory that holds nothing else is empty.
	t.hold("/f", "part")
	t.ok(t.fs.Remove("/d"), "remove the directory of what is held")
	t.mkdir("/f")
	t.isDir("/f")
	t.lists("/", "f")
}

func heldForOwner(t *tree) {
	t.hold("/f", "alice's part")
	other := t.as(bob)
	other.notHeld("/f")
	other.missing("/f")
	_, err := other.fs.OpenFile("/f", vfs.ModeRestart, vfs.NewFileMode)
	other.fails(err, "restarting what another owner holds", fs.ErrNotExist)
	other.hold("/f", "bob's")
	other.isHeld("/f", 5)
	t.isHeld("/f", 12)

	f := other.open("/f", vfs.ModeAppend)
	other.write(f, " file")
	other.publish(f)
	t.holds("/f", "bob's file")
	// The finished file has changed: alice's part is of another one.
	t.notHeld("/f")
}

func heldOverFinished(t *tree) {
	t.put("/f", "finished")
	before := t.snapshot()
	t.hold("/f", "the new content")
	t.unchanged(before, "Keep")
	t.isHeld("/f", 15)
	t.as(bob).notHeld("/f")

	f := t.open("/f", vfs.ModeAppend)
	t.write(f, " goes on")
	t.unchanged(before, "resumed")
	t.publish(f)
	t.holds("/f", "the new content goes on")
	t.notHeld("/f")

	t.hold("/f", "the third")
	f = t.begin("/f", vfs.ModeRestart, 4)
	t.write(f, "fourth")
	t.publish(f)
	t.holds("/f", "the fourth")
	t.notHeld("/f")
}

// heldContinued: APPE and REST on a finished file, cut and resumed.
func heldContinued(t *tree) {
	t.put("/f", "0123456789")
	for _, flag := range []int{vfs.ModeAppend, vfs.ModeRestart} {
		t.put("/f", "0123456789")
		f := t.begin("/f", flag, 10)
		t.write(f, "abc")
		t.keep(f)
		t.holds("/f", "0123456789")
		t.isHeld("/f", 13)
		f = t.open("/f", vfs.ModeAppend)
		t.write(f, "def")
		t.publish(f)
		t.holds("/f", "0123456789abcdef")
		t.notHeld("/f")
	}
	// A restart in mid-file holds the head that it kept.
	t.put("/f", "0123456789")
	f := t.begin("/f", vfs.ModeRestart, 4)
	t.write(f, "x")
	t.keep(f)
	t.isHeld("/f", 5)
	t.holds("/f", "0123456789")
	f = t.begin("/f", vfs.ModeRestart, 5)
	t.write(f, "y")
	t.publish(f)
	t.holds("/f", "0123xy")
	// An append to nothing.
	f = t.open("/new", vfs.ModeAppend)
	t.write(f, "abc")
	t.keep(f)
	t.missing("/new")
	t.isHeld("/new", 3)
}

func keptAgain(t *tree) {
	t.hold("/f", "one")
	f := t.open("/f", vfs.ModeAppend)
	t.write(f, " two")
	t.keep(f)
	t.isHeld("/f", 7)
	f = t.begin("/f", vfs.ModeRestart, 7)
	t.write(f, " three")
	t.keep(f)
	t.isHeld("/f", 13)
	// A restart that is cut before it said where leaves what was held.
	t.keep(t.open("/f", vfs.ModeRestart))
	t.isHeld("/f", 13)
	// A new upload from 0 takes the place of the old one.
	t.hold("/f", "anew")
	t.isHeld("/f", 4)
	t.missing("/f")
	f = t.open("/f", vfs.ModeAppend)
	t.write(f, "!")
	t.publish(f)
	t.holds("/f", "anew!")
}

func heldSurvivesAbort(t *tree) {
	t.hold("/f", "part")
	for _, flag := range []int{vfs.ModeAppend, vfs.ModeRestart, vfs.ModeReplace, vfs.ModeCreate} {
		f := t.begin("/f", flag, 2)
		t.write(f, "more")
		t.abort(f)
		t.isHeld("/f", 4)
		t.missing("/f")
	}
	f := t.open("/f", vfs.ModeAppend)
	t.publish(f)
	t.holds("/f", "part")
}
