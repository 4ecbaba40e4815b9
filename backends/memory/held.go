package memory

import (
	"io/fs"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// sweepEvery is how often opening an upload looks for expired partials when
// no space is wanting.
const sweepEvery = time.Minute

type heldKey struct{ owner, path string }

// held is a partial upload kept for its owner.
type held struct {
	content *content
	base    *content // the finished file it was begun on: only compared, nil if there was none
	expires time.Time
}

// heldAt returns what is held for owner under path, or nil; one that has
// expired, or whose finished file has changed, is dropped. The caller holds b.mu.
func (b *Backend) heldAt(key heldKey) *held {
	h := b.held[key]
	if h == nil {
		return nil
	}
	if !b.now().Before(h.expires) || b.version(key.path) != h.base {
		b.dropHeld(key)
		return nil
	}
	return h
}

// dropHeld forgets what is held, if anything. The caller holds b.mu.
func (b *Backend) dropHeld(key heldKey) {
	if h := b.held[key]; h != nil {
		delete(b.held, key)
		h.content.release()
		b.budget.give(EntryCost)
	}
}

// hold takes over c and one EntryCost unless the finished file is no longer
// base, in which case nothing is held.
func (b *Backend) hold(key heldKey, c, base *content, window time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.version(key.path) != base {
		return vfs.ErrTransient
	}
	b.dropHeld(key)
	b.held[key] = &held{content: c, base: base, expires: b.now().Add(window)}
	return nil
}

// sweep drops every partial that heldAt would. The caller holds b.mu.
func (b *Backend) sweep() {
	b.nextSweep = b.now().Add(sweepEvery)
	for key := range b.held {
		b.heldAt(key)
	}
}

// Held implements vfs.Resumer.
func (f filesystem) Held(name string) (int64, error) {
	if err := f.live(); err != nil {
		return 0, pathError("held", name, err)
	}
	f.b.mu.Lock()
	defer f.b.mu.Unlock()
	if h := f.b.heldAt(heldKey{f.owner, name}); h != nil {
		return h.content.size, nil
	}
	return 0, pathError("held", name, fs.ErrNotExist)
}
