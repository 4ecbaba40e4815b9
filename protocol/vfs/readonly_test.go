package vfs_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// everything is a filesystem with every power there is, which notes what is called.
type everything struct {
	afero.Fs
	calls *[]string
	ctx   context.Context
	dirs  bool
}

func (e everything) note(call string) { *e.calls = append(*e.calls, call) }

func (e everything) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	e.note("OpenFile")
	return e.Fs.OpenFile(name, flag, perm)
}
func (e everything) Open(name string) (afero.File, error) { e.note("Open"); return e.Fs.Open(name) }
func (e everything) Stat(name string) (os.FileInfo, error) {
	if e.dirs {
		e.note("Stat of a directory")
	}
	e.note("Stat")
	return e.Fs.Stat(name)
}
func (e everything) Create(string) (afero.File, error)  { e.note("Create"); return nil, nil }
func (e everything) Mkdir(string, fs.FileMode) error    { e.note("Mkdir"); return nil }
func (e everything) MkdirAll(string, fs.FileMode) error { e.note("MkdirAll"); return nil }
func (e everything) Remove(string) error                { e.note("Remove"); return nil }
func (e everything) RemoveAll(string) error             { e.note("RemoveAll"); return nil }
func (e everything) Rename(_, _ string) error           { e.note("Rename"); return nil }
func (e everything) Chmod(string, fs.FileMode) error    { e.note("Chmod"); return nil }
func (e everything) Chown(string, int, int) error       { e.note("Chown"); return nil }
func (e everything) Chtimes(string, time.Time, time.Time) error {
	e.note("Chtimes")
	return nil
}
func (e everything) RenameExclusive(_, _ string) error { e.note("RenameExclusive"); return nil }
func (e everything) Held(string) (int64, error)        { e.note("Held"); return 7, nil }
func (e everything) Digest(string, vfs.Hashes) ([]byte, int64, error) {
	if e.dirs {
		e.note("Digest of a directory")
	}
	return []byte("digest"), 7, e.ctx.Err()
}
func (e everything) SymlinkIfPossible(_, _ string) error {
	e.note("Symlink")
	return nil
}
func (e everything) WithContext(ctx context.Context) afero.Fs { e.ctx = ctx; return e }
func (e everything) Directories() afero.Fs                    { e.dirs = true; return e }
func (e everything) Properties(string) vfs.Properties {
	var p vfs.Properties
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Bool {
			v.Field(i).SetBool(true)
		}
	}
	p.MaxName, p.Hashes, p.UsualHash = 99, vfs.MD5|vfs.SHA1, vfs.MD5
	return p
}

func openEverything(t *testing.T) (everything, string) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	return everything{Fs: afero.NewOsFs(), calls: new([]string)}, path
}

func TestReadOnlyRefuses(t *testing.T) {
	below, path := openEverything(t)
	ro := vfs.ReadOnly(below)
	now := time.Now()
	_, create := ro.Create(path)
	refused := map[string]error{
		"Create":          create,
		"Mkdir":           ro.Mkdir(path, 0o755),
		"MkdirAll":        ro.MkdirAll(path, 0o755),
		"Remove":          ro.Remove(path),
		"RemoveAll":       ro.RemoveAll(path),
		"Rename":          ro.Rename(path, path+"2"),
		"RenameExclusive": vfs.RenameExclusive(ro, path, path+"2"),
		"Chmod":           ro.Chmod(path, 0),
		"Chown":           ro.Chown(path, 0, 0),
		"Chtimes":         ro.Chtimes(path, now, now),
	}
	for name, mode := range map[string]int{
		"ModeReplace": vfs.ModeReplace, "ModeCreate": vfs.ModeCreate,
		"ModeAppend": vfs.ModeAppend, "ModeRestart": vfs.ModeRestart,
	} {
		_, refused[name] = ro.OpenFile(path, mode, vfs.NewFileMode)
	}
	for call, err := range refused {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want fs.ErrPermission", call, err)
		}
	}
	for _, flag := range []int{os.O_RDWR, os.O_CREATE, os.O_TRUNC, os.O_APPEND, os.O_RDWR | os.O_CREATE | os.O_TRUNC} {
		if _, err := ro.OpenFile(path, flag, 0); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("flags %#x: %v, want fs.ErrInvalid", flag, err)
		}
	}
	for _, call := range *below.calls {
		if call != "Stat" { // RenameExclusive's look
			t.Errorf("%s came through", call)
		}
	}
}

func TestReadOnlyHidesPowers(t *testing.T) {
	below, path := openEverything(t)
	ro := vfs.ReadOnly(below)
	if _, ok := ro.(vfs.Resumer); ok {
		t.Error("it holds partial uploads")
	}
	if _, ok := ro.(vfs.ExclusiveRenamer); ok {
		t.Error("it renames")
	}
	if _, ok := ro.(afero.Linker); ok {
		t.Error("it makes links")
	}
	if _, err := vfs.Held(ro, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Held: %v", err)
	}
	want := vfs.Properties{
		ReadOnly: true, ImpliedDirs: true, RawNames: true, MaxName: 99, ExactErrors: true,
		Hashes: vfs.MD5 | vfs.SHA1, UsualHash: vfs.MD5, ComputeHashes: true,
	}
	if got := vfs.PropertiesOf(ro, "/"); got != want {
		t.Errorf("promises %+v, want %+v", got, want)
	}
}

func TestReadOnlyReads(t *testing.T) {
	below, path := openEverything(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ro := vfs.WithContext(ctx, vfs.ReadOnly(below))
	if bound := vfs.WithContext(ctx, afero.Fs(below)).(everything); bound.ctx != ctx {
		t.Error("the context does not reach the filesystem below")
	}
	if _, err := ro.OpenFile(path, vfs.ModeReplace, vfs.NewFileMode); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("writable with a context: %v", err)
	}
	for _, open := range []func() (afero.File, error){
		func() (afero.File, error) { return ro.Open(path) },
		func() (afero.File, error) { return ro.OpenFile(path, vfs.ModeRead, 0) },
	} {
		f, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if vfs.OSFile(f) == nil {
			t.Errorf("a raw file came through as %T", f)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if info, err := ro.Stat(path); err != nil || info.Size() != 7 {
		t.Errorf("Stat: %v", err)
	}
}

func TestReadOnlyDirectories(t *testing.T) {
	below, path := openEverything(t)
	dirs := vfs.Directories(vfs.WithContext(t.Context(), vfs.ReadOnly(below)))
	if _, err := dirs.Stat(path); err != nil || !slices.Contains(*below.calls, "Stat of a directory") {
		t.Errorf("Stat: %v; it took %q", err, *below.calls)
	}
	if err := dirs.Remove(path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Remove: %v", err)
	}
}

// TestReadOnlyDigests: digests come through, with the context and the view of directories.
func TestReadOnlyDigests(t *testing.T) {
	below, path := openEverything(t)
	ctx, cancel := context.WithCancel(t.Context())
	ro := vfs.WithContext(ctx, vfs.Directories(vfs.ReadOnly(below)))
	if sum, size, err := vfs.Digest(ro, path, vfs.MD5); string(sum) != "digest" || size != 7 || err != nil {
		t.Errorf("Digest: %q, %d, %v", sum, size, err)
	}
	if !slices.Contains(*below.calls, "Digest of a directory") {
		t.Error("the view of directories is lost")
	}
	cancel()
	if _, _, err := vfs.Digest(ro, path, vfs.MD5); !errors.Is(err, context.Canceled) {
		t.Errorf("Digest after the end of its context: %v", err)
	}
}
