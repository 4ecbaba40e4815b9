package vfstest

import (
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 3: Close publishes, Abort discards; exactly one is called, once.
var publishing = theme{"publish", []clause{
	{name: "not-before-close", check: notBeforeClose},
	{name: "whole", check: publishWhole},
	{name: "size-hint", check: sizeHint},
	{name: "open-is-free", check: openIsFree},
	{name: "abort", check: abortDiscards},
	{name: "ends-once", check: endsOnce},
	{name: "exclusive", check: publishExclusive},
	{name: "last-wins", check: lastWins},
	{name: "old-readers", check: oldReaders},
	{name: "parent-removed", check: parentRemoved},
	{name: "became-directory", check: becameDirectory},
}}

// begin opens a file in the given mode, which is existing's successor.
func (t *tree) begin(name string, flag int, restart int64) afero.File {
	t.Helper()
	f := t.open(name, flag)
	if flag == vfs.ModeRestart {
		t.seek(f, restart)
	}
	return f
}

// modesFor returns the modes in which an upload to a name can succeed.
func (t *tree) modesFor(exists bool) []int {
	modes := []int{vfs.ModeReplace}
	if !exists {
		return append(modes, vfs.ModeCreate, vfs.ModeAppend)
	}
	if t.props.Append {
		modes = append(modes, vfs.ModeAppend)
	}
	if t.props.Restart {
		modes = append(modes, vfs.ModeRestart)
	}
	return modes
}

func notBeforeClose(t *tree) {
	t.mkdir("/d")
	t.put("/d/old", "the old state")
	for _, name := range []string{"/d/old", "/d/new"} {
		for _, flag := range t.modesFor(name == "/d/old") {
			before := t.snapshot()
			f := t.begin(name, flag, 3)
			t.unchanged(before, "opened in "+modeName(flag))
			for range 5 {
				t.write(f, pattern("new", 100_000))
			}
			t.unchanged(before, "written in "+modeName(flag))
			if name == "/d/new" {
				t.missing(name)
			}
			t.abort(f)
		}
	}
}

func publishWhole(t *tree) {
	for i, size := range []int{0, 1, 511, 262_143, 262_144, 262_145, 1_000_003} {
		name := fmt.Sprintf("/f%d", i)
		content := pattern(name, size)
		f := t.open(name, vfs.ModeReplace)
		for rest, step := content, 1; rest != ""; step = step*3 + 1 {
			n := min(step, len(rest))
			t.write(f, rest[:n])
			rest = rest[n:]
		}
		t.publish(f)
		t.holds(name, content)
	}
}

// sizeHint: what a client announces changes nothing about what it sends.
func sizeHint(t *tree) {
	content, head := pattern("hinted", 300_001), pattern("head", 70_000)
	for _, n := range []int64{1, 65_536, int64(len(content)), 10 * int64(len(content)), 5 << 40, math.MaxInt64} {
		t.put("/old", head)
		for _, name := range []string{"/old", "/new"} {
			for _, flag := range t.modesFor(name == "/old") {
				f := t.open(name, flag)
				vfs.HintSize(f, n)
				if flag == vfs.ModeRestart {
					t.seek(f, int64(len(head)))
				}
				t.write(f, content[:100_000])
				t.write(f, content[100_000:])
				t.publish(f)
				if name == "/new" {
					t.holds(name, content)
					t.ok(t.fs.Remove(name), "remove")
				} else {
					t.holds(name, map[bool]string{true: content, false: head + content}[flag == vfs.ModeReplace])
					t.put("/old", head)
				}
			}
		}
	}
}

// openIsFree: opening has no effect that Abort does not undo (contract, 2).
func openIsFree(t *tree) {
	t.mkdir("/d")
	t.put("/d/old", "old")
	before := t.snapshot()
	for _, exists := range []bool{true, false} {
		name := map[bool]string{true: "/d/old", false: "/d/new"}[exists]
		for _, flag := range t.modesFor(exists) {
			f := t.open(name, flag)
			t.unchanged(before, "open")
			t.abort(f)
			t.unchanged(before, "open and abort")
		}
	}
	if t.props.ImpliedDirs {
		f := t.open("/x/y/z", vfs.ModeReplace)
		t.abort(f)
		t.unchanged(before, "open and abort below directories that are not there")
	}
}

func abortDiscards(t *tree) {
	t.mkdir("/d")
	t.put("/d/old", "the old state")
	before := t.snapshot()
	for _, exists := range []bool{true, false} {
		name := map[bool]string{true: "/d/old", false: "/d/new"}[exists]
		for _, flag := range t.modesFor(exists) {
			f := t.begin(name, flag, 3)
			t.write(f, pattern("new", 300_000))
			t.abort(f)
			t.unchanged(before, "abort in "+modeName(flag))
		}
	}
	// And the name is as free as before.
	t.put("/d/new", "after")
	t.holds("/d/new", "after")
}

func endsOnce(t *tree) {
	ends := map[string]func(afero.File) error{
		"Close": afero.File.Close,
		"Abort": vfs.Abort,
		"Keep": func(f afero.File) error {
			if k, ok := f.(vfs.Keeper); ok {
				return k.Keep()
			}
			return fs.ErrInvalid
		},
	}
	for first, end := range ends {
		if first == "Keep" && !t.props.Resume {
			continue
		}
		for second, again := range ends {
			t.put("/f", "old")
			f := t.open("/f", vfs.ModeReplace)
			t.write(f, "new")
			t.ok(end(f), "%s", first)
			before := t.snapshot()
			t.failsSomehow(again(f), second+" after "+first)
			if _, err := f.Write([]byte("more")); err == nil {
				t.Errorf("Write after %s succeeded", first)
			}
			t.unchanged(before, second+" after "+first)
			if first == "Close" {
				t.holds("/f", "new")
				t.notHeld("/f")
			} else {
				t.holds("/f", "old")
			}
			if first == "Abort" {
				t.notHeld("/f")
			}
			// Nothing is held for the next round.
			t.put("/f", "old")
		}
	}
}

func publishExclusive(t *tree) {
	first := t.open("/f", vfs.ModeCreate)
	second := t.open("/f", vfs.ModeCreate)
	t.write(first, "first")
	t.write(second, "second")
	t.publish(second)
	t.fails(first.Close(), "the later Close of two exclusive uploads", fs.ErrExist)
	t.holds("/f", "second")

	f := t.open("/g", vfs.ModeCreate)
	t.put("/g", "replaced")
	t.fails(f.Close(), "an exclusive Close after a STOR", fs.ErrExist)
	t.holds("/g", "replaced")

	f = t.open("/h", vfs.ModeCreate)
	t.put("/x", "renamed")
	t.ok(t.fs.Rename("/x", "/h"), "rename")
	t.fails(f.Close(), "an exclusive Close after a rename", fs.ErrExist)
	t.holds("/h", "renamed")
	t.lists("/", "f", "g", "h")
}

func lastWins(t *tree) {
	t.put("/f", "old")
	first, second := t.open("/f", vfs.ModeReplace), t.open("/f", vfs.ModeReplace)
	t.write(first, "first, and longer")
	t.write(second, "second")
	t.publish(first)
	t.holds("/f", "first, and longer")
	t.publish(second)
	t.holds("/f", "second")
}

// oldReaders: a file that is open goes on as it was, or says that it cannot.
func oldReaders(t *tree) {
	old := pattern("old", 600_000)
	t.put("/f", old)
	for _, change := range []func(){
		func() { t.put("/f", pattern("new", 700_000)) },
		func() { t.ok(t.fs.Remove("/f"), "remove") },
	} {
		t.put("/f", old)
		f := t.open("/f", vfs.ModeRead)
		head := make([]byte, 1000)
		_, err := io.ReadFull(f, head)
		t.ok(err, "read the head")
		change()
		tail, err := io.ReadAll(f)
		if err == nil && string(head)+string(tail) != old {
			t.Errorf("a reader got a mixture of old and new")
		}
	}
}

func parentRemoved(t *tree) {
	if t.props.ImpliedDirs {
		return
	}
	t.mkdir("/d")
	f := t.open("/d/f", vfs.ModeReplace)
	t.write(f, "content")
	if err := t.fs.Remove("/d"); err != nil {
		t.discreet(err)
		return // an upload may keep its directory
	}
	t.fails(f.Close(), "Close without its directory", fs.ErrNotExist, vfs.ErrTransient)
	t.lists("/")
}

func becameDirectory(t *tree) {
	if t.props.ImpliedDirs {
		return
	}
	for _, flag := range t.modesFor(false) {
		f := t.open("/f", flag)
		t.write(f, "content")
		t.mkdir("/f")
		t.fails(f.Close(), "Close onto a directory in "+modeName(flag), vfs.ErrIsDir, fs.ErrExist, vfs.ErrTransient)
		t.isDir("/f")
		t.ok(t.fs.Remove("/f"), "remove")
	}
}
