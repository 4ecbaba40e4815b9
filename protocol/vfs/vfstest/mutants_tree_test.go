package vfstest

import (
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// treeMutants treat names, directories and attributes wrongly.
var treeMutants = []mutant{
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
	{name: "renames half of a file", clauses: []string{"concurrency/rename-write"}, faults: faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			content, err := load(below, oldname)
			if err == nil {
				err = store(below, newname, vfs.ModeReplace, content[:len(content)/2])
			}
			return err
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
}

type sizeless struct{ fs.FileInfo }

func (sizeless) Size() int64 { return 0 }
