package memory

import (
	"sync/atomic"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// budget counts bytes against a limit. It is taken from before memory is
// allocated, so that the sum never passes the limit, not even for a moment.
type budget struct {
	limit int64 // 0: none
	used  atomic.Int64
}

func (b *budget) take(n int64) bool {
	for {
		used := b.used.Load()
		if b.limit > 0 && n > b.limit-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// take reserves n bytes, dropping held partials that have expired if that is
// what it needs. The caller does not hold b.mu.
func (b *Backend) take(n int64) error {
	if b.budget.take(n) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takeLocked(n)
}

// takeLocked is take for callers that hold b.mu.
func (b *Backend) takeLocked(n int64) error {
	if b.budget.take(n) {
		return nil
	}
	b.sweep()
	if b.budget.take(n) {
		return nil
	}
	return vfs.ErrQuota
}
