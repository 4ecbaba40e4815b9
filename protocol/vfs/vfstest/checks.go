package vfstest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// ok ends the clause unless err is nil.
func (t *tree) ok(err error, format string, args ...any) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}

// fails checks that err is one of targets and says nothing it must not.
// A storage without exact errors may say fs.ErrPermission instead.
func (t *tree) fails(err error, what string, targets ...error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeded, want %v", what, targets)
		return
	}
	t.discreet(err)
	if !t.props.ExactErrors {
		targets = append(slices.Clip(targets), fs.ErrPermission)
	}
	if !slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) }) {
		t.Errorf("%s: %v, want one that is %v", what, err, targets)
	}
}

// failsSomehow is fails for where the contract names no error.
func (t *tree) failsSomehow(err error, what string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeded, want an error", what)
		return
	}
	t.discreet(err)
}

func (t *tree) discreet(err error) {
	t.Helper()
	for _, secret := range t.setup.Forbidden {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error %q gives away %q", err, secret)
		}
	}
}

// open opens name and makes sure that it can be discarded, and is in the end.
func (t *tree) open(name string, flag int) afero.File {
	t.Helper()
	f, err := t.fs.OpenFile(name, flag, vfs.NewFileMode)
	t.ok(err, "open %q in %s", name, modeName(flag))
	t.mustAbort(f, flag)
	return f
}

func (t *tree) mustAbort(f afero.File, flag int) {
	t.Helper()
	if flag == vfs.ModeRead {
		t.Cleanup(func() { _ = f.Close() })
		return
	}
	if _, ok := f.(vfs.Aborter); !ok {
		t.Fatalf("a file opened in %s has no Abort", modeName(flag))
	}
	t.Cleanup(func() { _ = vfs.Abort(f) }) // an error if it has ended, as it should
}

func modeName(flag int) string {
	switch flag {
	case vfs.ModeRead:
		return "ModeRead"
	case vfs.ModeReplace:
		return "ModeReplace"
	case vfs.ModeCreate:
		return "ModeCreate"
	case vfs.ModeAppend:
		return "ModeAppend"
	case vfs.ModeRestart:
		return "ModeRestart"
	}
	return fmt.Sprintf("flags %#x", flag)
}

// write writes all of s or ends the clause.
func (t *tree) write(f afero.File, s string) {
	t.Helper()
	n, err := f.Write([]byte(s))
	t.ok(err, "write %d bytes", len(s))
	if n != len(s) {
		t.Fatalf("wrote %d of %d bytes without an error", n, len(s))
	}
}

func (t *tree) seek(f afero.File, n int64) {
	t.Helper()
	at, err := f.Seek(n, io.SeekStart)
	t.ok(err, "seek to %d", n)
	if at != n {
		t.Errorf("seek to %d returned %d", n, at)
	}
}

func (t *tree) publish(f afero.File) {
	t.Helper()
	t.ok(f.Close(), "close")
}

func (t *tree) abort(f afero.File) {
	t.Helper()
	t.ok(vfs.Abort(f), "abort")
}

func (t *tree) keep(f afero.File) {
	t.Helper()
	k, ok := f.(vfs.Keeper)
	if !ok {
		t.Fatalf("Properties.Resume holds and the file has no Keep")
	}
	t.ok(k.Keep(), "keep")
}

// put publishes content under name.
func (t *tree) put(name, content string) {
	t.Helper()
	f := t.open(name, vfs.ModeReplace)
	t.write(f, content)
	t.publish(f)
}

// store is put for other goroutines than the clause's: it returns the error.
func store(fsys afero.Fs, name string, flag int, content string) error {
	f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
	if err != nil {
		return err
	}
	// An error of Write comes back from Close.
	_, _ = f.Write([]byte(content))
	return f.Close()
}

func (t *tree) mkdir(name string) {
	t.Helper()
	t.ok(t.fs.Mkdir(name, vfs.NewDirMode), "mkdir %q", name)
}

