package s3

import (
	"sync"
	"time"
)

// cache remembers, for seconds, the objects that listings and HEADs have shown, so
// that SIZE, MDTM and MLST after a LIST cost nothing. What is written through
// this gateway is forgotten at once; what others write is seen when the time is over.
//
// The metadata of one version of an object never changes. What a HEAD has told of it
// holds for as long as there is room, if a listing shows the same version.
type cache struct {
	lifetime time.Duration // 0: nothing is remembered

	mu      sync.Mutex
	entries map[string]cached
	order   []string // a ring of the keys, oldest at next
	next    int
}

type cached struct {
	object
	at      time.Time // when the request that saw it began
	changed bool      // it was written at that time: what was asked before is not true any more
}

// cacheSize is how many objects one backend remembers, some 300 bytes each.
const cacheSize = 8192

// seen notes what a request has shown.
func (b *Backend) seen(o object) { b.cache.put(o) }

// lookup returns the object if it was seen within the lifetime.
func (b *Backend) lookup(key string) (object, bool) { return b.cache.get(key) }

// changed forgets the object: it has been written, or is being deleted.
func (b *Backend) changed(key string) { b.cache.forget(key) }

func (c *cache) put(o object) object {
	if c.lifetime <= 0 {
		return o
	}
	at := o.asked
	if at.IsZero() {
		at = time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.entries[o.key]
	switch {
	case ok && old.changed && !at.After(old.at):
		return o // older than the change
	case ok && old.whole && !o.whole && old.etag == o.etag && old.modified.Equal(o.modified):
		o.mtime, o.metadata, o.whole = old.mtime, old.metadata, true
	}
	c.store(o.key, cached{object: o, at: at}, ok)
	return o
}

func (c *cache) get(key string) (object, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok || e.changed || time.Since(e.at) >= c.lifetime {
		return object{}, false
	}
	return e.object, true
}

func (c *cache) forget(key string) {
	if c.lifetime <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.entries[key]
	c.store(key, cached{at: time.Now(), changed: true}, ok)
}

// store keeps an entry, in place of the oldest one if there is no room. The caller holds mu.
func (c *cache) store(key string, e cached, known bool) {
	if c.entries == nil {
		c.entries = make(map[string]cached)
	}
	c.entries[key] = e
	switch {
	case known:
	case len(c.order) < cacheSize:
		c.order = append(c.order, key)
	default:
		delete(c.entries, c.order[c.next])
		c.order[c.next] = key
		c.next = (c.next + 1) % cacheSize
	}
}
