package local

import (
	"sync"
	"time"
)

// heldPerOwner is how many partials are held for one owner; the oldest go
// first. Whoever resumes has one for each session that was cut, a few hundred
// after a mirror with many lines lost its network. Without an end, one-byte
// partials would fill the staging directory for as long as the window.
const heldPerOwner = 1000

// heldFile is a staged file that was held when it was last looked at. The
// file system has the last word: it may be gone or expired by now.
type heldFile struct {
	st      *staging
	file    string // its name in st
	process string
	record  *record
	written time.Time // when last, by the clock of the filesystem
}

// is tells whether both are one file; a directory may be reached over several mounts.
func (h *heldFile) is(other *heldFile) bool {
	return h.file == other.file && h.st.facts.id == other.st.facts.id
}

func (h *heldFile) remove() { _ = h.st.dir.unlink(h.file) }

// heldIndex finds what is held without reading a directory. There is one
// partial at most for an owner and path: the one written last.
type heldIndex struct {
	mu              sync.Mutex
	byOwner, byPath table
}

// table holds the same files as its sibling, by owner and path or by path and owner.
type table map[string]map[string]*heldFile

func (t table) put(a, b string, h *heldFile) {
	if t[a] == nil {
		t[a] = make(map[string]*heldFile)
	}
	t[a][b] = h
}

func (t table) drop(a, b string) {
	delete(t[a], b)
	if len(t[a]) == 0 {
		delete(t, a)
	}
}

func newHeldIndex() *heldIndex { return &heldIndex{byOwner: make(table), byPath: make(table)} }

func (x *heldIndex) find(owner, path string) *heldFile {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.byOwner[owner][path]
}

// add adds h and removes the files that are not held any more because of it.
func (x *heldIndex) add(h *heldFile) {
	for _, lost := range x.insert(h) {
		lost.remove()
	}
}

// insert adds h and returns what lost its place: an older one of the same owner
// and path, or h itself if that is the older, and the oldest of an owner who
// has too many.
func (x *heldIndex) insert(h *heldFile) (lost []*heldFile) {
	x.mu.Lock()
	defer x.mu.Unlock()
	owner, path := h.record.owner, h.record.path
	if old := x.byOwner[owner][path]; old != nil && !old.is(h) {
		if old.written.After(h.written) {
			return []*heldFile{h}
		}
		lost = append(lost, old)
	}
	x.byOwner.put(owner, path, h)
	x.byPath.put(path, owner, h)
	if len(x.byOwner[owner]) > heldPerOwner {
		oldest := h
		for _, other := range x.byOwner[owner] {
			if other.written.Before(oldest.written) {
				oldest = other
			}
		}
		x.dropLocked(oldest)
		lost = append(lost, oldest)
	}
	return lost
}

// drop takes h out of the index, unless something else has taken its place.
func (x *heldIndex) drop(h *heldFile) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dropLocked(h)
}

func (x *heldIndex) dropLocked(h *heldFile) {
	if owner, path := h.record.owner, h.record.path; x.byOwner[owner][path] == h {
		x.byOwner.drop(owner, path)
		x.byPath.drop(path, owner)
	}
}

// under returns what is held under path, for whomever.
func (x *heldIndex) under(path string) (all []*heldFile) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, h := range x.byPath[path] {
		all = append(all, h)
	}
	return all
}

func (x *heldIndex) all() (all []*heldFile) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, files := range x.byOwner {
		for _, h := range files {
			all = append(all, h)
		}
	}
	return all
}
