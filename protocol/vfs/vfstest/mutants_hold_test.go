package vfstest

import (
	"io/fs"
	"os"
	"sync"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// holdMutants hold partial uploads wrongly.
var holdMutants = []mutant{
	{name: "publishes what is kept", clauses: []string{"hold/unseen", "hold/over-finished", "interruption/keep"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file { return &file{keep: f.Close} }),
	}},
	{name: "discards what is kept", clauses: []string{"hold/resume", "interruption/keep"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{keep: func() error { return vfs.Abort(f) }}
		}),
	}},
	{name: "holds without promising to", clauses: []string{"hold/refused"}, faults: faults{
		properties: func(p vfs.Properties) vfs.Properties { p.Resume = false; return p },
	}},
	{name: "shows what is held", clauses: []string{"hold/unseen"}, faults: faults{
		stat: func(below afero.Fs, name string) (os.FileInfo, error) {
			info, err := below.Stat(name)
			if n, held := vfs.Held(below, name); err != nil && held == nil && n > 0 {
				return below.Stat("/")
			}
			return info, err
		},
	}},
	{name: "shares what is held", clauses: []string{"hold/owner-only"}, backend: func(b Backend) Backend {
		return Backend{New: func(t TB) Tree {
			tree := b.New(t)
			open := tree.Open
			tree.Open = func(string) afero.Fs { return open(alice) }
			return tree
		}}
	}},
	{name: "holds for ever", clauses: []string{"hold/expires", "quota/held"}, backend: func(b Backend) Backend {
		never := func(tree Tree) Tree { tree.Expire = func() {}; return tree }
		return Backend{
			New:        func(t TB) Tree { return never(b.New(t)) },
			NewLimited: func(t TB, limit int64) Tree { return never(b.NewLimited(t, limit)) },
		}
	}},
	{name: "loses what is held in a restart", clauses: []string{"hold/survives-restart"}, backend: func(b Backend) Backend {
		return Backend{New: func(t TB) Tree {
			tree := b.New(t)
			tree.Restart = func() { tree.Expire() }
			return tree
		}}
	}},
	{name: "loses everything in a restart", clauses: []string{"interruption/restart"}, backend: func(b Backend) Backend {
		return Backend{New: func(t TB) Tree {
			tree := b.New(t)
			open := tree.Open
			tree.Restart = func() { open = b.New(t).Open }
			tree.Open = func(owner string) afero.Fs { return open(owner) }
			return tree
		}}
	}},
	{name: "remembers sizes of what was held", clauses: []string{"hold/stor-ends-it", "hold/change-ends-it", "hold/expires"}, faults: func() faults {
		var mu sync.Mutex
		sizes := make(map[string]int64)
		return faults{held: func(below afero.Fs, name string) (int64, error) {
			mu.Lock()
			defer mu.Unlock()
			n, err := vfs.Held(below, name)
			if err == nil {
				sizes[name] = n
			} else if old, ok := sizes[name]; ok {
				return old, nil
			}
			return n, err
		}}
	}()},
	{name: "misstates what is held", clauses: []string{"hold/resume", "hold/over-finished", "hold/kept-again"}, faults: faults{
		held: func(below afero.Fs, name string) (int64, error) {
			n, err := vfs.Held(below, name)
			return min(n, 7), err
		},
	}},
	{name: "keeps nothing but STOR", clauses: []string{"hold/continued", "hold/exclusive"}, faults: faults{
		file: func(_ afero.Fs, _ string, flag int, f afero.File) *file {
			if flag == vfs.ModeReplace {
				return &file{}
			}
			return &file{keep: func() error { return vfs.Abort(f) }}
		},
	}},
	{name: "fails to keep", clauses: []string{"concurrency/hold"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{keep: func() error { _ = vfs.Abort(f); return fs.ErrInvalid }}
		}),
	}},
}
