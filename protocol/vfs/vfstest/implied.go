package vfstest

import (
	"io/fs"
	"slices"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 6, where Properties.ImpliedDirs holds: an object and a directory of
// one name both exist, and no parent is checked. What is said of directories
// elsewhere in the suite holds as well: one that Mkdir made stays until it is removed.
var impliedDirs = theme{"implied-dirs", []clause{
	{name: "parents", check: implied(impliedParents)},
	{name: "prefix-of-a-name", check: implied(prefixOfName)},
	{name: "last-file", check: implied(lastFile)},
	{name: "both", check: implied(bothExist)},
	{name: "both-listed", check: implied(bothListed)},
	{name: "both-renamed", check: implied(bothRenamed)},
	{name: "mkdir-beside", check: implied(mkdirBeside)},
	{name: "refused", check: implied(viewRefuses)},
}}

// implied leaves a clause out where directories are made before use.
func implied(check func(t *tree)) func(t *tree) {
	return func(t *tree) {
		if t.props.ImpliedDirs {
			check(t)
		}
	}
}

// dirs is the tree with names that mean directories.
func (t *tree) dirs() *tree {
	view := *t
	view.fs = vfs.Directories(t.fs)
	return &view
}

// impliedParents: an upload makes the directories on its way, and they can be walked.
func impliedParents(t *tree) {
	for _, flag := range t.modesFor(false) {
		dir := "/" + modeName(flag)
		f := t.open(dir+"/b/c/f", flag)
		t.write(f, "deep")
		if _, err := t.dirs().fs.Stat(dir); err == nil {
			t.Errorf("%q is there before the upload is published", dir)
		}
		t.publish(f)
		for _, name := range []string{dir, dir + "/b", dir + "/b/c"} {
			t.isDir(name)
			info, err := t.fs.Stat(name)
			t.ok(err, "stat of %q", name)
			if !info.IsDir() {
				t.Errorf("%q is %v", name, info.Mode())
			}
		}
		t.lists(dir, "b")
		t.lists(dir+"/b", "c")
		t.holds(dir+"/b/c/f", "deep")
	}
	t.rename("/ModeReplace/b/c/f", "/new/g")
	t.holds("/new/g", "deep")
	t.mkdir("/other/made")
	t.lists("/other", "made")
}

// prefixOfName: a directory is not there because a name begins like it.
func prefixOfName(t *tree) {
	t.put("/a.txt", "x")
	t.put("/ab/f", "x")
	for _, view := range []*tree{t, t.dirs()} {
		_, err := view.fs.Stat("/a")
		t.fails(err, "stat of what others only begin with", fs.ErrNotExist)
		_, err = view.fs.OpenFile("/a", vfs.ModeRead, 0)
		t.fails(err, "opening what others only begin with", fs.ErrNotExist)
		t.fails(view.fs.Remove("/a"), "removing what others only begin with", fs.ErrNotExist)
	}
	t.fails(t.fs.Rename("/a", "/z"), "renaming what others only begin with", fs.ErrNotExist)
	t.put("/d/f", "in")
	t.put("/d-/f", "beside")
	t.rename("/d", "/z")
	t.holds("/d-/f", "beside")
	t.lists("/z", "f")
}

// lastFile: a directory does not vanish under a client that works in it.
func lastFile(t *tree) {
	t.put("/d/f", "x")
	t.ok(t.fs.Remove("/d/f"), "remove")
	t.isDir("/d")
	t.lists("/d")
	t.put("/d/g", "x")
	t.put("/e/f", "x")
	t.rename("/d/g", "/e/g")
	t.isDir("/d")
	t.lists("/d")
	t.ok(t.dirs().fs.Remove("/d"), "remove the empty directory")
	t.lists("/", "e")
}

// both makes an object and a directory of one name.
func (t *tree) both() {
	t.put("/d/n/f", "below")
	t.put("/d/n", "object")
}

// bothExist: STOR, DELE, RETR and SIZE mean the object; CWD, RMD and LIST the directory.
func bothExist(t *tree) {
	t.both()
	t.holds("/d/n", "object")
	t.holds("/d/n/f", "below")
	t.isDir("/d/n")
	t.lists("/d/n", "f")
	for _, flag := range t.modesFor(true) {
		if flag == vfs.ModeReplace {
			continue
		}
		f := t.begin("/d/n", flag, 6)
		t.write(f, "!")
		t.publish(f)
		t.holds("/d/n", "object!")
		t.put("/d/n", "object")
	}
	// The object goes, the directory stays.
	t.ok(t.fs.Remove("/d/n"), "remove the object")
	t.lists("/d", "n")
	t.holds("/d/n/f", "below")
	info, err := t.fs.Stat("/d/n")
	if err != nil || !info.IsDir() {
		t.Errorf("without the object the name is %v, %v", info, err)
	}
	// The directory goes, the object stays.
	t.put("/d/n", "again")
	t.fails(t.dirs().fs.Remove("/d/n"), "removing the directory", vfs.ErrNotEmpty)
	t.ok(t.fs.Remove("/d/n/f"), "remove")
	t.ok(t.dirs().fs.Remove("/d/n"), "remove the empty directory")
	t.holds("/d/n", "again")
	t.fails(t.dirs().fs.Remove("/d/n"), "removing a directory that is not there", fs.ErrNotExist)
	t.holds("/d/n", "again")
}

// bothListed: once as a file and once as a directory.
func bothListed(t *tree) {
	t.both()
	t.put("/d/n-", "between the two in order of keys")
	var kinds []string
	for _, e := range t.entries("/d") {
		kind := "file "
		if e.IsDir() {
			kind = "directory "
		}
		kinds = append(kinds, kind+e.Name())
	}
	slices.Sort(kinds)
	if want := []string{"directory n", "file n", "file n-"}; !slices.Equal(kinds, want) {
		t.Errorf("listed: %q, want %q", kinds, want)
	}
}

// bothRenamed: the plain name is the object's, so only that moves.
func bothRenamed(t *tree) {
	t.both()
	t.rename("/d/n", "/moved")
	t.holds("/moved", "object")
	t.lists("/d/n", "f")
	t.rename("/d/n", "/moved dir")
	t.holds("/moved dir/f", "below")
}

// mkdirBeside: an object of the name is no hindrance.
func mkdirBeside(t *tree) {
	t.put("/f", "object")
	t.mkdir("/f")
	t.fails(t.fs.Mkdir("/f", vfs.NewDirMode), "mkdir of a directory beside an object", fs.ErrExist)
	t.isDir("/f")
	t.holds("/f", "object")
	t.ok(t.dirs().fs.Remove("/f"), "remove the directory")
	t.holds("/f", "object")
	t.lists("/", "f")
	t.mkdir("/f")
	t.ok(t.fs.Remove("/f"), "remove the object")
	t.isDir("/f")
	t.lists("/f")
}

// viewRefuses: in the view of directories an object is nothing.
func viewRefuses(t *tree) {
	t.put("/f", "object")
	before := t.snapshot()
	view := t.dirs().fs
	_, err := view.Stat("/f")
	t.fails(err, "stat of an object as a directory", fs.ErrNotExist, vfs.ErrNotDir)
	_, err = view.OpenFile("/f", vfs.ModeRead, 0)
	t.fails(err, "opening an object as a directory", fs.ErrNotExist, vfs.ErrNotDir)
	t.fails(view.Remove("/f"), "removing an object as a directory", fs.ErrNotExist, vfs.ErrNotDir)
	t.unchanged(before, "refused as a directory")
	if info, err := view.Stat("/"); err != nil || !info.IsDir() {
		t.Errorf("the root of the view: %v, %v", info, err)
	}
}
