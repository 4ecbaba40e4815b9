package vfstest

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func renameExclusiveRace(t *tree) {
	if _, ok := t.fs.(vfs.ExclusiveRenamer); !ok {
		return // the fallback may lose this race
	}
	for round := range 10 {
		target := fmt.Sprintf("/target%d", round)
		for w := range 8 {
			t.put(fmt.Sprintf("/source%d", w), fmt.Sprint("source ", w))
		}
		var winners atomic.Int32
		together(8, func(w int) {
			switch err := vfs.RenameExclusive(t.fs, fmt.Sprintf("/source%d", w), target); {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("exclusive rename beside others: %v", err)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Errorf("%d exclusive renames to one name succeeded", n)
		}
		left := 0
		for w := range 8 {
			if _, err := t.fs.Stat(fmt.Sprintf("/source%d", w)); err == nil {
				left++
			}
		}
		if left != 7 {
			t.Errorf("%d of 8 sources are left", left)
		}
	}
}

func mkdirRace(t *tree) {
	for round := range 10 {
		name := fmt.Sprintf("/d%d", round)
		var made atomic.Int32
		together(8, func(int) {
			switch err := t.fs.Mkdir(name, vfs.NewDirMode); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("mkdir beside others: %v", err)
			}
		})
		if n := made.Load(); n != 1 {
			t.Errorf("%d of 8 made the directory %q", n, name)
		}
		t.isDir(name)
	}
}

// removeVersusCreate: a directory is removed, or an upload into it published, not both.
func removeVersusCreate(t *tree) {
	if t.props.ImpliedDirs {
		return
	}
	for round := range 40 {
		dir := fmt.Sprintf("/d%d", round)
		t.mkdir(dir)
		var removed, stored error
		together(2, func(i int) {
			if i == 0 {
				removed = t.fs.Remove(dir)
			} else {
				stored = store(t.fs, dir+"/f", vfs.ModeReplace, "content")
			}
		})
		switch {
		case stored == nil:
			t.holds(dir+"/f", "content")
			t.fails(removed, "removing a directory that got a file", vfs.ErrNotEmpty)
		case removed != nil:
			t.Errorf("neither removed (%v) nor stored (%v)", removed, stored)
		}
	}
}

func listingDuringChanges(t *tree) {
	t.mkdir("/d")
	stay := t.fill(300)
	var done atomic.Bool
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := 0; !done.Load(); i++ {
				name, other := fmt.Sprintf("/d/w%d-%d", w, i%50), fmt.Sprintf("/d/w%d-%d moved", w, i%50)
				err := store(t.fs, name, vfs.ModeReplace, "x")
				if err == nil {
					err = t.fs.Rename(name, other)
				}
				if err == nil && i%3 == 0 {
					err = t.fs.Remove(other)
				}
				if err != nil {
					t.Errorf("change during listings: %v", err)
				}
			}
		})
	}
	for range 20 {
		seen := make(map[string]int)
		d, err := t.fs.Open("/d")
		t.mayFail(err, "open the directory")
		for err == nil {
			var batch []fs.FileInfo
			batch, err = d.Readdir(17)
			for _, e := range batch {
				seen[e.Name()]++
			}
		}
		if !ended(err) {
			t.Errorf("readdir: %v", err)
		}
		if d != nil {
			d.Close()
		}
		for name := range stay {
			if seen[name] != 1 {
				t.Errorf("%q was listed %d times", name, seen[name])
			}
		}
	}
	done.Store(true)
	wg.Wait()
}

// mayFail reports err without ending the clause, whose goroutines still run.
func (t *tree) mayFail(err error, what string) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
