package vfstest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Sample is a small tree for RunReadOnly: file names and their content.
func Sample() map[string]string {
	return map[string]string{
		"/README":                 "read me\n",
		"/empty":                  "",
		"/pub/large":              pattern("large", 600_001),
		"/pub/a b+c%20 grüße.txt": "awkward",
		"/pub/deep/er/-rf":        "deep",
		"/pub/.hidden":            "hidden",
	}
}

// Populate publishes files in fsys and makes the directories they lie in.
func Populate(t TB, fsys afero.Fs, files map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		dir, _ := vfs.Split(name)
		for i := 1; i <= len(dir); i++ {
			if dir != "/" && (i == len(dir) || dir[i] == '/') {
				if err := fsys.Mkdir(dir[:i], vfs.NewDirMode); err != nil && !errors.Is(err, fs.ErrExist) {
					t.Fatalf("mkdir %q: %v", dir[:i], err)
				}
			}
		}
		if err := store(fsys, name, vfs.ModeReplace, files[name]); err != nil {
			t.Fatalf("store %q: %v", name, err)
		}
	}
}

// RunReadOnly checks a filesystem that cannot be changed and holds exactly
// files; forbidden are strings that the text of no error may hold.
func RunReadOnly(t *testing.T, fsys afero.Fs, files map[string]string, forbidden ...string) {
	for name, check := range readOnlyChecks {
		t.Run(name, func(t *testing.T) {
			check(newTree(t, Tree{Open: func(string) afero.Fs { return fsys }, Forbidden: forbidden}), files)
		})
	}
}

var readOnlyChecks = map[string]func(t *tree, files map[string]string){
	"shows":     showsFiles,
	"refuses":   refusesChanges,
	"no-powers": hasNoPowers,
	"cancel":    readOnlyCancelled,
	"io/fs":     passesTestFS,
}

func showsFiles(t *tree, files map[string]string) {
	seen := t.snapshot()
	maps.DeleteFunc(seen, func(name, _ string) bool { return strings.HasSuffix(name, "/") })
	if !maps.Equal(seen, files) {
		t.Errorf("shows %d files, want %d", len(seen), len(files))
	}
	for name, content := range files {
		t.holds(name, content)
		t.digest(name, content)
	}
	t.missing("/none")
}

func refusesChanges(t *tree, files map[string]string) {
	if !t.props.ReadOnly {
		t.Errorf("Properties.ReadOnly does not hold")
	}
	before := t.snapshot()
	c, now := t.fs, time.Now()
	t.fails(c.Mkdir("/new", vfs.NewDirMode), "Mkdir", fs.ErrPermission)
	t.fails(c.MkdirAll("/new/er", vfs.NewDirMode), "MkdirAll", fs.ErrPermission)
	_, err := c.Create("/new")
	t.fails(err, "Create", fs.ErrPermission)
	for _, flag := range writeModes {
		_, err := c.OpenFile("/new", flag, vfs.NewFileMode)
		t.fails(err, modeName(flag)+" of a new file", fs.ErrPermission)
	}
	for name := range files {
		for _, flag := range writeModes {
			_, err := c.OpenFile(name, flag, vfs.NewFileMode)
			t.fails(err, modeName(flag), fs.ErrPermission)
		}
		t.fails(c.Remove(name), "Remove", fs.ErrPermission)
		t.fails(c.RemoveAll(name), "RemoveAll", fs.ErrPermission)
		t.fails(c.Rename(name, "/new"), "Rename", fs.ErrPermission)
		t.fails(vfs.RenameExclusive(c, name, "/new"), "RenameExclusive", fs.ErrPermission)
		t.fails(c.Chmod(name, 0o777), "Chmod", fs.ErrPermission)
		t.fails(c.Chown(name, 0, 0), "Chown", fs.ErrPermission)
		t.fails(c.Chtimes(name, now, now), "Chtimes", fs.ErrPermission)
		f := t.open(name, vfs.ModeRead)
		if _, err := f.Write([]byte("x")); err == nil {
			t.Errorf("a file opened for reading can be written")
		}
		if err := f.Truncate(0); err == nil {
			t.Errorf("a file opened for reading can be truncated")
		}
	}
	t.unchanged(before, "refused changes")
	for _, flag := range []int{os.O_RDWR, os.O_RDONLY | os.O_CREATE, os.O_RDONLY | os.O_TRUNC} {
		_, err := c.OpenFile("/new", flag, vfs.NewFileMode)
		t.fails(err, modeName(flag), fs.ErrInvalid, fs.ErrPermission)
	}
}

// hasNoPowers: nothing that writes comes through the boundary.
func hasNoPowers(t *tree, files map[string]string) {
	if _, ok := t.fs.(vfs.ExclusiveRenamer); ok {
		t.Errorf("a read-only filesystem renames exclusively")
	}
	for name := range files {
		t.notHeld(name)
	}
	p := t.props
	if p.Append || p.Restart || p.Resume || p.SetTimes || p.SetMode {
		t.Errorf("a read-only filesystem promises %+v", p)
	}
}

// readOnlyCancelled: the boundary passes contexts on.
func readOnlyCancelled(t *tree, files map[string]string) {
	bound, cancel, works := t.cancellable()
	cancel()
	if !works {
		t.Errorf("a read-only filesystem takes no context")
		return
	}
	for name := range files {
		if _, err := bound.fs.Stat(name); err != nil { // nil: what is below cannot be cancelled
			t.fails(err, "Stat after the end of its context", context.Canceled)
		}
		t.holds(name, files[name])
	}
}

// passesTestFS runs the standard library's test of an fs.FS.
func passesTestFS(t *tree, files map[string]string) {
	var names []string
	for name := range files {
		names = append(names, strings.TrimPrefix(name, "/"))
	}
	if err := fstest.TestFS(ioFS{t.fs}, names...); err != nil {
		t.Errorf("%v", err)
	}
}

// ioFS shows an afero.Fs whose names are absolute as an fs.FS.
type ioFS struct{ fsys afero.Fs }

func (i ioFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := i.fsys.Open(absolute(name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if info.IsDir() {
		return ioDir{f}, nil
	}
	return f, nil
}

func (i ioFS) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	return i.fsys.Stat(absolute(name))
}

// absolute turns a name of io/fs into one of ours.
func absolute(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

type ioDir struct{ afero.File }

func (d ioDir) ReadDir(n int) ([]fs.DirEntry, error) {
	infos, err := d.Readdir(n)
	entries := make([]fs.DirEntry, len(infos))
	for i, info := range infos {
		entries[i] = fs.FileInfoToDirEntry(info)
	}
	return entries, err
}
