package vfstest

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Sessions at the same time; meant to run under the race detector too.
// Goroutines report with Errorf only.
var concurrency = theme{"concurrency", []clause{
	{name: "readers", check: readersDuringReplace},
	{name: "writers", check: writersOfOneName},
	{name: "exclusive", check: exclusiveRace},
	{name: "append", check: appendRace},
	{name: "rename-write", check: renameDuringWrite},
	{name: "rename-exclusive", check: renameExclusiveRace},
	{name: "mkdir", check: mkdirRace},
	{name: "remove-create", check: removeVersusCreate},
	{name: "listing", check: listingDuringChanges},
	{name: "hold", check: held(holdRace)},
}}

// together runs each of n and waits for all.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// whole checks that content is one version as version made it, not a mixture.
func whole(content string) bool {
	seed, _, found := strings.Cut(content, " ")
	var n int
	if _, err := fmt.Sscanf(seed, "v%d", &n); !found || err != nil {
		return false
	}
	return content == version(n)
}

// version is the content of an upload; each has another length.
func version(n int) string {
	return pattern(fmt.Sprintf("v%d", n), 270_000+n%7*1000)
}

func readersDuringReplace(t *tree) {
	t.put("/f", version(0))
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !done.Load() {
				got, err := load(t.fs, "/f")
				if err != nil {
					t.Errorf("read during replacement: %v", err)
				} else if !whole(got) {
					t.Errorf("a reader got a mixture: %s", brief(got))
				}
			}
		})
	}
	for i := range 40 {
		if err := store(t.fs, "/f", vfs.ModeReplace, version(i)); err != nil {
			t.Errorf("replace: %v", err)
		}
	}
	done.Store(true)
	wg.Wait()
}

func writersOfOneName(t *tree) {
	together(8, func(w int) {
		owner := t.as(fmt.Sprint("owner", w))
		for i := range 5 {
			if err := store(owner.fs, "/f", vfs.ModeReplace, version(w*5+i)); err != nil {
				t.Errorf("replace beside others: %v", err)
			}
		}
	})
	if got, err := load(t.fs, "/f"); err != nil || !whole(got) {
		t.Errorf("the file is none of those written: %s, %v", brief(got), err)
	}
	t.lists("/", "f")
}

func exclusiveRace(t *tree) {
	for round := range 10 {
		name := fmt.Sprintf("/f%d", round)
		var winners atomic.Int32
		var winner atomic.Int32
		together(8, func(w int) {
			switch err := store(t.fs, name, vfs.ModeCreate, version(w)); {
			case err == nil:
				winners.Add(1)
				winner.Store(int32(w))
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("exclusive create beside others: %v", err)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("%d exclusive creates of one name succeeded", n)
		}
		t.holds(name, version(int(winner.Load())))
	}
}

func appendRace(t *tree) {
	if !t.props.Append {
		return
	}
	t.put("/log", "")
	var mu sync.Mutex
	written := make(map[string]bool)
	together(8, func(w int) {
		for i := range 10 {
			line := fmt.Sprintf("writer %d line %d\n", w, i)
			err := store(t.fs, "/log", vfs.ModeAppend, line)
			if err == nil {
				mu.Lock()
				written[line] = true
				mu.Unlock()
			} else if !errors.Is(err, vfs.ErrTransient) {
				t.Errorf("append beside others: %v", err)
			}
		}
	})
	got, err := load(t.fs, "/log")
	t.ok(err, "read the log")
	for line := range strings.Lines(got) {
		if !written[line] {
			t.Errorf("the line %q was not acknowledged, or is there twice", line)
		}
		delete(written, line)
	}
	for line := range written {
		t.Errorf("the line %q was acknowledged and lost", line)
	}
}

func renameDuringWrite(t *tree) {
	t.put("/a", version(0))
	t.put("/b", version(1))
	var done atomic.Bool
	var wg sync.WaitGroup
	tolerable := func(what string, err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, vfs.ErrTransient) {
			t.Errorf("%s: %v", what, err)
		}
	}
	look := func(name string) {
		got, err := load(t.fs, name)
		tolerable("read", err)
		if err == nil && !whole(got) {
			t.Errorf("a reader got a mixture: %s", brief(got))
		}
	}
	for _, pair := range [][2]string{{"/a", "/b"}, {"/b", "/a"}} {
		wg.Go(func() {
			for i := 0; i < 10 || !done.Load(); i++ {
				tolerable("rename", t.fs.Rename(pair[0], pair[1]))
			}
		})
		wg.Go(func() {
			for i := 0; i < 10 || !done.Load(); i++ {
				look(pair[0])
			}
		})
	}
	for i := range 40 {
		tolerable("replace", store(t.fs, [2]string{"/a", "/b"}[i%2], vfs.ModeReplace, version(i)))
	}
	done.Store(true)
	wg.Wait()
	look("/a")
	look("/b")
	t.put("/a", "after")
	t.holds("/a", "after")
}

// holdRace: one owner's sessions cut and resume the same name.
func holdRace(t *tree) {
	together(6, func(w int) {
		for i := range 10 {
			f, err := t.fs.OpenFile("/f", []int{vfs.ModeReplace, vfs.ModeAppend}[i%2], vfs.NewFileMode)
			if err != nil {
				t.Errorf("open beside others: %v", err)
				continue
			}
			// What it continues may have gone over to another session.
			if _, err = f.Write([]byte("x")); err != nil && !errors.Is(err, vfs.ErrTransient) {
				t.Errorf("write beside others: %v", err)
			}
			switch (w + i) % 3 {
			case 0:
				_ = vfs.Abort(f)
			case 1:
				// What it continued may have been replaced: then there is nothing to hold.
				if err := f.(vfs.Keeper).Keep(); err != nil && !errors.Is(err, vfs.ErrTransient) {
					t.Errorf("keep beside others: %v", err)
				}
			case 2:
				if err := f.Close(); err != nil && !errors.Is(err, vfs.ErrTransient) {
					t.Errorf("close beside others: %v", err)
				}
			}
			_, _ = vfs.Held(t.fs, "/f")
		}
	})
	t.put("/f", "after")
	t.notHeld("/f")
	t.holds("/f", "after")
}
