package s3

import (
	"slices"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Cache remembers, for seconds, the objects that listings and HEADs have shown, so that
// SIZE, MDTM and MLST after a LIST cost nothing. The backends of a process share one, and with it its
// bounded memory: what any of them writes to a bucket, none of them takes for what it was. What others write is
// seen when the time is over. The zero Cache is empty.
//
// The metadata of one version of an object never changes. What a HEAD has told of it
// holds for as long as there is room, if a listing shows the same version.
type Cache struct {
	mu      sync.Mutex
	wanted  bool // there is a backend that remembers anything
	entries map[cacheKey]cached
	order   []cacheKey // oldest first, from head
	head    int
	memory  int64     // of the entries
	dropped time.Time // of the changes that there was no room for any more, the last one
}

type cacheKey struct{ store, key string }

type cached struct {
	object
	asker   access    // who may see it
	at      time.Time // what was asked before is not as new as this
	changed bool      // it was written at that time: nothing is known of it
}

// access is who gets the same answers: the credentials, a key of SSE-C and the consent to pay decide them.
type access struct {
	client  *sdk.Client
	headers headers
}

const (
	cacheMemory = 8 << 20 // of all entries of a Cache, about
	entryMemory = 512     // of one entry, without its texts
)

func (e *cached) memory(key string) int64 {
	n := entryMemory + len(key) + len(e.etag) + len(e.storageClass)
	if e.metadata != nil {
		n += entryMemory
	}
	for k, v := range e.metadata {
		n += len(k) + len(v)
	}
	return int64(n)
}

// cache is a Cache as one backend uses it.
type cache struct {
	*Cache
	store    string // the endpoint and the bucket
	asker    access
	lifetime time.Duration // 0: nothing is remembered
}

func newCache(o Options) cache {
	c := cache{Cache: o.Cache, store: storeOf(o), asker: access{o.Client, headersOf(o.Put)}, lifetime: o.MetadataCache}
	if c.Cache == nil {
		c.Cache = new(Cache)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = c.wanted || c.lifetime > 0
	return c
}

// seen notes what a request has shown.
func (b *Backend) seen(o object) { b.cache.put(o) }

// lookup returns the object if it was seen within the lifetime.
func (b *Backend) lookup(key string) (object, bool) { return b.cache.get(key) }

// changed forgets the object: it has been written, or is being deleted.
func (b *Backend) changed(key string) { b.cache.forget(key) }

func (c cache) put(o object) object {
	if c.lifetime <= 0 {
		return o
	}
	if o.asked.IsZero() {
		o.asked = time.Now()
	}
	at := o.asked
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{c.store, o.key}
	old, ok := c.entries[key]
	switch {
	case ok && at.Before(old.at), ok && old.changed && at.Equal(old.at), !ok && !at.After(c.dropped):
		return o // older than what is known
	case ok && old.asker == c.asker && old.whole && !o.whole && old.etag == o.etag && old.modified.Equal(o.modified):
		o.mtime, o.metadata, o.whole = old.mtime, old.metadata, true
	}
	c.keep(key, cached{object: o, asker: c.asker, at: at})
	return o
}

func (c cache) get(key string) (object, bool) {
	if c.lifetime <= 0 {
		return object{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[cacheKey{c.store, key}]
	if !ok || e.changed || e.asker != c.asker || time.Since(e.asked) >= c.lifetime {
		return object{}, false
	}
	return e.object, true
}

// made notes what a request of ours has made of an object, at some time between o.asked and now.
// If it has been changed or seen since it was asked for, nobody knows what came last.
func (c cache) made(o object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted {
		return
	}
	key := cacheKey{c.store, o.key}
	old, ok := c.entries[key]
	e := cached{object: o, asker: c.asker, at: time.Now()}
	if c.lifetime <= 0 || !ok && !o.asked.After(c.dropped) ||
		ok && (old.at.After(o.asked) || old.changed && old.at.Equal(o.asked)) {
		e = cached{at: e.at, changed: true}
	}
	c.keep(key, e)
}

func (c cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted {
		c.keep(cacheKey{c.store, key}, cached{at: time.Now(), changed: true})
	}
}

// keep stores an entry, and drops the oldest ones if there is no room. The caller holds mu.
func (c *Cache) keep(key cacheKey, e cached) {
	if c.entries == nil {
		c.entries = make(map[cacheKey]cached)
	}
	if old, ok := c.entries[key]; ok {
		c.memory -= old.memory(key.key)
	} else {
		c.order = append(c.order, key)
	}
	c.entries[key] = e
	for c.memory += e.memory(key.key); c.memory > cacheMemory; c.head++ {
		key := c.order[c.head]
		e := c.entries[key]
		if e.at.After(c.dropped) {
			c.dropped = e.at
		}
		c.memory -= e.memory(key.key)
		delete(c.entries, key)
	}
	if c.head > len(c.order)/2 {
		c.order, c.head = slices.Delete(c.order, 0, c.head), 0
	}
}
