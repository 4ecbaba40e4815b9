package ftpclient

import (
	"context"
	"errors"
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
	// maxCollected bounds what is held of a tree at once.
	maxCollected = 1_000_000
)

var errDepth = errors.New("ftpclient: the tree is too deep; it may contain itself")

// walkDir is a directory still to be listed.
type walkDir struct {
	path   string
	depth  int
	unique []string // of the directories above it and its own, where the server tells them
}

// Walk streams a tree: everything in a directory, then everything in its
// subdirectories. Links are not followed. The error of one directory is yielded with its
// path and the walk goes on, unless the connection is broken. Within the loop the connection is busy.
func (c *Conn) Walk(ctx context.Context, root string) iter.Seq2[WalkEntry, error] {
	return func(yield func(WalkEntry, error) bool) {
		todo := []walkDir{{path: root}}
		for len(todo) > 0 {
			dir := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			first := len(todo)
			for e, err := range c.List(ctx, dir.path) {
				if err != nil {
					if !yield(WalkEntry{Path: dir.path}, err) || !c.Usable() {
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
				if dir.depth == maxDepth || len(todo) == maxCollected {
					if !yield(WalkEntry{Path: w.Path}, pathError("LIST", w.Path, errDepth)) {
						return
					}
					continue
				}
				todo = append(todo, dir.below(w))
			}
			slices.Reverse(todo[first:]) // in the order of the listing
		}
	}
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
		n.unique = append(d.unique[:len(d.unique):len(d.unique)], w.Unique)
	}
	return n
}

// join is a path below dir. It cleans nothing: names are what the server calls them.
func join(dir, name string) string {
	if dir == "" || strings.HasSuffix(dir, "/") {
		return dir + name
	}
	return dir + "/" + name
}
