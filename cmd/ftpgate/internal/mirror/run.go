package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Mirror are the two sides, and what to do.
type Mirror struct {
	Site     *remote.Site
	Path     string // on the server
	Root     *os.Root
	Upload   bool // from this machine to the server
	Compare  Compare
	Delete   bool
	DryRun   bool
	Patterns []Pattern // see Pattern
	Continue bool
	InPlace  bool // see transfer.Mover
	Parallel int
	Moved    func(n int64)                                                    // see transfer.Mover
	Expect   func(bytes int64)                                                // is told how much is to move
	Done     func(a Action, r transfer.Result, took time.Duration, err error) // is told of each action; by many at once
	Trouble  func(err error)                                                  // what cannot be mirrored

	times *transfer.Times // of what is uploaded
}

// Run looks at both sides and does what makes the target like the source. What fails is told, and the rest done all the same; only
// if not even a beginning can be made there is an error.
func (m *Mirror) Run(ctx context.Context) error {
	there, err := Remote(ctx, m.Site, m.Path)
	fresh := m.Upload && errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return err
	}
	here := Local(ctx, m.Root)
	there.leave(m.Patterns)
	here.leave(m.Patterns)
	source, target := there, here
	if m.Upload {
		source, target = here, there
	}
	actions, problems := Plan(source, target, m.Compare, m.Delete)
	for _, p := range problems {
		m.Trouble(p)
	}
	failed := len(problems) > 0
	if err := m.hashes(ctx, actions); err != nil {
		return err
	}
	actions, unchecked := m.check(ctx, actions)
	failed = failed || unchecked
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if m.DryRun {
		for _, a := range actions {
			m.Done(a, transfer.Result{}, 0, nil)
		}
		return nil
	}
	if fresh {
		if err := m.once(ctx, func(c *ftpclient.Conn) error { return c.MakeDirAll(ctx, m.Path) }); err != nil {
			return err
		}
	}
	return m.do(ctx, actions, failed)
}

// once does something on the server that cannot be done twice.
func (m *Mirror) once(ctx context.Context, work func(c *ftpclient.Conn) error) error {
	c, err := m.Site.Connect(ctx)
	if err != nil {
		return err
	}
	defer m.Site.Put(c)
	return work(c)
}

// hashes asks whether the server makes digests, if any are needed.
func (m *Mirror) hashes(ctx context.Context, actions []Action) error {
	if !slices.ContainsFunc(actions, func(a Action) bool { return a.Verb == Check }) {
		return nil
	}
	return m.Site.Do(ctx, func(c *ftpclient.Conn) error {
		names, err := c.Hashes(ctx)
		if err == nil && len(names) == 0 {
			err = errNoHash
		}
		return err
	})
}

// check makes a Copy, or nothing, of each Check.
func (m *Mirror) check(ctx context.Context, actions []Action) (decided []Action, failed bool) {
	var mu sync.Mutex
	same := make(map[string]bool)
	transfer.Each(ctx, m.Parallel, slices.Values(actions), func(ctx context.Context, a Action) {
		if a.Verb != Check {
			return
		}
		differ := false
		err := m.Site.Do(ctx, func(c *ftpclient.Conn) (err error) {
			differ, err = differs(ctx, c, join(m.Path, a.Path), m.Root, a.Path)
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			m.Trouble(fmt.Errorf("%s: %w", a.Path, err))
			failed = true
		}
		same[a.Path] = !differ
	})
	for _, a := range actions {
		if a.Verb == Check {
			if same[a.Path] {
				continue
			}
			a.Verb, a.Reason = Copy, "content"
		}
		decided = append(decided, a)
	}
	return decided, failed
}

// do does it: what is in the way first, then directories one after the other, then files at once, then what is to go.
func (m *Mirror) do(ctx context.Context, actions []Action, failed bool) error {
	var mu sync.Mutex
	var copies, deletes []Action
	m.times = new(transfer.Times)
	one := func(ctx context.Context, a Action) {
		begun := time.Now()
		r, err := m.act(ctx, a)
		mu.Lock()
		failed = failed || err != nil
		mu.Unlock()
		m.Done(a, r, time.Since(begun), err)
	}
	for _, a := range actions {
		switch a.Verb {
		case Copy:
			m.Expect(a.File.Size)
			copies = append(copies, a)
		case Delete, DeleteDir:
			deletes = append(deletes, a)
		default:
			one(ctx, a)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	transfer.Each(ctx, m.Parallel, slices.Values(copies), one)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := m.times.Set(ctx, m.Site); err != nil {
		m.Trouble(fmt.Errorf("the times of some files could not be set: %w", err))
		failed = true
	}
	if failed && len(deletes) > 0 {
		m.Trouble(errors.New("nothing is deleted at the end, as something failed before"))
		return nil
	}
	transfer.Each(ctx, m.Parallel, slices.Values(deletes), one)
	return ctx.Err()
}

func (m *Mirror) act(ctx context.Context, a Action) (transfer.Result, error) {
	if m.Upload {
		return m.up(ctx, a)
	}
	return m.down(ctx, a)
}

func (m *Mirror) down(ctx context.Context, a Action) (transfer.Result, error) {
	switch a.Verb {
	case MakeDir:
		return transfer.Result{}, m.Root.MkdirAll(a.Path, 0o777)
	case Copy:
		mover := transfer.Mover{Site: m.Site, Root: m.Root, Continue: m.Continue, Again: true, Moved: m.Moved}
		return mover.Fetch(ctx, join(m.Path, a.Path), a.Path, a.File.entry)
	}
	return transfer.Result{}, m.Root.RemoveAll(a.Path) // links are removed, not followed
}

func (m *Mirror) up(ctx context.Context, a Action) (r transfer.Result, err error) {
	path := join(m.Path, a.Path)
	switch {
	case a.Verb == MakeDir:
		err = m.once(ctx, func(c *ftpclient.Conn) error {
			_, err := c.MakeDir(ctx, path)
			return err
		})
	case a.Verb == Copy:
		target := transfer.Fresh
		if a.Exists {
			target = transfer.Exists
		}
		mover := transfer.Mover{Site: m.Site, Root: m.Root, Continue: m.Continue, Again: true, InPlace: m.InPlace, Times: m.times, Moved: m.Moved}
		return mover.Send(ctx, a.Path, path, target)
	case a.Dir:
		err = m.once(ctx, func(c *ftpclient.Conn) error { return c.RemoveAll(ctx, path) })
	default:
		err = m.once(ctx, func(c *ftpclient.Conn) error { return c.Delete(ctx, path) })
	}
	return r, err
}
