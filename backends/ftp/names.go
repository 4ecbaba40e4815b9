package ftp

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Servers are what Backends share that are on one server: who changes the same file has to know of the others,
// whichever block of the configuration leads there. The zero value is ready.
type Servers struct {
	mu  sync.Mutex
	all map[string]*registry // by address
}

// at returns what is shared for an address.
func (s *Servers) at(address string) *registry {
	if s == nil {
		return new(registry)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[address]
	if r == nil {
		if s.all == nil {
			s.all = make(map[string]*registry)
		}
		r = new(registry)
		s.all[address] = r
	}
	return r
}

// registry are the names that operations under way on a server depend on, as the server knows them. Users may
// see different trees under one name: then locks hold up more than they must.
type registry struct {
	mu        sync.Mutex
	locks     vfs.Turns
	watches   map[*watch]struct{}
	uploading nameSet // temporary names
	held      nameSet // temporary names, of whichever Backend
}

// names are those of one Backend.
type names struct {
	*registry
	root, user string
}

// at is what the server calls a client's name.
func (n *names) at(name string) string {
	if name == "/" && n.root != "" {
		return n.root
	}
	return n.root + name
}

// watch learns of changes of a name that are made by the same user.
type watch struct {
	user, name string
	changed    atomic.Bool
}

// waitForName is how long who changes a name waits for others who do. It leaves time to publish of what all of it
// may take, and to discard what is not published.
const waitForName = vfs.PublishTimeout / 2

var errNameBusy = fmt.Errorf("%w by an upload, rename or deletion that has not ended within %v", vfs.ErrBusy, waitForName)

// lock takes the names, within waitForName. Who waits for a lock may hold a
// connection; who holds a lock has every connection it needs.
func (n *names) lock(ctx context.Context, all ...string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, waitForName, errNameBusy)
	defer cancel()
	there := make([]string, len(all))
	for i, name := range all {
		there[i] = n.at(name)
	}
	return n.locks.Take(ctx, there...)
}

// watch begins to look at a name, until ignore.
func (n *names) watch(name string) *watch {
	w := &watch{user: n.user, name: n.at(name)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watches == nil {
		n.watches = make(map[*watch]struct{})
	}
	n.watches[w] = struct{}{}
	return w
}

func (n *registry) ignore(w *watch) {
	if w == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.watches, w)
}

// change tells those who watch a name, or what is below it.
func (n *names) change(name string) {
	name = n.at(name)
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watches {
		if w.user == n.user && vfs.Within(name, w.name) {
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

// nameSet are names of some kind, with the directory that is served. It is guarded by registry.mu.
type nameSet map[string]struct{}

func (n *names) note(s *nameSet, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if *s == nil {
		*s = make(nameSet)
	}
	(*s)[n.at(name)] = struct{}{}
}

func (n *names) forget(s *nameSet, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(*s, n.at(name))
}

func (n *names) noted(s *nameSet, name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := (*s)[n.at(name)]
	return ok
}

// upload notes a temporary name, until done.
func (n *names) upload(name string)           { n.note(&n.uploading, name) }
func (n *names) done(name string)             { n.forget(&n.uploading, name) }
func (n *names) isUploading(name string) bool { return n.noted(&n.uploading, name) }

// isUploadingIn reports whether a directory has uploads under way.
func (n *names) isUploadingIn(dir string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.uploading {
		if parent, _ := vfs.Split(name); parent == n.at(dir) {
			return true
		}
	}
	return false
}

// hold notes a temporary name of what is held, until unhold.
func (n *names) hold(name string)        { n.note(&n.held, name) }
func (n *names) unhold(name string)      { n.forget(&n.held, name) }
func (n *names) isHeld(name string) bool { return n.noted(&n.held, name) }
