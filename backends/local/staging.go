package local

import (
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// staging is one directory in which uploads lie until they are published.
type staging struct {
	dir   folder
	facts facts
	next  atomic.Uint64 // number of the next file
	// listed counts the names that were read from dir. Only sweeps may do that:
	// a command's cost must not grow with what others left here.
	listed atomic.Uint64

	mu      sync.Mutex
	process string   // "" until the first upload
	lock    *os.File // says that process lives
	// masked are permission bits that new files do not get here, by the umask
	// or a default ACL: files that want one of them need a chmod.
	masked fs.FileMode
}

func (st *staging) close() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.lock != nil {
		// Before it is unlocked, or a sweep elsewhere could find it.
		_ = st.dir.unlink(st.process + lockSuffix)
		st.lock.Close()
	}
	st.dir.close()
}

const lockSuffix = ".lock"

// claim makes sure that the process has a name and a lock here.
func (st *staging) claim() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	for st.process == "" {
		var random [8]byte
		_, _ = rand.Read(random[:]) // never fails
		process := hex.EncodeToString(random[:])
		lock, err := st.dir.create(process+lockSuffix, reservedName, 0o777)
		if err != nil {
			return err
		}
		// Between its creation and its locking a sweep may take the file for a dead
		// process's and remove it; then there is no such name any more.
		lockErr := lockFile(lock)
		a, err := st.dir.lstat(process + lockSuffix)
		if lockErr == errLocked || err == syscall.ENOENT {
			lock.Close()
			continue
		}
		if err != nil {
			lock.Close()
			return err
		}
		// Where files cannot be locked at all, nobody's files are ever swept.
		st.process, st.lock, st.masked = process, lock, 0o777&^a.mode.Perm()
	}
	return nil
}

// newName returns a name for a staged file. claim has succeeded before.
func (st *staging) newName(r *record) string {
	name := st.process + "-" + strconv.FormatUint(st.next.Add(1), 16)
	if r != nil {
		name += "-" + r.String()
	}
	return name
}

// lives reports whether the process that staged a file may still be at it.
func (st *staging) lives(process string) bool {
	st.mu.Lock()
	own := process == st.process
	st.mu.Unlock()
	if own || process == keptProcess {
		return own
	}
	lock, err := st.dir.reopen(process+lockSuffix, reservedName)
	if err != nil {
		return err != syscall.ENOENT // it is made before all else and removed after
	}
	defer lock.Close()
	return lockFile(lock) != nil
}

// openStaging opens the staging directory in parent, making it if create is
// set. It is fs.ErrNotExist or syscall.ENOENT if it is missing.
func openStaging(parent folder, create bool) (*staging, error) {
	dir, err := parent.sub(reservedName)
	if err == syscall.ENOENT && create {
		// A set-group-id parent gives its group to this directory, and that to the files.
		if err = parent.mkdir(reservedName, 0o700); err == nil || err == syscall.EEXIST {
			dir, err = parent.sub(reservedName)
		}
	}
	if err != nil {
		return nil, err
	}
	st := &staging{dir: dir}
	if st.facts, err = dir.facts(); err == nil {
		err = dir.secure(st.facts)
	}
	if err != nil {
		dir.close()
		return nil, err
	}
	return st, nil
}

// staging returns the staging directory in the directory at the relative path
// rel. It is opened at most once, and swept then.
func (b *Backend) staging(rel string, create bool) (*staging, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if st := b.stagings[rel]; st != nil {
		return st, nil
	}
	parent := b.top
	if rel != "" {
		var err error
		if parent, err = openFolder(b.root, rel); err != nil {
			return nil, err
		}
		defer parent.close()
	}
	st, err := openStaging(parent, create)
	if err != nil {
		return nil, err
	}
	b.stagings[rel] = st
	b.noteReserved()
	b.sweep(st, time.Now())
	return st, nil
}

// lost forgets a staging directory that somebody removed.
func (b *Backend) lost(st *staging) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for rel, known := range b.stagings {
		if known == st {
			delete(b.stagings, rel)
		}
	}
	b.noteReserved() // its inode number will stand for something else
}

// noteReserved brings reserved up to date. The caller holds mu.
func (b *Backend) noteReserved() {
	var known []fileID
	for _, st := range b.stagings {
		known = append(known, st.facts.id)
	}
	b.reserved.Store(&known)
}

// stagingFor returns the staging directory for a file that will be published
// at s: the topmost one above it that can be used and lies within the same mount.
func (b *Backend) stagingFor(s spot) (st *staging, err error) {
	if s.parent == "" {
		return b.staging("", true)
	}
	target, err := s.dir.facts()
	if err != nil {
		return nil, err
	}
	err = syscall.EXDEV
	if b.mount == target.mount {
		if st, err = b.staging("", true); err == nil {
			return st, nil
		}
	}
	for rel := range prefixes(s.parent) {
		dir, err := openFolder(b.root, rel)
		if err != nil {
			return nil, err
		}
		facts, err := dir.facts()
		dir.close()
		if err != nil || facts.mount != target.mount {
			continue
		}
		if st, err := b.staging(rel, true); err == nil {
			return st, nil
		}
	}
	return nil, err
}

// prefixes yields the leading directories of a relative path, itself last.
func prefixes(rel string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; ; i++ {
			j := strings.IndexByte(rel[i:], '/')
			if j < 0 {
				if rel != "" {
					yield(rel)
				}
				return
			}
			i += j
			if !yield(rel[:i]) {
				return
			}
		}
	}
}
