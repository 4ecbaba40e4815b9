package vfstest

import (
	"io/fs"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// readOnlyHole is vfs.ReadOnly with a hole in it.
type readOnlyHole struct {
	afero.Fs
	below afero.Fs
	hole  string
}

func (h readOnlyHole) Properties(name string) vfs.Properties {
	p := vfs.PropertiesOf(h.Fs, name)
	p.ReadOnly = h.hole != "promise"
	return p
}

func (h readOnlyHole) Remove(name string) error {
	if h.hole == "remove" {
		return h.below.Remove(name)
	}
	return h.Fs.Remove(name)
}

func (h readOnlyHole) Stat(name string) (fs.FileInfo, error) {
	if h.hole == "stat" {
		return h.Fs.Stat("/")
	}
	return h.Fs.Stat(name)
}

// readOnlyRenamer lets one power through.
type readOnlyRenamer struct{ readOnlyHole }

func (h readOnlyRenamer) RenameExclusive(oldname, newname string) error {
	return vfs.RenameExclusive(h.below, oldname, newname)
}

func TestReadOnly(t *testing.T) {
	fsys := sound().New(t).Open(alice)
	Populate(t, fsys, Sample())
	RunReadOnly(t, vfs.ReadOnly(fsys), Sample())
}

// TestReadOnlyCanFail: each check fails for a boundary with a hole.
func TestReadOnlyCanFail(t *testing.T) {
	for _, c := range []struct{ check, hole string }{
		{"refuses", "promise"},
		{"refuses", "remove"},
		{"refuses", "renamer"},
		{"no-powers", "renamer"},
		{"shows", "stat"},
		{"io/fs", "stat"},
	} {
		fsys := sound().New(t).Open(alice)
		Populate(t, fsys, Sample())
		var open afero.Fs = readOnlyHole{vfs.ReadOnly(fsys), fsys, c.hole}
		if c.hole == "renamer" {
			open = readOnlyRenamer{open.(readOnlyHole)}
		}
		failures := record(t, func(tb TB) {
			readOnlyChecks[c.check](newTree(tb, Tree{Open: func(string) afero.Fs { return open }}), Sample())
		})
		if len(failures) == 0 {
			t.Errorf("%s passes with the hole %q", c.check, c.hole)
		}
	}
}
