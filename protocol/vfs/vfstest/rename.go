package vfstest

import (
	"io/fs"
	"slices"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 7.
var renaming = theme{"rename", []clause{
	{name: "moves", check: renameMoves},
	{name: "replaces", check: renameReplaces},
	{name: "itself", check: renameItself},
	{name: "directories", check: renameDirectories},
	{name: "refused", check: renameRefused},
	{name: "exclusive", check: renameExclusive},
}}

func (t *tree) rename(oldname, newname string) {
	t.Helper()
	t.ok(t.fs.Rename(oldname, newname), "rename %q to %q", oldname, newname)
}

func renameMoves(t *tree) {
	t.mkdir("/d")
	t.put("/f", "content")
	t.rename("/f", "/g")
	t.lists("/", "d", "g")
	t.rename("/g", "/d/h")
	t.lists("/", "d")
	t.lists("/d", "h")
	t.holds("/d/h", "content")
	t.missing("/f")
	t.missing("/g")
	// The old name is free.
	t.put("/f", "another")
	t.holds("/d/h", "content")
}

func renameReplaces(t *tree) {
	t.mkdir("/d")
	t.put("/f", "new content")
	t.put("/g", "old")
	t.put("/d/h", "older")
	t.rename("/f", "/g")
	t.holds("/g", "new content")
	t.lists("/", "d", "g")
	t.rename("/g", "/d/h")
	t.holds("/d/h", "new content")
	t.lists("/", "d")
	t.lists("/d", "h")
}

func renameItself(t *tree) {
	t.mkdir("/d")
	t.put("/d/f", "content")
	before := t.snapshot()
	t.rename("/d/f", "/d/f")
	t.rename("/d", "/d")
	t.ok(vfs.RenameExclusive(t.fs, "/d/f", "/d/f"), "exclusive rename onto itself")
	t.unchanged(before, "rename onto itself")
	t.fails(t.fs.Rename("/none", "/none"), "rename of nothing onto itself", fs.ErrNotExist)
	t.fails(vfs.RenameExclusive(t.fs, "/none", "/none"), "exclusive rename of nothing onto itself", fs.ErrNotExist)
}

func renameDirectories(t *tree) {
	t.mkdir("/a")
	t.mkdir("/a/b")
	t.mkdir("/c")
	t.put("/a/b/f", "deep")
	t.put("/a/g", "shallow")
	t.rename("/a", "/z")
	t.rename("/z/b", "/c/b2")
	t.rename("/z", "/c/b2/z")
	t.lists("/", "c")
	t.holds("/c/b2/f", "deep")
	t.holds("/c/b2/z/g", "shallow")
	t.mkdir("/empty")
	t.rename("/empty", "/c/empty")
	t.lists("/c/empty")
	// A name that only begins like the directory is not below it.
	t.rename("/c", "/cc")
	t.holds("/cc/b2/f", "deep")
}

func renameRefused(t *tree) {
	for _, dir := range []string{"/d", "/d/sub", "/e"} {
		t.mkdir(dir)
	}
	t.put("/d/f", "file")
	t.put("/e/g", "other")
	before := t.snapshot()
	for _, c := range []struct {
		from, to string
		want     []error
	}{
		{"/none", "/x", []error{fs.ErrNotExist}},
		{"/none/x", "/x", []error{fs.ErrNotExist}},
		{"/d/f/x", "/x", []error{vfs.ErrNotDir, fs.ErrNotExist}},
		{"/d/f", "/e", []error{fs.ErrExist}},
		{"/d/f", "/d/sub", []error{fs.ErrExist}},
		{"/d", "/e", []error{fs.ErrExist}},
		{"/d/sub", "/e", []error{fs.ErrExist}},
		{"/d", "/e/g", []error{fs.ErrExist}},
		{"/d/sub", "/d", []error{fs.ErrExist}},
		{"/d", "/d/x", []error{fs.ErrInvalid}},
		{"/d", "/d/sub/x", []error{fs.ErrInvalid}},
		{"/d", "/d/sub", []error{fs.ErrInvalid, fs.ErrExist}},
		{"/", "/x", []error{fs.ErrInvalid}},
		{"/", "/d/x", []error{fs.ErrInvalid}},
		{"/d/f", "/", []error{fs.ErrInvalid}},
		{"/d", "/", []error{fs.ErrInvalid}},
		{"/", "/", []error{fs.ErrInvalid}},
		{"/d/f", "/none/x", []error{fs.ErrNotExist}},
		{"/d/f", "/e/g/x", []error{vfs.ErrNotDir}},
		{"/d/f", "/d/f/x", []error{vfs.ErrNotDir, fs.ErrInvalid}},
		{"/d/sub", "/none/x", []error{fs.ErrNotExist}},
		{"/d/sub", "/e/g/x", []error{vfs.ErrNotDir}},
	} {
		if dir, _ := vfs.Split(c.to); t.props.ImpliedDirs && slices.Contains([]string{"/none", "/e/g", "/d/f"}, dir) {
			continue // no parent is checked there
		}
		t.fails(t.fs.Rename(c.from, c.to), "rename "+c.from+" to "+c.to, c.want...)
		t.fails(vfs.RenameExclusive(t.fs, c.from, c.to), "exclusive rename "+c.from+" to "+c.to, c.want...)
		t.unchanged(before, "rename "+c.from+" to "+c.to)
	}
}

func renameExclusive(t *tree) {
	t.mkdir("/d")
	t.put("/f", "mine")
	t.put("/g", "theirs")
	before := t.snapshot()
	t.fails(vfs.RenameExclusive(t.fs, "/f", "/g"), "exclusive rename onto a file", fs.ErrExist)
	t.fails(vfs.RenameExclusive(t.fs, "/f", "/d"), "exclusive rename onto a directory", fs.ErrExist)
	t.unchanged(before, "exclusive rename")
	t.ok(vfs.RenameExclusive(t.fs, "/f", "/d/f"), "exclusive rename")
	t.holds("/d/f", "mine")
	t.lists("/", "d", "g")
	t.ok(vfs.RenameExclusive(t.fs, "/d", "/e"), "exclusive rename of a directory")
	t.holds("/e/f", "mine")
}
