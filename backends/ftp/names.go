package ftp

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// names are what operations under way depend on.
type names struct {
	mu        sync.Mutex
	locks     map[string]*nameLock
	watches   map[*watch]struct{}
	uploading map[string]struct{} // temporary names
}

type nameLock struct {
	turn  chan struct{}
	users int
}

// watch learns of changes of a name that are made through this Backend.
type watch struct {
	name    string
	changed atomic.Bool
}

// lock takes the names, in an order that all keep. Who waits for a lock may hold a
// connection; who holds a lock has every connection it needs.
func (n *names) lock(ctx context.Context, all ...string) (unlock func(), err error) {
	slices.Sort(all)
	all = slices.Compact(all)
	for i, name := range all {
		if err := n.enter(ctx, name); err != nil {
			n.leave(all[:i])
			return nil, err
		}
	}
	return func() { n.leave(all) }, nil
}

func (n *names) enter(ctx context.Context, name string) error {
	n.mu.Lock()
	l := n.locks[name]
	if l == nil {
		if n.locks == nil {
			n.locks = make(map[string]*nameLock)
		}
		l = &nameLock{turn: make(chan struct{}, 1)}
		n.locks[name] = l
	}
	l.users++
	n.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		n.forget(name)
		return context.Cause(ctx)
	}
}

func (n *names) leave(all []string) {
	for _, name := range all {
		n.mu.Lock()
		l := n.locks[name]
		n.mu.Unlock()
		<-l.turn
		n.forget(name)
	}
}

// forget drops a lock that nobody uses.
func (n *names) forget(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.locks[name]; l.users > 1 {
		l.users--
	} else {
		delete(n.locks, name)
	}
}

// watch begins to look at a name, until ignore.
func (n *names) watch(name string) *watch {
	w := &watch{name: name}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watches == nil {
		n.watches = make(map[*watch]struct{})
	}
	n.watches[w] = struct{}{}
	return w
}

func (n *names) ignore(w *watch) {
	if w == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.watches, w)
}

// change tells those who watch a name, or what is below it.
func (n *names) change(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watches {
		if vfs.Within(name, w.name) {
			w.changed.Store(true)
		}
	}
}

// changed tells of names that an operation has changed, or perhaps has: its reply was lost.
func (b *Backend) changed(err error, all ...string) {
	if err != nil && isRefusal(err) {
		return
	}
	for _, name := range all {
		b.names.change(name)
	}
}

// upload notes a temporary name, until done.
func (n *names) upload(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.uploading == nil {
		n.uploading = make(map[string]struct{})
	}
	n.uploading[name] = struct{}{}
}

func (n *names) done(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.uploading, name)
}

func (n *names) isUploading(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.uploading[name]
	return ok
}

// isUploadingIn reports whether a directory has uploads under way.
func (n *names) isUploadingIn(dir string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.uploading {
		if parent, _ := vfs.Split(name); parent == dir {
			return true
		}
	}
	return false
}
