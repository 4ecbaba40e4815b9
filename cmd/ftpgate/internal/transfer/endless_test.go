package transfer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestSendEnds: a server that breaks the connection at each rename is not sent the file for ever.
func TestSendEnds(t *testing.T) {
	root, content := source(t)
	f := (&foreign{lateBreak: true}).start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := quick
	b.Again = func(error, time.Duration) {
		if f.count("RNTO") > 10 {
			cancel()
		}
	}
	m := Mover{Site: f.site(t, b), Root: root}
	if _, err := m.Send(ctx, "f", "d/f", Unknown); err == nil || f.count("STOR") != 1+quick.Retries {
		t.Errorf("sent %d times: %v", f.count("STOR"), err)
	}
	f.holds(t, content)
}

// TestSendStagesAfterBreak: that the connection broke when the server was asked whether it renames does not mean that it does not.
func TestSendStagesAfterBreak(t *testing.T) {
	root, content := source(t)
	f := (&foreign{askBreak: true}).start(t)
	m := Mover{Site: f.site(t, quick), Root: root}
	if _, err := m.Send(t.Context(), "f", "d/f", Unknown); err != nil || f.count("STOR d/f") > 0 || f.count("RNTO d/f") != 1 {
		t.Errorf("stored under its name at once: %v", err)
	}
	f.holds(t, content)
}

// TestSendOntoDirectory: that a directory has the name is no trouble that passes, whatever the server calls it.
func TestSendOntoDirectory(t *testing.T) {
	root, _ := source(t)
	f := (&foreign{dirs: true}).start(t)
	m := Mover{Site: f.site(t, quick), Root: root}
	_, err := m.Send(t.Context(), "f", "d/f", Unknown)
	if err == nil || !strings.Contains(err.Error(), "is a directory") || f.count("STOR") != 1 || len(f.names()) > 0 {
		t.Errorf("sent %d times, and %q is left: %v", f.count("STOR"), f.names(), err)
	}
}

// TestSendBesideAnother: two uploads of one file at once do not write into one file.
func TestSendBesideAnother(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root, content := source(t)
	i, err := root.Stat("f")
	if err != nil {
		t.Fatal(err)
	}
	stage := stageName("d/f", i)
	for _, cuts := range [][]int{nil, {300_000}} {
		f := (&foreign{}).start(t)
		m := Mover{Site: f.site(t, remote.Backoff{}), Root: root, Continue: true}
		release, ok := claim("127.0.0.1", stage)
		if !ok {
			t.Fatal("nobody has it yet")
		}
		if _, again := claim("127.0.0.1", stage); again {
			t.Skip("there are no locks here")
		}
		f.files[stage], f.cuts = content[:500_000], cuts // that of the other one
		_, err = m.Send(t.Context(), "f", "d/f", Unknown)
		if there := f.files[stage]; len(there) != 500_000 || f.count("STOR "+stage) > 0 || f.count("RNFR "+stage) > 0 {
			t.Errorf("%d bytes of the other upload are left:\n%s", len(there), strings.Join(f.heard, "\n"))
		}
		if whole := bytes.Equal(f.files["d/f"], content); whole != (cuts == nil) || whole != (err == nil) {
			t.Errorf("it is whole: %v; %v", whole, err)
		}
		// What nobody would find again is not left there, nor called kept.
		if kept := (*KeptError)(nil); errors.As(err, &kept) || len(f.names()) != map[bool]int{true: 2, false: 1}[cuts == nil] {
			t.Errorf("%v; there is %q", err, f.names())
		}
		release()
		if f.cuts = nil; cuts != nil {
			continue
		}
		if r, err := m.Send(t.Context(), "f", "d/g", Unknown); err != nil || r.Offset != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "ftpgate", "*")); len(left) > 0 {
		t.Errorf("left there: %q", left)
	}
}

// TestFetchLeavesParts: what an earlier run has left is still there if this one does not get as far as a transfer.
func TestFetchLeavesParts(t *testing.T) {
	root, content := source(t)
	f := (&foreign{}).start(t)
	m := Mover{Site: f.site(t, remote.Backoff{}), Root: root}
	if err := root.WriteFile(partName("x"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	known := &ftpclient.Entry{Size: int64(len(content))}
	for range 2 {
		if _, err := m.Fetch(t.Context(), "nowhere", "x", known); err == nil {
			t.Error("no error")
		}
		if i, err := root.Stat(partName("x")); err != nil || i.Size() != int64(len(content)) {
			t.Errorf("the part is gone, or changed: %v", err)
		}
		known = nil
	}
	if _, err := m.Fetch(t.Context(), "nowhere", "y", known); err == nil {
		t.Error("no error")
	}
	if _, err := root.Stat(partName("y")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty part is left: %v", err)
	}
}

// TestHoldLock: a file is claimed until it has its name.
func TestHoldLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	first, second := open(), open()
	if !lock(first) {
		t.Fatal("nobody has it")
	}
	if lock(second) {
		t.Skip("there are no locks here")
	}
	release := holdLock(first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if lock(second) {
		t.Error("closing let go of it")
	}
	if release(); !lock(second) {
		t.Error("it is held for ever")
	}
}
