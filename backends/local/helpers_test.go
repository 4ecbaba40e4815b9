package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// backend makes a Backend, over a new directory unless o names one.
func backend(t *testing.T, o local.Options) (*local.Backend, string) {
	t.Helper()
	if o.Root == "" {
		o.Root = t.TempDir()
	}
	b, err := local.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, o.Root
}

// open is a Backend's filesystem as alice sees it, who may resume.
func open(t *testing.T, o local.Options) (afero.Fs, string) {
	t.Helper()
	b, root := backend(t, o)
	return b.Open("alice", window), root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants checks the kind of an error and that its text is discreet.
func wants(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want one that is %v", what, err, kind)
	}
	if err != nil && strings.Contains(err.Error(), os.TempDir()) {
		t.Errorf("%s: %q gives a host path away", what, err)
	}
}

// store uploads content in the given mode.
func store(fsys afero.Fs, name string, flag int, content string) error {
	f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(f, content) // Close tells
	return f.Close()
}

// started is an upload of which content has been written.
func started(t *testing.T, fsys afero.Fs, name string, flag int, content string) afero.File {
	t.Helper()
	f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
	must(t, err)
	_, err = io.WriteString(f, content)
	must(t, err)
	return f
}

func keep(t *testing.T, f afero.File) {
	t.Helper()
	must(t, f.(vfs.Keeper).Keep())
}

// read returns what a client gets.
func read(fsys afero.Fs, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func holds(t *testing.T, fsys afero.Fs, name, content string) {
	t.Helper()
	got, err := read(fsys, name)
	if err != nil || got != content {
		t.Errorf("%s holds %q, %v; want %q", name, got, err, content)
	}
}

// list returns what a client sees, sorted.
func list(t *testing.T, fsys afero.Fs, name string) []string {
	t.Helper()
	d, err := fsys.Open(name)
	must(t, err)
	defer d.Close()
	var names []string
	for {
		batch, err := d.Readdir(7)
		for _, e := range batch {
			names = append(names, e.Name())
		}
		if err == io.EOF {
			slices.Sort(names)
			return names
		}
		must(t, err)
	}
}

// put writes a file behind the gateway's back.
func put(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func link(t *testing.T, target, path string) {
	t.Helper()
	must(t, os.Symlink(target, path))
}

// staged returns the staged files and partials below root, without locks.
func staged(t *testing.T, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, ".ftpgate"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".lock") {
			names = append(names, e.Name())
		}
	}
	return names
}

func heldSize(t *testing.T, fsys afero.Fs, name string, size int64) {
	t.Helper()
	if got, err := vfs.Held(fsys, name); err != nil || got != size {
		t.Errorf("held under %s: %d, %v; want %d", name, got, err, size)
	}
}

func notHeld(t *testing.T, fsys afero.Fs, name string) {
	t.Helper()
	if n, err := vfs.Held(fsys, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("held under %s: %d, %v; want nothing", name, n, err)
	}
}

// age makes everything staged below root look written d ago.
func age(t *testing.T, root string, d time.Duration) {
	t.Helper()
	then := time.Now().Add(-d)
	for _, name := range staged(t, root) {
		must(t, os.Chtimes(filepath.Join(root, ".ftpgate", name), then, then))
	}
}

func isKind(err, kind error) bool { return errors.Is(err, kind) }
