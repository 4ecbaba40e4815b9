package pi

import (
	"io/fs"
	"sync"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// maxOwnFiles bounds what a session remembers of the files it completed; the
// oldest are forgotten first, and are then treated like anybody's.
const maxOwnFiles = 4096

// ownFiles are the files this session has completed. It is used with the floor held.
type ownFiles struct {
	files map[string]ownFile // by path
	order []ownName          // oldest first, with some that are no longer there
	next  uint64
}

// ownFile is one of them. A name alone does not make a file one's own: somebody may have
// taken it away, and somebody else stored another under its name.
type ownFile struct {
	number   uint64
	renamed  bool // and may not be again
	identity string
	size     int64
	modified time.Time
}

type ownName struct {
	path   string
	number uint64
}

func (o *ownFiles) may(op Rights, path string) bool {
	f, ok := o.files[path]
	return ok && !(f.renamed && op&Rename != 0)
}

// is reports whether what fi describes is the file this session completed under path.
func (o *ownFiles) is(path string, fi fs.FileInfo) bool {
	f, ok := o.files[path]
	return ok && f.identity == identity(fi) && f.size == fi.Size() && f.modified.Equal(fi.ModTime())
}

func identity(fi fs.FileInfo) string {
	if id, ok := fi.(vfs.Identifier); ok {
		return id.Identity()
	}
	return ""
}

// add remembers the file at path, as fi describes it now.
func (o *ownFiles) add(path string, fi fs.FileInfo, renamed bool) {
	if o.files == nil {
		o.files = make(map[string]ownFile)
	}
	o.next++
	o.files[path] = ownFile{number: o.next, renamed: renamed, identity: identity(fi), size: fi.Size(), modified: fi.ModTime()}
	o.order = append(o.order, ownName{path, o.next})
	for len(o.files) > maxOwnFiles || len(o.order) > 2*maxOwnFiles {
		oldest := o.order[0]
		o.order = o.order[1:]
		if o.files[oldest.path].number == oldest.number {
			delete(o.files, oldest.path)
		}
	}
}

// changed remembers the attributes of a file anew after this session has set them.
func (o *ownFiles) changed(path string, fi fs.FileInfo) {
	if f, ok := o.files[path]; ok {
		f.size, f.modified, f.identity = fi.Size(), fi.ModTime(), identity(fi)
		o.files[path] = f
	}
}

func (o *ownFiles) forget(path string) { delete(o.files, path) }

// Names are the names of uploads and renames under way in one tree. One that an upload
// under OnConflictRename has chosen is refused to everybody else until it is
// published, and it chooses none that somebody else is about to take: there is no
// third name to fall back on when the data has been received.
type Names struct {
	mu    sync.Mutex
	users map[string]int // how many use a name; chosen: one does, and alone
}

const chosen = -1

// choose takes path for one alone. A nil *Names has no memory.
func (n *Names) choose(path string) bool { return n.take(path, true) }

// join takes path beside others that did not choose it.
func (n *Names) join(path string) bool { return n.take(path, false) }

func (n *Names) take(path string, alone bool) bool {
	if n == nil {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.users == nil {
		n.users = make(map[string]int)
	}
	switch users := n.users[path]; {
	case users == chosen, alone && users > 0:
		return false
	case alone:
		n.users[path] = chosen
	default:
		n.users[path] = users + 1
	}
	return true
}

// release gives back what choose or join took.
func (n *Names) release(path string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.users[path]--; n.users[path] <= 0 {
		delete(n.users, path)
	}
}
