package s3

import (
	"context"
	"sync"
)

// turns lets one at a time work on a key. Where the store has no conditions, at least
// the sessions of this gateway do not slip in between each other's look and copy.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the key is free again
}

// take waits for the turn; done ends it.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	for {
		t.mu.Lock()
		busy := t.taken[key]
		if busy == nil {
			if t.taken == nil {
				t.taken = make(map[string]chan struct{})
			}
			free := make(chan struct{})
			t.taken[key] = free
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.taken, key)
				t.mu.Unlock()
				close(free)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
