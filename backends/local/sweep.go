package local

import (
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
	b.holdMu.Lock() // no Keep meanwhile
	defer b.holdMu.Unlock()
	holding := false
	for _, st := range stagings {
		if b.sweep(st, now) {
			holding = true
		}
	}
	b.holding.Store(holding)
}

// sweep goes through one staging directory and reports whether partials are
// held in it. Errors are left for the next time. What it finds out about a process stays true: a dead one never comes back,
// and nobody else stages under its name.
func (b *Backend) sweep(st *staging, now time.Time) (holding bool) {
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
	_ = st.each(func(file string) error {
		if process, isLock := strings.CutSuffix(file, lockSuffix); isLock {
			if !lives(process) {
				locks = append(locks, process)
			}
			return nil
		}
		process, r, ok := parseStaged(file)
		if !ok || lives(process) {
			return nil
		}
		if r != nil {
			if p, err := b.partial(st, process, file, r, now); p != nil || err != nil {
				holding = true
				return nil
			}
		}
		_ = st.dir.unlink(file)
		return nil
	})
	// A process without a lock file is dead, so those go last.
	for _, process := range locks {
		st.removeLock(process)
	}
	return holding
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
