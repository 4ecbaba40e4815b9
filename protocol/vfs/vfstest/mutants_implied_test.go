package vfstest

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// onFlat makes a mutant of a filesystem whose directories are implied.
func onFlat(name string, f faults, clauses ...string) mutant {
	return mutant{name: name + " (flat)", clauses: clauses, faults: f, backend: func(Backend) Backend { return flatBackend(f.wrap) }}
}

// impliedMutants treat implied directories wrongly.
var impliedMutants = []mutant{
	onFlat("has no view of directories", faults{viewless: true}, "implied-dirs/both", "implied-dirs/refused"),
	onFlat("wants parents", faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if dir, _ := vfs.Split(name); flag != vfs.ModeRead {
				if _, err := below.Stat(dir); err != nil {
					return nil, err
				}
			}
			return below.OpenFile(name, flag, perm)
		},
	}, "implied-dirs/parents", "modes/below", "publish/open-is-free"),
	onFlat("makes parents when it opens", faults{
		open: func(below afero.Fs, name string, flag int, perm fs.FileMode) (afero.File, error) {
			if dir, _ := vfs.Split(name); flag != vfs.ModeRead && dir != "/" {
				_ = below.Mkdir(dir, perm)
			}
			return below.OpenFile(name, flag, perm)
		},
	}, "implied-dirs/parents", "publish/open-is-free"),
	onFlat("takes a common beginning for a directory", faults{
		stat: func(below afero.Fs, name string) (os.FileInfo, error) {
			info, err := below.Stat(name)
			if errors.Is(err, fs.ErrNotExist) {
				dir, last := vfs.Split(name)
				for _, e := range listed(below, dir) {
					if strings.HasPrefix(e.Name(), last) {
						return flatInfo{path: name, dir: true}, nil
					}
				}
			}
			return info, err
		},
	}, "implied-dirs/prefix-of-a-name"),
	onFlat("lets empty directories vanish", faults{
		remove: func(below afero.Fs, name string) error {
			err := below.Remove(name)
			if dir, _ := vfs.Split(name); dir != "/" && err == nil {
				if len(listed(below, dir)) == 0 {
					_ = vfs.Directories(below).Remove(dir)
				}
			}
			return err
		},
	}, "implied-dirs/last-file", "errors/remove", "names/awkward"),
	onFlat("lists a name once", faults{
		file: func(_ afero.Fs, _ string, flag int, f afero.File) *file {
			seen := make(map[string]bool)
			return &file{readdir: func(n int) (out []os.FileInfo, err error) {
				batch, err := f.Readdir(n)
				for _, e := range batch {
					if !seen[e.Name()] {
						out = append(out, e)
					}
					seen[e.Name()] = true
				}
				return out, err
			}}
		},
	}, "implied-dirs/both-listed"),
	onFlat("removes directory and object together", faults{
		remove: func(below afero.Fs, name string) error {
			err := below.Remove(name)
			if err == nil && name != "/" {
				_ = below.Remove(name)
			}
			return err
		},
	}, "implied-dirs/mkdir-beside"),
	onFlat("renames object and directory together", faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			err := below.Rename(oldname, newname)
			if err == nil && oldname != newname {
				for _, e := range listed(vfs.Directories(below), oldname) {
					_ = below.Rename(vfs.Join(oldname, e.Name()), vfs.Join(newname, e.Name()))
				}
			}
			return err
		},
	}, "implied-dirs/both-renamed"),
	onFlat("refuses a directory beside an object", faults{
		mkdir: func(below afero.Fs, name string) error {
			if _, err := below.Stat(name); err == nil {
				return fs.ErrExist
			}
			return below.Mkdir(name, vfs.NewDirMode)
		},
	}, "implied-dirs/mkdir-beside"),
	onFlat("renames onto directories", faults{
		rename: func(below afero.Fs, oldname, newname string) error {
			info, err := below.Stat(oldname)
			if err != nil || info.IsDir() || oldname == newname {
				return below.Rename(oldname, newname)
			}
			content, err := load(below, oldname)
			if err == nil {
				err = store(below, newname, vfs.ModeReplace, content)
			}
			if err == nil {
				err = below.Remove(oldname)
			}
			return err
		},
	}, "rename/refused"),
}

// listed returns what dir shows.
func listed(fsys afero.Fs, dir string) []os.FileInfo {
	d, err := fsys.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	all, err := d.Readdir(-1)
	if err != nil {
		return nil
	}
	return all
}
