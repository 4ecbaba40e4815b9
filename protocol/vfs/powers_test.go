package vfs_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// The written fallbacks of powers that a filesystem or file does not have.

type bareFile struct {
	afero.File
	closed bool
	err    error // of Close
}

func (f *bareFile) Close() error { f.closed = true; return f.err }

func TestAbortNeverCloses(t *testing.T) {
	f := &bareFile{}
	if err := vfs.Abort(f); !errors.Is(err, vfs.ErrNoAbort) || f.closed {
		t.Errorf("Abort: %v, closed %v", err, f.closed)
	}
}

func TestFallbacks(t *testing.T) {
	fsys := afero.NewMemMapFs()
	if vfs.WithContext(t.Context(), fsys) != fsys {
		t.Error("WithContext is not the filesystem itself")
	}
	if vfs.Directories(fsys) != fsys {
		t.Error("Directories is not the filesystem itself")
	}
	if _, err := vfs.Held(fsys, "/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Held: %v", err)
	}
	if p := vfs.PropertiesOf(fsys, "/"); p != (vfs.Properties{}) {
		t.Errorf("promises %+v", p)
	}
	if vfs.OSFile(&bareFile{}) != nil {
		t.Error("an OS file out of nothing")
	}
}

// TestCloseFreeFallback: without the power it is Close, and no other name is tried.
func TestCloseFreeFallback(t *testing.T) {
	f := &bareFile{err: fs.ErrExist}
	name, err := vfs.CloseFree(f, func(func(string) bool) { t.Error("a name was drawn") })
	if name != "" || !errors.Is(err, fs.ErrExist) || !f.closed {
		t.Errorf("CloseFree: %q, %v, closed %v", name, err, f.closed)
	}
}

func TestRenameExclusiveFallback(t *testing.T) {
	fsys := afero.NewMemMapFs()
	for _, name := range []string{"/a", "/b"} {
		if err := afero.WriteFile(fsys, name, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := vfs.RenameExclusive(fsys, "/a", "/b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto a file: %v", err)
	}
	if err := vfs.RenameExclusive(fsys, "/a", "/c"); err != nil {
		t.Errorf("to a free name: %v", err)
	}
	if got, err := afero.ReadFile(fsys, "/c"); string(got) != "/a" {
		t.Errorf("renamed file: %q, %v", got, err)
	}
	if _, err := fsys.Stat("/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}

// rawUpload is a wrapper that forwards its OS file.
type rawUpload struct{ f *os.File }

func (r rawUpload) OSFile() *os.File { return r.f }

func TestOSFile(t *testing.T) {
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if vfs.OSFile(f) != f || vfs.OSFile(rawUpload{f}) != f {
		t.Error("the OS file is lost")
	}
}
