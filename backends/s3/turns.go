package s3

import (
	"context"
	"slices"
	"sync"
)

// turns lets one at a time work on a key. Where the store has no conditions, at least
// the sessions of this gateway do not slip in between each other's look and request.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the key is free again
}

// take waits for the turn on all of the keys; done ends it. Whoever takes several names
// them in one call, which sorts them: two that want the same ones do not wait for each other.
func (t *turns) take(ctx context.Context, keys ...string) (done func(), err error) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for i, key := range keys {
		if err := t.takeOne(ctx, key); err != nil {
			t.end(keys[:i])
			return nil, err
		}
	}
	return func() { t.end(keys) }, nil
}

func (t *turns) takeOne(ctx context.Context, key string) error {
	for {
		t.mu.Lock()
		busy := t.taken[key]
		if busy == nil {
			if t.taken == nil {
				t.taken = make(map[string]chan struct{})
			}
			t.taken[key] = make(chan struct{})
			t.mu.Unlock()
			return nil
		}
		t.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *turns) end(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		close(t.taken[key])
		delete(t.taken, key)
	}
}
