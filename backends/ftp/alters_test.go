package ftp

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func create(fsys afero.Fs, name string, flag int) error {
	f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

// TestServerThatAltersNames: pure-ftpd makes an underscore of a space at the end of a name that is made, and of no other. So
// "report " would replace "report_", and 226 would be the answer.
func TestServerThatAltersNames(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	m.rewrite = func(line string) string {
		if verb, name, _ := strings.Cut(line, " "); (verb == "STOR" || verb == "RNTO" || verb == "MKD") && strings.HasSuffix(name, " ") {
			return line[:len(line)-1] + "_"
		}
		return line
	}
	fsys := u.backend(t, o).Open("", 0)
	if err := put(fsys, "/report_", "precious"); err != nil {
		t.Fatal(err)
	}
	if err := put(fsys, "/g", "x"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"store":            put(fsys, "/report ", "x"),
		"exclusive create": create(fsys, "/report ", vfs.ModeCreate),
		"append":           create(fsys, "/report ", vfs.ModeAppend),
		"rename":           fsys.Rename("/g", "/report "),
		"mkdir":            fsys.Mkdir("/d ", 0),
	} {
		if !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := afero.ReadFile(below, "/report_"); string(got) != "precious" {
		t.Errorf("the other file is %q, %v", got, err)
	}
	if got := list(t, below, "/"); len(got) != 2 {
		t.Errorf("there are %q", got)
	}
	if n := m.count("MKD"); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
}
