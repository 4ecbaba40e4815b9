package mirror

import (
	"fmt"
	"path"
	"strings"
)

// Pattern chooses entries of a tree, on both sides alike: one that is excluded is neither copied nor deleted.
type Pattern struct {
	Glob    string // of path.Match; with a "/" in it of the whole path, else of the last element
	Include bool
}

// Check refuses what is no pattern.
func (p Pattern) Check() error {
	if _, err := path.Match(p.Glob, ""); err != nil || p.Glob == "" {
		return fmt.Errorf("%q is no pattern: there are *, ? and [a-z]", p.Glob)
	}
	return nil
}

func (p Pattern) matches(name string, dir bool) bool {
	glob, onlyDir := strings.CutSuffix(p.Glob, "/")
	if onlyDir && !dir {
		return false
	}
	if rooted, ok := strings.CutPrefix(glob, "/"); ok {
		glob = rooted
	} else if !strings.Contains(glob, "/") {
		name = path.Base(name)
	}
	ok, _ := path.Match(glob, name) // Check has found it good
	return ok
}

// leave takes what is not chosen out of a tree. The last pattern that matches decides; what none matches is
// chosen, unless the first is one to include. Directories are left out by patterns to exclude only, and then with
// everything in them.
func (t *Tree) leave(patterns []Pattern) {
	if len(patterns) == 0 {
		return
	}
	out := func(name string) bool {
		dir := t.Files[name].Kind == Dir
		excluded := patterns[0].Include && !dir
		for _, p := range patterns {
			if p.matches(name, dir) {
				excluded = !p.Include
			}
		}
		return excluded
	}
	excluded := make(map[string]bool)
	for name := range t.Files {
		excluded[name] = out(name)
	}
	t.kept = make(map[string]bool)
	for name := range excluded {
		if excluded[name] || above(name, func(d string) bool { return excluded[d] }) {
			delete(t.Files, name)
			above(name, func(d string) bool {
				t.kept[d] = true
				return false
			})
		}
	}
}
