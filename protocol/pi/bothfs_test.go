package pi_test

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// both is a filesystem as an object store has it: directories are implied, and what is in
// objects stands beside directories of the same name in the tree.
type both struct {
	afero.Fs // the tree
	objects  afero.Fs
	dirs     bool // names mean directories
	calls    *calls
}

type calls struct {
	mu  sync.Mutex
	all []string
}

func (c *calls) note(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call)
}

// take returns the calls since the last time.
func (c *calls) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

// withBoth puts the object /both beside the directory /both that the tree should have.
func withBoth(t testing.TB, tree afero.Fs) both {
	objects := memory.New(memory.Options{}).Open("", 0)
	f, err := objects.OpenFile("/both", vfs.ModeReplace, vfs.NewFileMode)
	if err == nil {
		_, _ = f.Write([]byte("object")) // Close says why if it fails
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return both{tree, objects, false, new(calls)}
}

func (b both) WithContext(ctx context.Context) afero.Fs {
	b.Fs, b.objects = vfs.WithContext(ctx, b.Fs), vfs.WithContext(ctx, b.objects)
	return b
}

func (b both) Directories() afero.Fs {
	b.dirs = true
	return b
}

func (b both) Properties(name string) vfs.Properties {
	p := vfs.PropertiesOf(b.Fs, name)
	p.ImpliedDirs = true
	return p
}

// of is where name is meant to be.
func (b both) of(name string) (afero.Fs, error) {
	if b.dirs {
		if fi, err := b.Fs.Stat(name); err == nil && !fi.IsDir() {
			return nil, fs.ErrNotExist
		}
		return b.Fs, nil
	}
	if _, err := b.objects.Stat(name); err == nil && name != "/" {
		return b.objects, nil
	}
	return b.Fs, nil
}

func (b both) note(op, name string) {
	if b.dirs {
		op += " among directories"
	}
	b.calls.note(op + " " + name)
}

func (b both) Stat(name string) (os.FileInfo, error) {
	b.note("stat", name)
	in, err := b.of(name)
	if err != nil {
		return nil, err
	}
	return in.Stat(name)
}

func (b both) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	b.note("open", name)
	in, err := b.of(name)
	if err != nil {
		return nil, err
	}
	f, err := in.OpenFile(name, flag, perm)
	if err != nil || flag != vfs.ModeRead {
		return f, err
	}
	return &bothFile{f, b, name}, nil
}

func (b both) Remove(name string) error {
	b.note("remove", name)
	in, err := b.of(name)
	if err != nil {
		return err
	}
	return in.Remove(name)
}

// bothFile notes how it is read.
type bothFile struct {
	afero.File
	b    both
	name string
}

// Readdir of the root shows the objects as well, first.
func (f *bothFile) Readdir(n int) ([]os.FileInfo, error) {
	f.b.calls.note("readdir " + f.name)
	entries, err := f.File.Readdir(n)
	if f.name == "/" && err == nil {
		if fi, err := f.b.objects.Stat("/both"); err == nil {
			entries = append([]os.FileInfo{fi}, entries...)
		}
	}
	return entries, err
}

// TestListingLooksOnce: where listing a directory is how the storage finds out what a name
// is, nothing is asked before the directory itself.
func TestListingLooksOnce(t *testing.T) {
	fsys := withBoth(t, memory.New(memory.Options{}).Open("", 0))
	for _, dir := range []string{"/both", "/both/sub"} {
		if err := fsys.Mkdir(dir, vfs.NewDirMode); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"rw", "anonymous"} { // who has a read-only view
		srv := ftptest.Start(t, ftptest.Options{FS: fsys})
		c := srv.Login(user)
		for _, cmd := range []string{"LIST /both", "NLST /both", "MLSD /both", "LIST -la /both"} {
			d := c.Passive()
			fsys.calls.take()
			c.Cmd(150, "%s", cmd)
			d.Receive()
			c.Want(226)
			want := []string{"open among directories /both", "readdir /both", "readdir /both"}
			if got := fsys.calls.take(); !slices.Equal(got, want) {
				t.Errorf("%s took %q", cmd, got)
			}
		}
		c.Cmd(250, "CWD /both")
		if got := fsys.calls.take(); !slices.Equal(got, []string{"stat among directories /both"}) {
			t.Errorf("CWD took %q", got)
		}
	}
}

// TestOpenedListingIsClosed: also where the account may not list it.
func TestOpenedListingIsClosed(t *testing.T) {
	tree := memory.New(memory.Options{}).Open("", 0)
	if err := tree.Mkdir("/both", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	open := 0
	fsys := withBoth(t, countOpen{tree, &open})
	srv := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(_ string, a *pi.Account) { a.Access.All &^= pi.List }})
	c := srv.Login("rw")
	c.Passive()
	c.Cmd(550, "LIST /both")
	if open != 0 {
		t.Errorf("%d directories are open", open)
	}
}

// countOpen counts the files that are open.
type countOpen struct {
	afero.Fs
	n *int
}

func (c countOpen) WithContext(ctx context.Context) afero.Fs {
	return countOpen{vfs.WithContext(ctx, c.Fs), c.n}
}

func (c countOpen) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	f, err := c.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	*c.n++
	return countedFile{f, c.n}, nil
}

type countedFile struct {
	afero.File
	n *int
}

func (f countedFile) Close() error {
	*f.n--
	return f.File.Close()
}
