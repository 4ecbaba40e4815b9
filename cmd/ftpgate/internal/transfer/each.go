package transfer

import (
	"context"
	"iter"
	"sync"
)

// Each has work done on every item, n at once, and returns when all is done or, after ctx has ended, all that was
// begun is. work deals with its own errors.
func Each[T any](ctx context.Context, n int, items iter.Seq[T], work func(ctx context.Context, item T)) {
	queue := make(chan T)
	var workers sync.WaitGroup
	for range max(n, 1) {
		workers.Go(func() {
			for item := range queue {
				work(ctx, item)
			}
		})
	}
	defer workers.Wait()
	defer close(queue)
	for item := range items {
		if ctx.Err() != nil {
			return
		}
		select {
		case queue <- item:
		case <-ctx.Done():
			return
		}
	}
}
