package vfstest

import (
	"fmt"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Every upload, cut after every stretch: readers see the old state, and the
// next upload works.
var interruption = theme{"interruption", []clause{
	{name: "abort", check: interrupted("abort", (*tree).abort)},
	{name: "keep", check: held(interrupted("keep", (*tree).keep))},
	{name: "dropped", check: interrupted("drop", func(*tree, afero.File) {})},
	{name: "restart", check: interruptedByRestart},
}}

const uploadSize = 600_000

// cuts are the byte counts after which an upload is interrupted: none, one,
// some, just before, at and behind a power of two, most, all.
var cuts = []int{0, 1, 4096, 262_143, 262_144, 262_145, uploadSize - 1, uploadSize}

// case of an upload: to a name that exists or not, in one mode.
type upload struct {
	name   string
	flag   int
	exists bool
}

func (t *tree) uploads() (all []upload) {
	for _, exists := range []bool{true, false} {
		for _, flag := range t.modesFor(exists) {
			all = append(all, upload{fmt.Sprintf("/d/%t in %s", exists, modeName(flag)), flag, exists})
		}
	}
	return all
}

const oldContent = "the old state"

// kept is how many bytes of the old content u starts with, and restart's offset.
func (u upload) kept() int {
	switch {
	case u.exists && u.flag == vfs.ModeAppend:
		return len(oldContent)
	case u.flag == vfs.ModeRestart:
		return 4
	}
	return 0
}

// cut starts u and writes the first n bytes of content.
func (t *tree) cut(u upload, content string, n int) afero.File {
	t.Helper()
	f := t.begin(u.name, u.flag, int64(u.kept()))
	for rest := content[:n]; rest != ""; {
		step := min(100_000, len(rest))
		t.write(f, rest[:step])
		rest = rest[step:]
	}
	return f
}

func interrupted(how string, end func(*tree, afero.File)) func(t *tree) {
	return func(t *tree) {
		t.mkdir("/d")
		content := pattern(how, uploadSize)
		for _, u := range t.uploads() {
			for _, n := range cuts {
				if u.exists {
					t.put(u.name, oldContent)
				}
				before := t.snapshot()
				end(t, t.cut(u, content, n))
				t.unchanged(before, fmt.Sprintf("%s of %q after %d bytes", how, u.name, n))
				want := oldContent[:u.kept()] + content
				if how == "keep" {
					t.resume(u, content, n)
				} else {
					t.notHeld(u.name)
					t.publish(t.cut(u, content, len(content)))
				}
				t.holds(u.name, want)
				t.ok(t.fs.Remove(u.name), "remove")
			}
		}
		t.lists("/d")
	}
}

// resume does what a client does: it asks how much there is, and sends the rest.
func (t *tree) resume(u upload, content string, n int) {
	t.Helper()
	if n == 0 && u.flag == vfs.ModeAppend {
		// Nothing was staged: it may be held, as long as it is as it was.
		t.publish(t.cut(u, content, len(content)))
		return
	}
	t.isHeld(u.name, u.kept()+n)
	f := t.begin(u.name, vfs.ModeRestart, int64(u.kept()+n))
	t.write(f, content[n:])
	t.publish(f)
	t.notHeld(u.name)
}

// interruptedByRestart: the gateway is gone in mid-upload and comes back. What
// was stored until then may be held, if it is exactly what was sent.
func interruptedByRestart(t *tree) {
	if t.setup.Restart == nil {
		return
	}
	t.mkdir("/d")
	content := pattern("restart", uploadSize)
	for _, n := range cuts {
		for _, u := range t.uploads() {
			if u.exists {
				t.put(u.name, oldContent)
			}
		}
		before := t.snapshot()
		for _, u := range t.uploads() {
			t.cut(u, content, n)
		}
		t.setup.Restart()
		t = t.as(alice)
		t.unchanged(before, fmt.Sprintf("a restart after %d bytes", n))
		for _, u := range t.uploads() {
			want := oldContent[:u.kept()] + content
			if held, err := vfs.Held(t.fs, u.name); err == nil {
				if held > int64(u.kept()+n) {
					t.Errorf("%d bytes of %q are held where %d were sent", held, u.name, u.kept()+n)
					continue
				}
				f := t.begin(u.name, vfs.ModeRestart, held)
				t.write(f, want[held:])
				t.publish(f)
			} else {
				t.publish(t.cut(u, content, len(content)))
			}
			t.holds(u.name, want)
			t.ok(t.fs.Remove(u.name), "remove")
		}
	}
}
