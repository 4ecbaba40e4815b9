package mirror

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Compare says when a file that is on both sides is to be copied. Different sizes always are a reason.
type Compare string

const (
	BySize Compare = "size"
	ByTime Compare = "time" // the source is newer, too
	ByHash Compare = "hash" // or the content differs, by a digest that the server makes
)

// Verb is what an Action does.
type Verb string

const (
	Clear     Verb = "clear" // remove what is in the way of a directory or a file
	MakeDir   Verb = "mkdir"
	Copy      Verb = "copy"
	Check     Verb = "check" // copy if the digests differ
	Delete    Verb = "delete"
	DeleteDir Verb = "delete directory" // with everything in it
)

// Action is one thing to do to the target.
type Action struct {
	Verb   Verb
	Path   string
	File   File   // of the source, for Copy and Check
	Exists bool   // there is something under that name in the target
	Dir    bool   // what is to be cleared is a directory
	Reason string // of a Copy
}

// Plan says what makes the target like the source, in the order in which it is to be done. problems are what stays
// different. Without remove nothing is deleted, and what is in the way of something else is a problem.
func Plan(source, target Tree, compare Compare, remove bool) (actions []Action, problems []error) {
	problems = append(problems, source.Errors...)
	if remove && (len(source.Errors) > 0 || len(target.Errors) > 0) {
		problems = append(problems, fmt.Errorf("nothing is deleted, as not all could be seen"))
		remove = false
	}
	if remove && len(source.Files) == 0 && len(target.Files) > 0 {
		problems = append(problems, fmt.Errorf("the source is empty; that is no reason to delete all of the target"))
		remove = false
	}
	p := planner{source: source.Files, target: target.Files, kept: target.kept, compare: compare, remove: remove, blocked: make(map[string]bool)}
	for _, name := range slices.Sorted(maps.Keys(source.Files)) {
		p.wanted(name)
	}
	if remove {
		for _, name := range slices.Sorted(maps.Keys(target.Files)) {
			p.extra(name)
		}
	}
	return slices.Concat(p.clear, p.dirs, p.copies, p.deletes), append(problems, p.problems...)
}

type planner struct {
	source, target               map[string]File
	kept                         map[string]bool // directories of the target that are not removed as a whole
	compare                      Compare
	remove                       bool
	blocked                      map[string]bool // directories that cannot be made
	clear, dirs, copies, deletes []Action
	problems                     []error
}

// wanted decides about an entry of the source. Sorted paths have a directory before what is in it.
func (p *planner) wanted(name string) {
	want := p.source[name]
	have, exists := p.target[name]
	if above(name, func(d string) bool { return p.blocked[d] }) {
		return
	}
	inTheWay := exists && want.Kind != Other && (want.Kind == Dir) != (have.Kind == Dir)
	switch {
	case inTheWay && p.kept[name]:
		p.problems = append(p.problems, fmt.Errorf("%s is a directory on one side only, and what is excluded is in it", name))
		p.blocked[name] = true
		return
	case inTheWay && !p.remove:
		p.problems = append(p.problems, fmt.Errorf("%s is a directory on one side only; --delete would replace it", name))
		p.blocked[name] = true
		return
	case inTheWay:
		p.clear = append(p.clear, Action{Verb: Clear, Path: name, Exists: true, Dir: have.Kind == Dir})
		exists = false
	}
	switch {
	case want.Kind == Dir && !exists:
		p.dirs = append(p.dirs, Action{Verb: MakeDir, Path: name})
	case want.Kind == Regular:
		verb, reason := p.differ(want, have, exists)
		if verb != "" {
			p.copies = append(p.copies, Action{Verb: verb, Path: name, File: want, Exists: exists, Reason: reason})
		}
	}
}

// differ says whether a file is to be copied.
func (p *planner) differ(want, have File, exists bool) (Verb, string) {
	slack := max(want.Precision, have.Precision, time.Second)
	newer := !want.ModTime.IsZero() && !have.ModTime.IsZero() && want.ModTime.After(have.ModTime.Add(slack))
	switch {
	case !exists:
		return Copy, "new"
	case have.Kind == Other:
		return Copy, "no file"
	case want.Size >= 0 && have.Size >= 0 && want.Size != have.Size:
		return Copy, "size"
	case p.compare == ByTime && newer:
		return Copy, "newer"
	case p.compare == ByHash:
		return Check, ""
	}
	return "", ""
}

// extra decides about an entry of the target that the source does not have.
func (p *planner) extra(name string) {
	if _, wanted := p.source[name]; wanted {
		return
	}
	covered := above(name, func(d string) bool {
		have, here := p.target[d]
		want, wanted := p.source[d]
		return here && have.Kind == Dir && !p.kept[d] && (!wanted || want.Kind != Dir) // it goes with its directory
	})
	switch {
	case covered, p.kept[name]:
	case p.target[name].Kind == Dir:
		p.deletes = append(p.deletes, Action{Verb: DeleteDir, Path: name, Exists: true, Dir: true})
	default:
		p.deletes = append(p.deletes, Action{Verb: Delete, Path: name, Exists: true})
	}
}
