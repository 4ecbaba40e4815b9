package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestSound: the suite passes a sound backend, through the wrapper of the mutants too.
func TestSound(t *testing.T) {
	Run(t, wrapped(faults{}.wrap))
}

// TestSuiteCanFail: every clause that a mutant names fails for it.
func TestSuiteCanFail(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			b := wrapped(m.faults.wrap)
			if m.backend != nil {
				b = m.backend(b)
			}
			for _, name := range m.clauses {
				c := find(t, name)
				failures := record(t, func(tb TB) { c.run(tb, b) })
				if len(failures) == 0 {
					t.Errorf("%s passes", name)
				}
				for _, f := range failures {
					if strings.HasPrefix(f, "panic:") {
						t.Errorf("%s: %s", name, f)
					}
				}
			}
		})
	}
}

// TestEveryClauseCanFail: no clause is without a mutant.
func TestEveryClauseCanFail(t *testing.T) {
	for _, th := range themes {
		for _, c := range th.clauses {
			name := th.name + "/" + c.name
			if !slices.ContainsFunc(mutants, func(m mutant) bool { return slices.Contains(m.clauses, name) }) {
				t.Errorf("no mutant fails in %s", name)
			}
		}
	}
}

// mutant is a fault and the clauses that must see it.
type mutant struct {
	name    string
	clauses []string
	faults  faults
	backend func(Backend) Backend
}

// uploading makes a file hook for uploads only.
func uploading(hook func(below afero.Fs, name string, f afero.File) *file) func(afero.Fs, string, int, afero.File) *file {
	return func(below afero.Fs, name string, flag int, f afero.File) *file {
		if flag == vfs.ModeRead {
			return &file{}
		}
		return hook(below, name, f)
	}
}

