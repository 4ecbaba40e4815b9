package ftp

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// held is a partial upload kept for its owner, under a temporary name of the server. Only this
// process knows of it: what is held when it ends is left over.
type held struct {
	temp    string
	size    int64
	base    *ftpclient.Entry // the finished file it would replace; nil: there was none
	watch   *watch           // of that
	expires time.Time
}

type heldKey struct{ owner, name string }

// heldAt returns what is held for an owner, or nil. It may have to be compared with the finished file yet.
func (b *Backend) heldAt(key heldKey) *held {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.held[key]
	if h != nil && (h.watch.changed.Load() || !time.Now().Before(h.expires)) {
		b.drop(key)
		return nil
	}
	return h
}

// fits reports whether what is held is of the file that Stat has found, or not found.
func (h *held) fits(found *ftpclient.Entry) bool {
	if found == nil || h.base == nil {
		return found == nil && h.base == nil
	}
	return same(*found, *h.base)
}

// hold keeps h in place of what was held.
func (b *Backend) hold(key heldKey, h *held) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(key)
	if b.held == nil {
		b.held = make(map[heldKey]*held)
	}
	b.held[key] = h
	b.names.hold(h.temp)
}

// dropHeld drops h if it is still what is held.
func (b *Backend) dropHeld(key heldKey, h *held) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[key] == h {
		b.drop(key)
	}
}

// dropTemp drops what is held in a temporary file.
func (b *Backend) dropTemp(key heldKey, temp string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.held[key]; h != nil && h.temp == temp {
		b.drop(key)
	}
}

// drop makes an orphan of what is held. The caller holds b.mu.
func (b *Backend) drop(key heldKey) {
	h := b.held[key]
	if h == nil {
		return
	}
	delete(b.held, key)
	b.names.ignore(h.watch)
	b.names.unhold(h.temp)
	b.orphan(h.temp)
}

// orphan notes a temporary file that nobody needs, to be deleted by tidy. The caller holds b.mu.
func (b *Backend) orphan(temp string) {
	if b.orphans == nil {
		b.orphans = make(map[string]struct{})
	}
	b.orphans[temp] = struct{}{}
}

// dropWhere drops what is held and meets a condition.
func (b *Backend) dropWhere(is func(key heldKey, h *held) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, h := range b.held {
		if is(key, h) {
			b.drop(key)
		}
	}
}

// dropMoved drops what is held below a directory that has another name now, where its temporary files are to be deleted.
func (b *Backend) dropMoved(from, to string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, h := range b.held {
		if vfs.Within(from, key.name) {
			b.names.unhold(h.temp)
			moved := *h
			moved.temp = to + strings.TrimPrefix(h.temp, from)
			b.held[key] = &moved
			b.drop(key)
		}
	}
}

// tidy deletes what nobody needs.
func (b *Backend) tidy(ctx context.Context, c *ftpclient.Conn) {
	for range maxLeftovers {
		b.mu.Lock()
		temp := ""
		for temp = range b.orphans {
			delete(b.orphans, temp)
			break
		}
		b.mu.Unlock()
		if temp == "" {
			return
		}
		if err := c.Delete(ctx, b.at(temp)); err != nil && !isRefusal(err) {
			b.mu.Lock()
			b.orphan(temp) // the next one tries
			b.mu.Unlock()
			return
		}
	}
}

// Sweep drops what is held and has expired, or is of a file that has changed, and deletes what nobody needs.
func (b *Backend) Sweep(now time.Time) {
	b.dropWhere(func(_ heldKey, h *held) bool { return h.watch.changed.Load() || !now.Before(h.expires) })
	b.mu.Lock()
	orphans := len(b.orphans)
	b.mu.Unlock()
	if orphans == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepLimit)
	defer cancel()
	_ = b.with(ctx, true, func(c *ftpclient.Conn) error { // else it is for the next time
		b.tidy(ctx, c)
		return nil
	})
}

// sweepLimit is how long a server may take with what nobody needs.
const sweepLimit = 5 * time.Second

// Held implements vfs.Resumer.
func (f filesystem) Held(name string) (int64, error) {
	h := f.heldAt(name)
	if h == nil {
		return 0, pathError("held", name, fs.ErrNotExist)
	}
	err := f.do("held", name, true, func(c *ftpclient.Conn) error {
		found, err := f.find(c, name)
		if err == nil && !h.fits(found) {
			f.b.dropHeld(f.key(name), h)
			err = fs.ErrNotExist
		}
		return err
	})
	return h.size, err
}

func (f filesystem) key(name string) heldKey { return heldKey{f.owner, name} }

func (f filesystem) heldAt(name string) *held {
	if f.window <= 0 {
		return nil
	}
	return f.b.heldAt(f.key(name))
}

// find is stat, but that a missing entry is nil.
func (f filesystem) find(c *ftpclient.Conn, name string) (*ftpclient.Entry, error) {
	switch e, err := f.stat(c, name); {
	case err == nil:
		return &e, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	default:
		return nil, err
	}
}

var _ vfs.Resumer = filesystem{}
