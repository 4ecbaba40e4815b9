package vfs

import (
	"context"
	"slices"
	"sync"
)

// Turns let one at a time work on a name, first come, first served. The zero value is ready.
type Turns struct {
	mu    sync.Mutex
	names map[string]*turn
}

type turn struct {
	taken chan struct{} // has room for who has it; the others wait to send
	users int           // who has it and who waits; guarded by Turns.mu
}

// Take waits for the turn on all of the names; done ends it. The error is context.Cause(ctx). Whoever takes
// several names them in one call, which sorts them: two that want the same ones do not wait for each other.
func (t *Turns) Take(ctx context.Context, names ...string) (done func(), err error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	for i, name := range names {
		taken := t.join(name).taken
		select {
		case taken <- struct{}{}: // even if ctx has ended
			continue
		default:
		}
		select {
		case taken <- struct{}{}:
		case <-ctx.Done():
			t.leave(name)
			t.end(names[:i])
			return nil, context.Cause(ctx)
		}
	}
	return func() { t.end(names) }, nil
}

// Idle reports whether nobody has or wants any turn.
func (t *Turns) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.names) == 0
}

func (t *Turns) join(name string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names == nil {
		t.names = make(map[string]*turn)
	}
	n := t.names[name]
	if n == nil {
		n = &turn{taken: make(chan struct{}, 1)}
		t.names[name] = n
	}
	n.users++
	return n
}

func (t *Turns) end(names []string) {
	for _, name := range names {
		<-t.leave(name).taken
	}
}

// leave forgets a name that nobody uses any more.
func (t *Turns) leave(name string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.names[name]
	if n.users--; n.users == 0 {
		delete(t.names, name)
	}
	return n
}
