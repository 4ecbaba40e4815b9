package vfstest

import (
	"fmt"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 1 and 6: what directories and removal refuse, and how.
var refusals = theme{"errors", []clause{
	{name: "mkdir", check: mkdirRefused},
	{name: "remove", check: removeRefused},
	{name: "root", check: rootStays},
	{name: "stat", check: statRefused},
}}

func mkdirRefused(t *tree) {
	t.mkdir("/d")
	t.isDir("/d")
	t.put("/f", "file")
	t.put("/d/f", "file")
	before := t.snapshot()
	t.fails(t.fs.Mkdir("/d", vfs.NewDirMode), "mkdir of a directory", fs.ErrExist)
	t.fails(t.fs.Mkdir("/", vfs.NewDirMode), "mkdir of the root", fs.ErrExist)
	if !t.props.ImpliedDirs {
		t.fails(t.fs.Mkdir("/f", vfs.NewDirMode), "mkdir of a file", fs.ErrExist)
		t.fails(t.fs.Mkdir("/f/x", vfs.NewDirMode), "mkdir below a file", vfs.ErrNotDir)
		t.fails(t.fs.Mkdir("/f/x/y", vfs.NewDirMode), "mkdir below a file", vfs.ErrNotDir)
		t.fails(t.fs.Mkdir("/none/x", vfs.NewDirMode), "mkdir below nothing", fs.ErrNotExist)
	}
	t.unchanged(before, "mkdir")
}

func removeRefused(t *tree) {
	t.mkdir("/d")
	t.mkdir("/d/sub")
	t.put("/d/f", "file")
	t.put("/f", "file")
	before := t.snapshot()
	t.fails(t.fs.Remove("/d"), "removing a directory that is not empty", vfs.ErrNotEmpty)
	t.fails(t.fs.Remove("/none"), "removing nothing", fs.ErrNotExist)
	t.fails(t.fs.Remove("/none/x"), "removing below nothing", fs.ErrNotExist)
	t.fails(t.fs.Remove("/f/x"), "removing below a file", vfs.ErrNotDir, fs.ErrNotExist)
	t.unchanged(before, "remove")

	t.ok(t.fs.Remove("/d/f"), "remove a file")
	t.fails(t.fs.Remove("/d"), "removing a directory that has a directory", vfs.ErrNotEmpty)
	t.ok(t.fs.Remove("/d/sub"), "remove an empty directory")
	t.lists("/", "d", "f")
	t.ok(t.fs.Remove("/d"), "remove an empty directory")
	t.lists("/", "f")
	t.ok(t.fs.Remove("/f"), "remove a file")
	t.fails(t.fs.Remove("/f"), "removing twice", fs.ErrNotExist)
	t.missing("/f")
}

func rootStays(t *tree) {
	t.failsSomehow(t.fs.Remove("/"), "removing the empty root")
	t.isDir("/")
	t.put("/f", "file")
	t.failsSomehow(t.fs.Remove("/"), "removing the root")
	t.failsSomehow(t.fs.RemoveAll("/"), "removing the root and all below it")
	t.holds("/f", "file")
	t.isDir("/")
}

func statRefused(t *tree) {
	t.put("/f", "file")
	for _, name := range []string{"/none", "/none/x", "/F"} {
		_, err := t.fs.Stat(name)
		t.fails(err, fmt.Sprintf("stat of %q", name), fs.ErrNotExist)
	}
	_, err := t.fs.Stat("/f/x")
	t.fails(err, "stat below a file", vfs.ErrNotDir, fs.ErrNotExist)
	info, err := t.fs.Stat("/f")
	t.ok(err, "stat")
	if info.Name() != "f" || info.IsDir() || info.Size() != 4 {
		t.Errorf("stat of /f: %q, %v, %d bytes", info.Name(), info.Mode(), info.Size())
	}
	t.isDir("/")
}
