package mirror

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree reads "path", "path/" for a directory, "path@" for a link, with " size" and " +seconds".
func tree(entries ...string) Tree {
	t := Tree{Files: make(map[string]File)}
	for _, e := range entries {
		f := File{Size: 1, ModTime: time.Unix(1e9, 0), Precision: time.Second}
		words := strings.Fields(e)
		for _, w := range words[1:] {
			var n int
			if _, err := fmt.Sscanf(w, "%d", &n); err != nil {
				panic(err)
			}
			switch {
			case w[0] == '+' || w[0] == '-':
				f.ModTime = f.ModTime.Add(time.Duration(n) * time.Second)
			case n == 0:
				f.Size, f.ModTime = -1, time.Time{} // nothing known
			default:
				f.Size = int64(n)
			}
		}
		name := words[0]
		switch name[len(name)-1] {
		case '/':
			f.Kind, name = Dir, name[:len(name)-1]
		case '@':
			f.Kind, name = Other, name[:len(name)-1]
		case '!':
			t.Errors = append(t.Errors, errors.New("unseen"))
			continue
		}
		t.Files[name] = f
	}
	return t
}

func TestPlan(t *testing.T) {
	for _, x := range []struct {
		name           string
		source, target Tree
		compare        Compare
		remove         bool
		want           string // actions
		problems       int
	}{
		{"nothing", tree(), tree(), ByTime, true, "", 0},
		{"all new", tree("d/", "d/e/", "d/e/f", "a"), tree(), ByTime, false, "mkdir d, mkdir d/e, copy a (new), copy d/e/f (new)", 0},
		{"same", tree("a", "d/"), tree("a", "d/"), ByTime, true, "", 0},
		{"size", tree("a 2"), tree("a 3"), BySize, false, "copy a (size)", 0},
		{"newer", tree("a +2"), tree("a"), ByTime, false, "copy a (newer)", 0},
		{"newer, by size", tree("a +2"), tree("a"), BySize, false, "", 0},
		{"newer by what the times are not exact to", tree("a +1"), tree("a"), ByTime, false, "", 0},
		{"older", tree("a -9"), tree("a"), ByTime, false, "", 0},
		{"unknown", tree("a 0"), tree("a"), ByTime, false, "", 0},
		{"hash", tree("a", "b 2"), tree("a", "b"), ByHash, false, "check a (), copy b (size)", 0},
		{"extra is left", tree("a"), tree("a", "b"), ByTime, false, "", 0},
		{"extra", tree("a"), tree("a", "b", "d/", "d/e", "d/f/", "d/f/g", "l@"), ByTime, true, "delete b, delete directory d, delete l", 0},
		{"extra in a directory that stays", tree("a/"), tree("a/", "a/b", "a-b"), ByTime, true, "delete a-b, delete a/b", 0},
		{"links are not copied", tree("l@", "m@"), tree("m@"), ByTime, true, "", 0},
		{"a link in the place of a file", tree("a"), tree("a@"), ByTime, false, "copy a (no file)", 0},
		{"a link in the place of a directory", tree("a/", "a/b"), tree("a@"), ByTime, false, "", 1},
		{"a file in the place of a directory", tree("a/", "a/b"), tree("a"), ByTime, false, "", 1},
		{"the same, with delete", tree("a/", "a/b"), tree("a"), ByTime, true, "clear a, mkdir a, copy a/b (new)", 0},
		{"a directory in the place of a file", tree("a"), tree("a/", "a/b"), ByTime, false, "", 1},
		{"the same, with delete", tree("a"), tree("a/", "a/b"), ByTime, true, "clear a, copy a (new)", 0},
		{"an empty source deletes nothing", tree(), tree("a"), ByTime, true, "", 1},
		{"a source that could not be seen deletes nothing", tree("a", "!"), tree("a", "b"), ByTime, true, "", 2},
		{"nor does such a target", tree("a"), tree("a", "b", "!"), ByTime, true, "", 1},
	} {
		actions, problems := Plan(x.source, x.target, x.compare, x.remove)
		var got []string
		for _, a := range actions {
			s := string(a.Verb) + " " + a.Path
			if a.Verb == Copy || a.Verb == Check {
				s += " (" + a.Reason + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, ", "); s != x.want || len(problems) != x.problems {
			t.Errorf("%s:\n got %q, %v\nwant %q", x.name, s, problems, x.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	names := []string{"a.c", "a.tmp", "d/", "d/b.c", "d/b.tmp", "d/keep.tmp", "cache/", "cache/x.c", "d/cache"}
	exclude := func(g string) Pattern { return Pattern{Glob: g} }
	include := func(g string) Pattern { return Pattern{Glob: g, Include: true} }
	for _, x := range []struct {
		patterns []Pattern
		want     string
	}{
		{nil, "a.c a.tmp cache cache/x.c d d/b.c d/b.tmp d/cache d/keep.tmp"},
		{[]Pattern{exclude("*.tmp")}, "a.c cache cache/x.c d d/b.c d/cache"},
		{[]Pattern{exclude("*.tmp"), include("keep.*")}, "a.c cache cache/x.c d d/b.c d/cache d/keep.tmp"},
		{[]Pattern{exclude("cache/")}, "a.c a.tmp d d/b.c d/b.tmp d/cache d/keep.tmp"},
		{[]Pattern{exclude("/*.c")}, "a.tmp cache cache/x.c d d/b.c d/b.tmp d/cache d/keep.tmp"},
		{[]Pattern{exclude("d/*.tmp")}, "a.c a.tmp cache cache/x.c d d/b.c d/cache"},
		{[]Pattern{exclude("d")}, "a.c a.tmp cache cache/x.c"},
		{[]Pattern{include("*.c"), exclude("/a*")}, "cache cache/x.c d d/b.c"},
	} {
		tr := tree(names...)
		tr.leave(x.patterns)
		if got := strings.Join(slices.Sorted(maps.Keys(tr.Files)), " "); got != x.want {
			t.Errorf("%v: %s", x.patterns, got)
		}
	}
}
