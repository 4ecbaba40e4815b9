package local

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Sweep removes held partials that expired before now and what dead processes
// left behind. New does it too; the gateway calls it now and then.
func (b *Backend) Sweep(now time.Time) {
	if b.enter() != nil {
		return
	}
	defer b.leave()
	b.mu.Lock()
	stagings := slices.Collect(maps.Values(b.stagings))
	b.mu.Unlock()
	for _, st := range stagings {
		b.sweep(st, now)
	}
	for _, h := range b.held.all() {
		_, _ = b.look(h, now) // another process may have removed it, or all of its directory
	}
}

// sweep goes through one staging directory and adds what is held in it to the
// index. Errors are left for the next time. What it finds out about a process that
// staged a file stays true: that one has had its lock, and nobody dead comes back.
func (b *Backend) sweep(st *staging, now time.Time) {
	alive := make(map[string]bool)
	lives := func(process string) bool {
		is, known := alive[process]
		if !known {
			is = st.lives(process)
			alive[process] = is
		}
		return is
	}
	var locks []string
	_ = st.each(func(file string) {
		if process, isLock := strings.CutSuffix(file, lockSuffix); isLock {
			locks = append(locks, process)
			return
		}
		process, r, ok := parseStaged(file)
		if !ok || lives(process) {
			return
		}
		h := &heldFile{st: st, file: file, process: process, record: r}
		if r != nil {
			switch p, err := b.partial(h, now); {
			case err != nil:
				return
			case p != nil:
				// By now it may have been taken over and kept anew: then the
				// other one wins, also where clocks tick slowly.
				h.written = p.attrs.modTime().Add(-1)
				b.held.add(h)
				return
			}
		}
		h.remove()
	})
	// A process without a lock file is dead, so those go last.
	for _, process := range locks {
		if !st.lives(process) { // nothing known before counts: it may just have begun
			st.removeLock(process)
		}
	}
}

// each calls do with the name of every file in the directory. Files may come
// and go meanwhile.
func (st *staging) each(do func(file string)) error {
	dir, err := st.dir.sub(".")
	if err != nil {
		return err
	}
	defer dir.close()
	for {
		names, err := dir.f.Readdirnames(256)
		for _, name := range names {
			st.listed.Add(1)
			do(name)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// removeLock removes the lock file of a dead process, while holding the lock:
// one that was just being made is noticed by its owner.
func (st *staging) removeLock(process string) {
	lock, err := st.dir.reopen(process+lockSuffix, reservedName)
	if err != nil {
		return
	}
	defer lock.Close()
	if lockFile(lock) == nil {
		_ = st.dir.unlink(process + lockSuffix)
	}
}
