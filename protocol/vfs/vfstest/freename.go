package vfstest

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sync"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// vfs.FreeCloser: an exclusive upload whose name was taken meanwhile is published under
// another. Without the power, vfs.CloseFree is Close, for which the clauses hold as well.
var freeNames = theme{"free-name", []clause{
	{name: "own", check: freeOwn},
	{name: "other", check: freeOther},
	{name: "none", check: freeNone},
	{name: "failed", check: freeFailed, limit: 64 << 10},
	{name: "large", check: freeLarge},
	{name: "race", check: freeRace},
}}

// drawing counts what is drawn of names.
func drawing(names ...string) (seq iter.Seq[string], drawn *int) {
	drawn = new(int)
	return func(yield func(string) bool) {
		for _, name := range names {
			*drawn++
			if !yield(name) {
				return
			}
		}
	}, drawn
}

func freeOwn(t *tree) {
	f := t.open("/f", vfs.ModeCreate)
	t.write(f, "content")
	others, drawn := drawing("/f-1")
	name, err := vfs.CloseFree(f, others)
	if name != "" || err != nil || *drawn != 0 {
		t.Errorf("CloseFree: %q, %v, %d names drawn", name, err, *drawn)
	}
	t.failsSomehow(f.Close(), "Close after CloseFree")
	t.failsSomehow(vfs.Abort(f), "Abort after CloseFree")
	t.holds("/f", "content")
	t.lists("/", "f")
}

// freeOther: the next name that nothing has, be it a file or a directory.
func freeOther(t *tree) {
	t.mkdir("/d")
	f := t.open("/d/f", vfs.ModeCreate)
	if _, ok := f.(vfs.FreeCloser); !ok {
		t.abort(f)
		return
	}
	t.write(f, "content")
	t.put("/d/f", "theirs")
	t.put("/d/f-1", "theirs too")
	there := []string{"f", "f-1", "f-3"}
	if !t.props.ImpliedDirs {
		t.mkdir("/d/f-2")
		there = append(there, "f-2")
	} else {
		t.put("/d/f-2", "theirs as well")
		there = append(there, "f-2")
	}
	others, drawn := drawing("/d/f-1", "/d/f-2", "/d/f-3", "/d/f-4")
	name, err := vfs.CloseFree(f, others)
	if name != "/d/f-3" || err != nil || *drawn != 3 {
		t.Errorf("CloseFree: %q, %v, %d names drawn", name, err, *drawn)
	}
	t.failsSomehow(f.Close(), "Close after CloseFree")
	t.holds("/d/f-3", "content")
	t.holds("/d/f", "theirs")
	t.holds("/d/f-1", "theirs too")
	t.lists("/d", there...)
}

func freeNone(t *tree) {
	for _, names := range [][]string{nil, {"/g"}} {
		f := t.open("/f", vfs.ModeCreate)
		t.write(f, "content")
		t.put("/f", "theirs")
		t.put("/g", "theirs too")
		before := t.snapshot()
		others, _ := drawing(names...)
		name, err := vfs.CloseFree(f, others)
		t.fails(err, "CloseFree when every name is taken", fs.ErrExist)
		if name != "" {
			t.Errorf("CloseFree took %q", name)
		}
		t.unchanged(before, "CloseFree")
		t.ok(t.fs.Remove("/f"), "remove")
	}
}

// freeFailed: what failed before is no taken name.
func freeFailed(t *tree) {
	f := t.open("/f", vfs.ModeCreate)
	var err error
	for range 10 {
		if _, err = f.Write([]byte(pattern("f", 32<<10))); err != nil {
			break
		}
	}
	t.fails(err, "writing beyond the limit", vfs.ErrQuota)
	others, drawn := drawing("/f-1")
	_, err = vfs.CloseFree(f, others)
	t.fails(err, "CloseFree after a failed Write", vfs.ErrQuota)
	if *drawn != 0 {
		t.Errorf("%d names were drawn", *drawn)
	}
	t.lists("/")
}

// freeLarge: a large file is published under another name or, if that is beyond the
// backend, not at all.
func freeLarge(t *tree) {
	content := pattern("large", 1_000_003)
	f := t.open("/f", vfs.ModeCreate)
	t.write(f, content)
	t.put("/f", "theirs")
	others, _ := drawing("/f-1")
	switch name, err := vfs.CloseFree(f, others); {
	case err == nil && name == "/f-1":
		t.holds("/f-1", content)
	case errors.Is(err, fs.ErrExist):
		t.lists("/", "f")
	default:
		t.Errorf("CloseFree: %q, %v", name, err)
	}
	t.holds("/f", "theirs")
}

// freeRace: of many who store one name at once each gets one, and nothing is lost.
func freeRace(t *tree) {
	const writers = 8
	for round := range 5 {
		var files [writers]afero.File
		var all []string
		for i := range files {
			all = append(all, fmt.Sprintf("/r%d-%d", round, i))
			files[i] = t.open(all[0], vfs.ModeCreate)
		}
		_, can := files[0].(vfs.FreeCloser)
		var mu sync.Mutex
		got := make(map[string]string)
		together(writers, func(w int) {
			content := fmt.Sprintf("writer %d of round %d", w, round)
			_, _ = files[w].Write([]byte(content)) // CloseFree tells if it failed
			name, err := vfs.CloseFree(files[w], slices.Values(all[1:]))
			switch {
			case errors.Is(err, fs.ErrExist) && !can:
				return
			case err != nil:
				t.Errorf("CloseFree beside others: %v", err)
				return
			case name == "":
				name = all[0]
			}
			mu.Lock()
			defer mu.Unlock()
			if got[name] != "" {
				t.Errorf("%q was given twice", name)
			}
			got[name] = content
		})
		for name, content := range got {
			t.holds(name, content)
		}
		if want := map[bool]int{true: writers, false: 1}[can]; len(got) != want {
			t.Errorf("%d of %d were published", len(got), want)
		}
	}
}