// load reads a file as RETR does.
func load(fsys afero.Fs, name string) (string, error) {
	f, err := fsys.OpenFile(name, vfs.ModeRead, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

// holds checks what is published under name.
func (t *tree) holds(name, content string) {
	t.Helper()
	got, err := load(t.fs, name)
	if err != nil {
		t.Errorf("read %q: %v", name, err)
		return
	}
	if got != content {
		t.Errorf("%q holds %s, want %s", name, brief(got), brief(content))
	}
	info, err := t.fs.Stat(name)
	switch {
	case err != nil:
		t.Errorf("stat %q: %v", name, err)
	case info.Size() != int64(len(content)) || !info.Mode().IsRegular():
		t.Errorf("stat %q: %v, %d bytes, want a file of %d", name, info.Mode(), info.Size(), len(content))
	}
}

// missing checks that nothing can be seen under name.
func (t *tree) missing(name string) {
	t.Helper()
	_, err := t.fs.Stat(name)
	t.fails(err, fmt.Sprintf("stat of %q", name), fs.ErrNotExist)
	_, err = load(t.fs, name)
	t.fails(err, fmt.Sprintf("opening %q", name), fs.ErrNotExist)
	dir, last := vfs.Split(name)
	if _, err := vfs.Directories(t.fs).Stat(dir); t.props.ImpliedDirs && errors.Is(err, fs.ErrNotExist) {
		return // went with the last file, or was never there
	}
	if slices.Contains(t.names(dir), last) {
		t.Errorf("%q is listed", name)
	}
}

func (t *tree) isDir(name string) {
	t.Helper()
	info, err := vfs.Directories(t.fs).Stat(name)
	if err != nil || !info.IsDir() {
		t.Errorf("%q is no directory (%v)", name, err)
	}
}

// entries lists dir in batches, as LIST does.
func (t *tree) entries(dir string) []fs.FileInfo {
	t.Helper()
	d, err := vfs.Directories(t.fs).OpenFile(dir, vfs.ModeRead, 0)
	t.ok(err, "open the directory %q", dir)
	defer d.Close()
	var all []fs.FileInfo
	for {
		batch, err := d.Readdir(100)
		all = append(all, batch...)
		if ended(err) {
			return all
		}
		t.ok(err, "readdir of %q", dir)
		if len(batch) == 0 {
			t.Fatalf("readdir(100) of %q returned neither entries nor an error", dir)
		}
	}
}

// ended reports the end of a listing or file. It is io.EOF itself: those who
// read compare.
func ended(err error) bool { return err == io.EOF } //nolint:errorlint // a wrapped one is a fault

// names lists dir, sorted.
func (t *tree) names(dir string) []string {
	t.Helper()
	var names []string
	for _, e := range t.entries(dir) {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}

// lists checks all of what dir shows.
func (t *tree) lists(dir string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := t.names(dir); !slices.Equal(got, want) {
		t.Errorf("%q lists %q, want %q", dir, got, want)
	}
}

// snapshot returns everything that can be seen: files with their content, and
// directories, whose names end in a slash.
func (t *tree) snapshot() map[string]string {
	t.Helper()
	seen := make(map[string]string)
	var walk func(dir string)
	walk = func(dir string) {
		for _, e := range t.entries(dir) {
			name := vfs.Join(dir, e.Name())
			if e.IsDir() {
				seen[name+"/"] = ""
				walk(name)
				continue
			}
			content, err := load(t.fs, name)
			t.ok(err, "read %q", name)
			seen[name] = content
		}
	}
	walk("/")
	return seen
}

// unchanged checks that everything looks as it did.
func (t *tree) unchanged(before map[string]string, since string) {
	t.Helper()
	after := t.snapshot()
	if maps.Equal(before, after) {
		return
	}
	for name, content := range before {
		switch now, ok := after[name]; {
		case !ok:
			t.Errorf("%s: %q is gone", since, name)
		case now != content:
			t.Errorf("%s: %q holds %s, was %s", since, name, brief(now), brief(content))
		}
	}
	for name, content := range after {
		if _, ok := before[name]; !ok {
			t.Errorf("%s: %q appeared with %s", since, name, brief(content))
		}
	}
}

// isHeld checks the size of what is held for the tree's owner under name.
func (t *tree) isHeld(name string, size int) {
	t.Helper()
	got, err := vfs.Held(t.fs, name)
	if err != nil || got != int64(size) {
		t.Errorf("held under %q: %d bytes, %v; want %d", name, got, err, size)
	}
}

func (t *tree) notHeld(name string) {
	t.Helper()
	_, err := vfs.Held(t.fs, name)
	t.fails(err, fmt.Sprintf("Held of %q", name), fs.ErrNotExist)
}

// brief shows content in a message.
func brief(s string) string {
	if len(s) <= 60 {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q... (%d bytes)", s[:40], len(s))
}

// pattern returns n bytes in which every block of 64 differs from the others
// and from those of another seed, so that a misplaced piece shows.
func pattern(seed string, n int) string {
	var b strings.Builder
	b.Grow(n + 64)
	for i := 0; b.Len() < n; i++ {
		line := seed + " " + strconv.Itoa(i)
		b.WriteString(line)
		b.WriteString(strings.Repeat(" ", 62-len(line)) + "\r\n")
	}
	return b.String()[:n]
}
