package memory

import (
	"io/fs"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// node is a file or a directory, under whatever name.
type node struct {
	id      uint64
	mode    fs.FileMode // permission bits
	mtime   time.Time
	dir     *directory // nil: a file
	content *content   // nil: a directory
}

func (b *Backend) newNode(perm fs.FileMode) *node {
	b.lastID++
	return &node{id: b.lastID, mode: perm.Perm(), mtime: b.now()}
}

// directory is the names in a directory, in the order of their creation. A
// listing remembers a place in that order, so it can stop after any entry and
// go on later without a copy, however the directory has changed in between.
type directory struct {
	byName map[string]*entry
	order  []*entry // ascending place; removed entries stay until compact
	dead   int
	last   uint64 // the latest place given out
}

// entry is one name; a removed one has no node.
type entry struct {
	place uint64
	name  string
	node  *node
}

func newDirectory() *directory {
	return &directory{byName: make(map[string]*entry)}
}

func (d *directory) lookup(name string) *node {
	if e := d.byName[name]; e != nil {
		return e.node
	}
	return nil
}

func (d *directory) insert(name string, n *node) {
	d.last++
	e := &entry{place: d.last, name: name, node: n}
	d.byName[name] = e
	d.order = append(d.order, e)
}

func (d *directory) remove(name string) {
	e := d.byName[name]
	delete(d.byName, name)
	e.name, e.node = "", nil
	d.dead++
	if d.dead > 32 && d.dead > len(d.order)/2 {
		d.compact()
	}
}

// compact drops the removed entries; the map is made anew because deleting
// from a map does not shrink it.
func (d *directory) compact() {
	d.order = slices.Clone(slices.DeleteFunc(d.order, func(e *entry) bool { return e.node == nil }))
	d.byName = make(map[string]*entry, len(d.order))
	for _, e := range d.order {
		d.byName[e.name] = e
	}
	d.dead = 0
}

// renameEntry gives the entry another name and leaves it its place, so that a
// listing under way shows it once, under one of the two.
func (d *directory) renameEntry(oldname, newname string) {
	e := d.byName[oldname]
	delete(d.byName, oldname)
	e.name = newname
	d.byName[newname] = e
}

// after returns the entries behind place, removed ones included.
func (d *directory) after(place uint64) []*entry {
	i := sort.Search(len(d.order), func(i int) bool { return d.order[i].place > place })
	return d.order[i:]
}

// find returns what the clean absolute path names. The caller holds b.mu.
func (b *Backend) find(path string) (*node, error) {
	n := b.root
	for rest := strings.TrimPrefix(path, "/"); rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if n.dir == nil {
			return nil, vfs.ErrNotDir
		}
		if n = n.dir.lookup(name); n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

// parent returns the directory that path lies in, or is to be created in, and
// its last segment. The caller holds b.mu.
func (b *Backend) parent(path string) (dir *node, name string, err error) {
	up, name := vfs.Split(path)
	dir, err = b.find(up)
	switch {
	case err != nil:
		return nil, "", err
	case dir.dir == nil:
		return nil, "", vfs.ErrNotDir
	case name == "":
		return nil, "", fs.ErrInvalid // the root lies in no directory
	}
	return dir, name, nil
}

// checkName refuses names of new entries that no path could lead to.
func checkName(name string) error {
	if len(name) > maxName || name == "." || name == ".." || strings.ContainsAny(name, "\x00\r\n") {
		return vfs.ErrBadName
	}
	return nil
}

// version returns the content of the finished file at path, or nil if there is
// none. The caller holds b.mu.
func (b *Backend) version(path string) *content {
	if n, err := b.find(path); err == nil {
		return n.content
	}
	return nil
}
