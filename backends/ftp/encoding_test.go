package ftp

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestEncodingKeepsSegments: ISO-2022-JP writes some letters with the byte of "/". Such a name would be another
// directory's there.
func TestEncodingKeepsSegments(t *testing.T) {
	name, err := japanese.ISO2022JP.NewDecoder().String("\x1b$B0/\x1b(B")
	if err != nil {
		t.Fatal(err)
	}
	u, below := startOwn(t)
	if err := below.Mkdir("/\x1b$B0", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	o := u.options()
	o.Client.Encoding = japanese.ISO2022JP
	fsys := u.backend(t, o).Open("", 0)
	if _, err := fsys.Stat("/" + name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
	if err := put(fsys, "/"+name, "x"); !errors.Is(err, vfs.ErrBadName) {
		t.Errorf("store: %v", err)
	}
	if err := fsys.Mkdir("/"+name, 0); !errors.Is(err, vfs.ErrBadName) {
		t.Errorf("mkdir: %v", err)
	}
	if got := list(t, below, "/\x1b$B0"); len(got) > 0 {
		t.Errorf("in another directory there are %q", got)
	}
}

// TestEncoding: names are of another encoding there, and characters that it does not have are refused.
func TestEncoding(t *testing.T) {
	u, below := startOwn(t)
	o := u.options()
	o.Client.Encoding = charmap.Windows1252
	fsys := u.backend(t, o).Open("", 0)
	if err := put(fsys, "/grüße", "x"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, below, "/"); !slices.Equal(got, []string{"gr\xfc\xdfe"}) {
		t.Errorf("there: %q", got)
	}
	if got := list(t, fsys, "/"); !slices.Equal(got, []string{"grüße"}) {
		t.Errorf("here: %q", got)
	}
	if got, err := afero.ReadFile(fsys, "/grüße"); string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if err := fsys.Rename("/grüße", "/Öl"); err != nil {
		t.Error(err)
	}
	if err := put(fsys, "/日本", "x"); !errors.Is(err, vfs.ErrBadName) {
		t.Errorf("a name that cannot be written: %v", err)
	}
	if _, err := fsys.Stat("/日本"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of a name that cannot be written: %v", err)
	}
}