var mutants = []mutant{
	{name: "publishes on abort", clauses: []string{"publish/abort", "interruption/abort", "hold/abort-leaves-it"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file { return &file{abort: f.Close} }),
	}},
	{name: "truncates on open", clauses: []string{"publish/open-is-free", "publish/not-before-close", "interruption/dropped"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			f, err := below.OpenFile(name, flag, perm)
			if err == nil && flag == vfs.ModeReplace {
				err = store(below, name, vfs.ModeReplace, "")
			}
			return f, err
		},
	}},
	{name: "leaves a partial beside the target", clauses: []string{"publish/not-before-close", "interruption/dropped"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			f, err := below.OpenFile(name, flag, perm)
			if err == nil && flag != vfs.ModeRead {
				err = store(below, name+".part", vfs.ModeReplace, "")
			}
			return f, err
		},
		file: uploading(func(below afero.Fs, name string, f afero.File) *file {
			return &file{
				close: func() error { _ = below.Remove(name + ".part"); return f.Close() },
				abort: func() error { _ = below.Remove(name + ".part"); return vfs.Abort(f) },
			}
		}),
	}},
	{name: "replaces under ModeCreate", clauses: []string{"modes/create", "publish/exclusive", "concurrency/exclusive"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if flag == vfs.ModeCreate {
				flag = vfs.ModeReplace
			}
			return below.OpenFile(name, flag, perm)
		},
	}},
	{name: "decides exclusivity when opening", clauses: []string{"publish/exclusive"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if flag == vfs.ModeCreate {
				if _, err := below.Stat(name); err == nil {
					return nil, fs.ErrExist
				}
				flag = vfs.ModeReplace
			}
			return below.OpenFile(name, flag, perm)
		},
	}},
	{name: "opens with other flags", clauses: []string{"modes/other-flags"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if flag == os.O_RDWR|os.O_CREATE {
				flag = vfs.ModeReplace
			}
			return below.OpenFile(name, flag, perm)
		},
	}},
	{name: "makes missing parents", clauses: []string{"modes/below"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if dir, _ := vfs.Split(name); flag == vfs.ModeReplace {
				_ = below.MkdirAll(dir, vfs.NewDirMode)
			}
			return below.OpenFile(name, flag, perm)
		},
	}},
	{name: "has no Abort", clauses: []string{"modes/replace", "publish/abort"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			f, err := below.OpenFile(name, flag, perm)
			return struct{ afero.File }{f}, err
		},
	}},
	{name: "appends to nothing only", clauses: []string{"modes/append"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if flag == vfs.ModeAppend {
				flag = vfs.ModeReplace
			}
			return below.OpenFile(name, flag, perm)
		},
	}},
	{name: "restarts at the end", clauses: []string{"modes/restart"}, faults: faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if flag == vfs.ModeRestart {
				flag = vfs.ModeAppend
			}
			return below.OpenFile(name, flag, perm)
		},
		file: func(_ afero.Fs, _ string, flag int, f afero.File) *file {
			if flag != vfs.ModeRestart {
				return &file{}
			}
			return &file{seek: func(n int64, _ int) (int64, error) { return n, nil }}
		},
	}},
	{name: "seeks twice, and anywhere", clauses: []string{"modes/one-seek", "modes/no-seek-elsewhere"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{seek: func(n int64, whence int) (int64, error) {
				_, _ = f.Seek(n, whence)
				return n, nil
			}}
		}),
	}},
	{name: "takes directories for files", clauses: []string{"modes/directory"}, faults: faults{
		file: func(afero.Fs, string, int, afero.File) *file {
			return &file{read: func([]byte) (int, error) { return 0, io.EOF }}
		},
	}},
	{name: "ends twice", clauses: []string{"publish/ends-once"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{close: func() error {
				if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
					return err
				}
				return nil
			}}
		}),
	}},
	{name: "publishes in two steps", clauses: []string{"concurrency/readers"}, faults: func() faults {
		opened := make(chan struct{})
		return faults{
			open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
				f, err := below.OpenFile(name, flag, perm)
				if flag == vfs.ModeRead {
					select {
					case opened <- struct{}{}:
					default:
					}
				}
				return f, err
			},
			file: uploading(func(below afero.Fs, name string, f afero.File) *file {
				_, missing := below.Stat(name)
				return &file{close: func() error {
					if missing == nil {
						_ = store(below, name, vfs.ModeReplace, "the first half")
						<-opened // a reader sees it
					}
					return f.Close()
				}}
			}),
		}
	}()},
	{name: "forgets its partials", clauses: []string{"concurrency/writers", "publish/abort"}, faults: faults{
		file: uploading(func(below afero.Fs, name string, _ afero.File) *file {
			_ = store(below, name+".part", vfs.ModeReplace, "")
			return &file{}
		}),
	}},
	{name: "drops a byte of a large write", clauses: []string{"publish/whole"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{write: func(p []byte) (int, error) {
				n, err := f.Write(p[:min(len(p), 262_143)])
				if n == 262_143 {
					n = len(p)
				}
				return n, err
			}}
		}),
	}},
	{name: "lets the first win", clauses: []string{"publish/last-wins"}, faults: faults{
		file: uploading(func(below afero.Fs, name string, f afero.File) *file {
			before, _ := load(below, name)
			return &file{close: func() error {
				if now, _ := load(below, name); now != before {
					return vfs.Abort(f)
				}
				return f.Close()
			}}
		}),
	}},
	{name: "makes way when it publishes", clauses: []string{"publish/parent-removed", "publish/became-directory"}, faults: faults{
		file: uploading(func(below afero.Fs, name string, f afero.File) *file {
			return &file{close: func() error {
				dir, _ := vfs.Split(name)
				_ = below.MkdirAll(dir, vfs.NewDirMode)
				if info, err := below.Stat(name); err == nil && info.IsDir() {
					_ = below.Remove(name)
				}
				return f.Close()
			}}
		}),
	}},
	{name: "reads what is there now", clauses: []string{"publish/old-readers"}, faults: faults{
		file: func(below afero.Fs, name string, flag int, _ afero.File) *file {
			if flag != vfs.ModeRead {
				return &file{}
			}
			var off int64
			return &file{read: func(p []byte) (int, error) {
				f, err := below.Open(name)
				if err != nil {
					return 0, io.EOF
				}
				defer f.Close()
				n, err := f.ReadAt(p, off)
				off += int64(n)
				return n, err
			}}
		},
	}},
	{name: "loses updates", clauses: []string{"lost-update/replaced", "lost-update/removed", "lost-update/two-continue", "lost-update/renamed-over", "lost-update/before-the-first-write"}, faults: faults{
		file: func(below afero.Fs, name string, flag int, f afero.File) *file {
			if flag != vfs.ModeAppend {
				return &file{}
			}
			head, _ := load(below, name)
			content := head
			return &file{
				write: func(p []byte) (int, error) { content += string(p); return f.Write(p) },
				close: func() error {
					if err := f.Close(); !errors.Is(err, vfs.ErrTransient) {
						return err
					}
					return store(below, name, vfs.ModeReplace, content)
				},
			}
		},
	}},
	{name: "says that it published", clauses: []string{"lost-update/created", "hold/resumed-twice", "hold/exclusive"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{close: func() error {
				if err := f.Close(); !errors.Is(err, vfs.ErrTransient) {
					return err
				}
				return nil
			}}
		}),
	}},
	{name: "appends twice", clauses: []string{"concurrency/append"}, faults: faults{
		file: func(below afero.Fs, name string, flag int, f afero.File) *file {
			if flag != vfs.ModeAppend {
				return &file{}
			}
			var last []byte
			return &file{
				write: func(p []byte) (int, error) { last = p; return f.Write(p) },
				close: func() error { _, _ = f.Write(last); return f.Close() },
			}
		},
	}},
	{name: "calls a changed base something else", clauses: []string{"lost-update/replaced", "lost-update/created"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{close: func() error {
				if err := f.Close(); err != nil {
					return fs.ErrExist
				}
				return nil
			}}
		}),
	}},
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
	{name: "removes what is not empty", clauses: []string{"errors/remove", "concurrency/remove-create"}, faults: faults{
		remove: func(below afero.Fs, name string) error {
			if _, err := below.Stat(name); err != nil {
				return err
			}
			return below.RemoveAll(name)
		},
	}},
	{name: "does not miss what it removes", clauses: []string{"errors/remove"}, faults: faults{
		remove: ignoreMissing,
	}},
	{name: "pretends to remove the root", clauses: []string{"errors/root"}, faults: faults{
		remove: func(below afero.Fs, name string) error {
			if name == "/" {
				return nil
			}
			return below.Remove(name)
		},
	}},
	{name: "makes directories again", clauses: []string{"errors/mkdir", "concurrency/mkdir"}, faults: faults{
		mkdir: func(below afero.Fs, name string) error { return below.MkdirAll(name, vfs.NewDirMode) },
	}},
	{name: "ignores the case of names", clauses: []string{"errors/stat", "names/distinct"}, faults: faults{name: strings.ToLower}},
	{name: "gives host paths away", clauses: []string{"errors/stat", "modes/read", "rename/refused"},
		faults: faults{errorText: "/srv/secret: "}, backend: func(b Backend) Backend {
			return Backend{New: func(t TB) Tree {
				tree := b.New(t)
				tree.Forbidden = []string{"/srv/secret"}
				return tree
			}}
		}},
	{name: "renames onto directories", clauses: []string{"rename/refused"}, faults: faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			if info, err := below.Stat(newname); err == nil && info.IsDir() && oldname != newname && !vfs.Within(newname, oldname) {
				_ = below.RemoveAll(newname)
			}
			return below.Rename(oldname, newname)
		},
	}},
	{name: "refuses to rename onto files", clauses: []string{"rename/replaces", "quota/renamed-over"}, faults: faults{
		rename: vfs.RenameExclusive,
	}},
	{name: "refuses to rename onto itself", clauses: []string{"rename/itself"}, faults: faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			if oldname == newname {
				return fs.ErrExist
			}
			return below.Rename(oldname, newname)
		},
	}},
	{name: "renames exclusively by replacing", clauses: []string{"rename/exclusive", "concurrency/rename-exclusive"}, faults: faults{
		exclusive: func(below afero.Fs, oldname, newname string) error { return below.Rename(oldname, newname) },
	}},
	{name: "renames by copying", clauses: []string{"rename/directories", "attributes/identity", "attributes/times"}, faults: faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			content, err := load(below, oldname)
			if err != nil {
				return err
			}
			if err := store(below, newname, vfs.ModeReplace, content); err != nil || oldname == newname {
				return err
			}
			return below.Remove(oldname)
		},
	}},
	{name: "renames and keeps the old name", clauses: []string{"rename/moves"}, faults: faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			content, _ := load(below, oldname)
			err := below.Rename(oldname, newname)
			if err == nil && oldname != newname {
				_ = store(below, oldname, vfs.ModeReplace, content)
			}
			return err
		},
	}},
	{name: "renames in two steps", clauses: []string{"concurrency/rename-write"}, faults: faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			content, err := load(below, oldname)
			if err != nil {
				return err
			}
			_ = store(below, newname, vfs.ModeReplace, content[:len(content)/2])
			return below.Rename(oldname, newname)
		},
	}},
	{name: "lists everything at once", clauses: []string{"readdir/batches"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				all, err := f.Readdir(-1)
				if err == nil && len(all) == 0 && n > 0 {
					err = io.EOF
				}
				return all, err
			}}
		},
	}},
	{name: "lists no end", clauses: []string{"readdir/batches"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				got, err := f.Readdir(n)
				if ended(err) {
					err = nil
				}
				return got, err
			}}
		},
	}},
	{name: "lists an end to all", clauses: []string{"readdir/all"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				got, err := f.Readdir(n)
				if err == nil && len(got) == 0 {
					err = io.EOF
				}
				return got, err
			}}
		},
	}},
	{name: "loses entries between batches", clauses: []string{"readdir/batches", "readdir/changing", "concurrency/listing"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				got, err := f.Readdir(n)
				if n > 1 && len(got) == n {
					got = got[1:]
				}
				return got, err
			}}
		},
	}},
	{name: "lists files as empty directories", clauses: []string{"readdir/file"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				got, err := f.Readdir(n)
				if errors.Is(err, vfs.ErrNotDir) {
					err = io.EOF
				}
				return got, err
			}}
		},
	}},
	{name: "lists without sizes", clauses: []string{"readdir/entries"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				got, err := f.Readdir(n)
				for i := range got {
					got[i] = sizeless{got[i]}
				}
				return got, err
			}}
		},
	}},
	{name: "lists names without end", clauses: []string{"readdir/names"}, faults: faults{
		file: func(_ afero.Fs, _ string, _ int, f afero.File) *file {
			return &file{readdirnames: func(n int) ([]string, error) {
				names, _ := f.Readdirnames(n)
				return names, nil
			}}
		},
	}},
	{name: "lists by position", clauses: []string{"readdir/changing"}, faults: faults{
		file: func(below afero.Fs, name string, flag int, f afero.File) *file {
			skip := 0
			return &file{readdir: func(n int) ([]os.FileInfo, error) {
				d, err := below.Open(name)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				all, err := d.Readdir(-1)
				all = all[min(skip, len(all)):]
				if n > 0 {
					all = all[:min(n, len(all))]
					if len(all) == 0 && err == nil {
						err = io.EOF
					}
				}
				skip += len(all)
				return all, err
			}}
		},
	}},
	{name: "forgets times", clauses: []string{"attributes/times"}, faults: faults{
		chtimes: func(below afero.Fs, name string, _ time.Time) error {
			_, err := below.Stat(name)
			return err
		},
	}},
	{name: "sets times without promising to", clauses: []string{"attributes/times"}, faults: faults{
		properties: func(p vfs.Properties) vfs.Properties { p.SetTimes = false; return p },
	}},
	{name: "forgets modes when it replaces", clauses: []string{"attributes/modes"}, faults: faults{
		file: uploading(func(below afero.Fs, name string, f afero.File) *file {
			return &file{close: func() error {
				err := f.Close()
				_ = below.Chmod(name, vfs.NewFileMode)
				return err
			}}
		}),
	}},
	{name: "keeps the old time", clauses: []string{"attributes/fresh-time"}, faults: faults{
		file: uploading(func(below afero.Fs, name string, f afero.File) *file {
			info, stat := below.Stat(name)
			return &file{close: func() error {
				err := f.Close()
				if err == nil && stat == nil {
					err = below.Chtimes(name, info.ModTime(), info.ModTime())
				}
				return err
			}}
		}),
	}},
	{name: "decodes names", clauses: []string{"names/awkward", "names/distinct"}, faults: faults{
		name: func(name string) string {
			if decoded, err := url.PathUnescape(name); err == nil && !strings.Contains(decoded, "\x00") {
				return decoded
			}
			return name
		},
	}},
	{name: "trims names", clauses: []string{"names/awkward", "names/distinct"}, faults: faults{
		name: func(name string) string { return strings.TrimRight(name, " ") },
	}},
	{name: "mends names", clauses: []string{"names/raw-bytes"}, faults: faults{
		name: func(name string) string { return strings.ToValidUTF8(name, "?") },
	}},
	{name: "takes any name without promising to", clauses: []string{"names/raw-bytes"}, faults: faults{
		properties: func(p vfs.Properties) vfs.Properties { p.RawNames = false; return p },
	}},
	{name: "cuts long names", clauses: []string{"names/longest"}, faults: faults{
		name: func(name string) string {
			if dir, last := vfs.Split(name); len(last) > 255 {
				return vfs.Join(dir, last[:255])
			}
			return name
		},
	}},
	{name: "is deaf to contexts", clauses: []string{"cancel/operations", "cancel/reading", "cancel/upload"}, faults: faults{deaf: true}},
	{name: "publishes after a failed write", clauses: []string{"quota/too-big"}, faults: faults{
		file: uploading(func(below afero.Fs, name string, f afero.File) *file {
			return &file{close: func() error {
				err := f.Close()
				if err == nil || errors.Is(err, fs.ErrClosed) {
					return err
				}
				return store(below, name, vfs.ModeReplace, "what there was")
			}}
		}),
	}},
	{name: "forgets a failed write", clauses: []string{"cancel/upload", "quota/too-big"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			return &file{write: func(p []byte) (int, error) { _, _ = f.Write(p); return len(p), nil }}
		}),
	}},
	{name: "has no limit", clauses: []string{"quota/too-big", "quota/parallel", "quota/names"}, backend: func(b Backend) Backend {
		return Backend{NewLimited: func(t TB, _ int64) Tree { return b.NewLimited(t, 0) }}
	}},
	{name: "does not refund what is aborted", clauses: []string{"quota/refunded"}, faults: faults{
		file: uploading(func(afero.Fs, string, afero.File) *file {
			return &file{abort: func() error { return nil }}
		}),
	}},
	{name: "copies without limit", clauses: []string{"quota/continued"}, faults: func() faults {
		return faults{file: func(below afero.Fs, name string, flag int, f afero.File) *file {
			if flag != vfs.ModeAppend {
				return &file{}
			}
			return &file{close: func() error {
				err := f.Close()
				if errors.Is(err, vfs.ErrQuota) {
					return store(below, name, vfs.ModeReplace, fmt.Sprint("beyond ", name))
				}
				return err
			}}
		}}
	}()},
}

type sizeless struct{ fs.FileInfo }

func (sizeless) Size() int64 { return 0 }
