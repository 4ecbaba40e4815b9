package s3

import (
	"context"
	"fmt"
	"sync"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Turns let one at a time work on an object. Where the store has no conditions, at least
// the sessions of this gateway do not slip in between each other's look and request. The backends
// of a process share one: some may be different views of one bucket. The zero Turns are ready.
type Turns struct {
	objects   vfs.Turns
	mu        sync.Mutex
	uploading map[string]int // the multipart uploads of the object that are under way
}

// turns are Turns as one backend uses them.
type turns struct {
	*Turns
	store string // of storeOf
}

func newTurns(o Options) turns {
	t := turns{o.Turns, storeOf(o)}
	if t.Turns == nil {
		t.Turns = new(Turns)
	}
	return t
}

// storeOf is what keys are unique in: the endpoint and the bucket.
func storeOf(o Options) string { return Endpoint(o.Client) + "\x00" + o.Bucket }

func (t turns) object(key string) string { return t.store + "\x00" + key }

// errBusy: whoever has the turn may keep it for as long as the store writes a large object.
var errBusy = fmt.Errorf("%w by an upload, rename or deletion that has not ended within %v", vfs.ErrBusy, vfs.PublishTimeout)

// take waits for the turn on all of the keys, for vfs.PublishTimeout at most; done ends it.
func (t turns) take(ctx context.Context, keys ...string) (done func(), err error) {
	bounded, cancel := context.WithTimeout(ctx, vfs.PublishTimeout)
	defer cancel()
	objects := make([]string, len(keys))
	for i, key := range keys {
		objects[i] = t.object(key)
	}
	done, err = t.objects.Take(bounded, objects...)
	switch {
	case err == nil:
		return done, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, errBusy
}

// uploads notes that a multipart upload of the key has begun (1) or ended (-1).
func (t turns) uploads(key string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.uploading == nil {
		t.uploading = make(map[string]int)
	}
	object := t.object(key)
	if t.uploading[object] += n; t.uploading[object] == 0 {
		delete(t.uploading, object)
	}
}

// others reports whether there is another multipart upload of the key than that of the caller.
func (t turns) others(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.uploading[t.object(key)] > 1
}
