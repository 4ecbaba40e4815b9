package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// uploadMutants open, write, publish and abort wrongly.
var uploadMutants = []mutant{
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
	{name: "believes what is announced", clauses: []string{"publish/size-hint"}, faults: faults{
		file: uploading(func(_ afero.Fs, _ string, f afero.File) *file {
			left := int64(math.MaxInt64)
			return &file{
				hint: func(n int64) { left = n },
				write: func(p []byte) (int, error) {
					n := min(int64(len(p)), left)
					left -= n
					_, err := f.Write(p[:n])
					return len(p), err
				},
			}
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
