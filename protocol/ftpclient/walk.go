package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// WalkEntry is an entry below the root of a Walk.
type WalkEntry struct {
	Path string // with the root before it
	Entry
}

const (
	// maxDepth bounds how deep a tree may be: a link that the server shows as the
	// directory it leads to, or a hostile server, makes one without end.
	maxDepth = 256
	// maxCollected bounds, in bytes, what is held of a directory or a tree at once: a million entries with paths of
	// ordinary length. Their number alone would bound nothing, as a name may be as long as a line.
	maxCollected = 128 << 20
	// entryOverhead is about what an entry takes besides its path.
	entryOverhead = 64
	stringHeader  = 16
)

var errDepth = errors.New("ftpclient: the tree is too deep; it may contain itself")

// walkDir is a directory still to be listed.
type walkDir struct {
	path   string
	depth  int
	size   int      // about what it takes
	unique []string // of the directories above it and its own, where the server tells them
}

// Walk streams a tree: everything in a directory, then everything in its
// subdirectories. Links that the server shows as such are not followed; one that it shows as the directory it leads to
// is, but not into a directory that it is itself in, as far as the server tells (Unique). The error of one directory is yielded with its
// path and the walk goes on, unless the connection is broken or ctx is over. Within the loop the connection is busy.
func (c *Conn) Walk(ctx context.Context, root string) iter.Seq2[WalkEntry, error] {
	return func(yield func(WalkEntry, error) bool) {
		todo := []walkDir{{path: root}}
		held := 0
		for len(todo) > 0 {
			dir := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			held -= dir.size
			first := len(todo)
			for e, err := range c.List(ctx, dir.path) {
				if err != nil {
					if !yield(WalkEntry{Path: dir.path}, err) || !c.Usable() || ctx.Err() != nil {
						return
					}
					break
				}
				w := WalkEntry{Path: join(dir.path, e.Name), Entry: e}
				if !yield(w, nil) {
					return
				}
				if !e.IsDir() || dir.contains(e.Unique) {
					continue
				}
				below := dir.below(w)
				if err := below.tooMuch(held); err != nil {
					if !yield(WalkEntry{Path: w.Path}, pathError("LIST", w.Path, err)) {
						return
					}
					continue
				}
				held += below.size
				todo = append(todo, below)
			}
			slices.Reverse(todo[first:]) // in the order of the listing
		}
	}
}

// tooMuch is why d is not walked while held bytes are in use.
func (d walkDir) tooMuch(held int) error {
	switch {
	case d.depth > maxDepth:
		return errDepth
	case held+d.size > maxCollected:
		return fmt.Errorf("%w: too many directories", ErrTooLong)
	}
	return nil
}

func (d walkDir) contains(unique string) bool {
	for _, u := range d.unique {
		if unique != "" && u == unique {
			return true // the directory is one of those above it
		}
	}
	return false
}

func (d walkDir) below(w WalkEntry) walkDir {
	n := walkDir{path: w.Path, depth: d.depth + 1, unique: d.unique}
	if w.Unique != "" {
		// A clone, or the whole line that it is a part of would be kept.
		n.unique = append(d.unique[:len(d.unique):len(d.unique)], strings.Clone(w.Unique))
	}
	n.size = entryOverhead + len(w.Path) + len(w.Unique) + len(n.unique)*stringHeader
	return n
}

// join is a path below dir. It cleans nothing: names are what the server calls them.
func join(dir, name string) string {
	switch {
	case dir == "":
		return strings.Clone(name) // not a part of its line, which it would keep
	case strings.HasSuffix(dir, "/"):
		return dir + name
	}
	return dir + "/" + name
}
