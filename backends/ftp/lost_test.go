package ftp

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestLostRenameOnHidingServer: the reply to RNTO is lost, the rename has not happened, and the server denies that files
// with a dot exist. The old file, which is as long, is not the new one: the rename is done again.
func TestLostRenameOnHidingServer(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	fsys := u.backend(t, o).Open("", 0)
	if err := put(fsys, "/f", "the old one"); err != nil {
		t.Fatal(err)
	}
	lost := false
	m.set(func(line string) (string, bool, bool) {
		switch {
		case strings.HasPrefix(line, "RNTO") && !lost:
			lost = true
			return "", true, true
		case strings.HasPrefix(line, "MLST /.ftpgate-"):
			return "550 No such file.", true, false
		}
		return "", false, false
	})
	err := put(fsys, "/f", "the new one")
	if got, _ := afero.ReadFile(below, "/f"); err != nil || string(got) != "the new one" {
		t.Errorf("Close said %v, and there is %q", err, got)
	}
	if !lost {
		t.Error("nothing was lost")
	}
	ftptest.Eventually(t, "nothing to be left", func() bool { return len(list(t, below, "/")) == 1 })
}

// TestChangeByLaterRename: who begins to read between a rename whose reply is lost and the one that is done instead learns
// that the file has changed.
func TestChangeByLaterRename(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	b := u.backend(t, o)
	if err := put(below, "/f", "the old one"); err != nil {
		t.Fatal(err)
	}
	f := begin(t, b.Open("", 0), vfs.ModeReplace, "/f", "the new one")
	var reader *watch
	lost := false
	m.set(func(line string) (string, bool, bool) {
		switch {
		case strings.HasPrefix(line, "RNTO") && !lost:
			lost = true
			return "", true, true
		case strings.HasPrefix(line, "RNFR") && lost:
			reader = b.names.watch("/f")
		}
		return "", false, false
	})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	m.set(nil)
	if reader == nil {
		t.Fatal("it was not renamed again")
	}
	defer b.names.ignore(reader)
	if !reader.changed.Load() {
		t.Error("the reader was not told")
	}
}

// TestLostRenameToTakenName: the reply to RNTO is lost, the rename has not happened, the server denies that files with a dot
// exist, and somebody who works there has made a file that is as long. It is not taken for the upload.
func TestLostRenameToTakenName(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	f := begin(t, u.backend(t, o).Open("", 0), vfs.ModeCreate, "/f", "mine")
	lost := false
	m.set(func(line string) (string, bool, bool) {
		switch {
		case strings.HasPrefix(line, "RNTO") && !lost:
			lost = true
			if err := put(below, "/f", "hers"); err != nil {
				t.Error(err)
			}
			return "", true, true
		case strings.HasPrefix(line, "MLST /.ftpgate-"):
			return "550 No such file.", true, false
		}
		return "", false, false
	})
	if err := f.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Close: %v", err)
	}
	if got, err := afero.ReadFile(below, "/f"); string(got) != "hers" {
		t.Errorf("there is %q, %v", got, err)
	}
	ftptest.Eventually(t, "nothing to be left", func() bool { return len(list(t, below, "/")) == 1 })
}
