package vfstest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Names are bytes: what a listing shows can be opened.
var naming = theme{"names", []clause{
	{name: "awkward", check: awkwardNames},
	{name: "raw-bytes", check: rawNames},
	{name: "longest", check: longestName},
	{name: "distinct", check: distinctNames},
}}

// awkward are names that one program or another gets wrong.
var awkward = []string{
	" ", " leading", "trailing ", "two  spaces", "tab\there", "trailing.", "...", "..a", ".hidden", "~", "~root",
	"-", "-rf", "--help", `"`, `"quoted"`, "it's", "`cmd`", "$(cmd)", "${user.name}", "%", "%2e%2e", "%00", "%s%n", "+", "a+b",
	"*", "?", "[x]", "{a,b}", `\`, `a\b`, `..\up`, "|", "a|b", ";", "a;size=3", "=", "a=b", "&", "#", "!", "<", ">", ":", "C:", "a:b", "@", "^", ",",
	"\x01", "\x1b[31m", "\x7f", "grüße", "日本語", "e\u0301", "é", "\u202egnp.exe", "\u200b", "😀", "->", "a -> b", "12 Jan 01 00:00 x", "CON", "nul", "total 12",
}

// notUTF8 are names that are not.
var notUTF8 = []string{"caf\xe9", "\xff\xfe", "\x80", "\xc3", "a\xc0\xafb", "\xed\xa0\x80"}

func awkwardNames(t *tree) { t.bear(awkward) }

func rawNames(t *tree) {
	if t.props.RawNames {
		t.bear(notUTF8)
		return
	}
	t.put("/f", "file")
	before := t.snapshot()
	for _, name := range notUTF8 {
		t.badName("/" + name)
	}
	t.unchanged(before, "names that are not UTF-8")
}

// badName checks that nothing can be created under name.
func (t *tree) badName(name string) {
	t.Helper()
	for _, flag := range t.modesFor(false) {
		f, err := t.fs.OpenFile(name, flag, vfs.NewFileMode)
		if err == nil {
			t.mustAbort(f, flag)
			err = f.Close()
		}
		t.fails(err, fmt.Sprintf("creating %q", name), vfs.ErrBadName)
	}
	t.fails(t.fs.Mkdir(name, vfs.NewDirMode), fmt.Sprintf("mkdir of %q", name), vfs.ErrBadName)
	t.fails(t.fs.Rename("/f", name), fmt.Sprintf("rename to %q", name), vfs.ErrBadName)
}

// possible are the names that the store can have.
func (t *tree) possible(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, without := t.without[name]
		return without
	})
}

// bear checks that each of names can be a file's and a directory's.
func (t *tree) bear(names []string) {
	names = t.possible(names)
	t.mkdir("/files")
	t.mkdir("/dirs")
	for _, name := range names {
		t.put("/files/"+name, "content of "+name)
		t.mkdir("/dirs/" + name)
		t.put("/dirs/"+name+"/"+name, "below "+name)
	}
	t.lists("/files", append([]string(nil), names...)...)
	t.lists("/dirs", append([]string(nil), names...)...)
	for _, name := range t.names("/files") {
		t.holds("/files/"+name, "content of "+name)
		info, err := t.fs.Stat("/files/" + name)
		t.ok(err, "stat %q", name)
		if info.Name() != name {
			t.Errorf("stat of %q says %q", name, info.Name())
		}
	}
	for _, name := range t.names("/dirs") {
		t.isDir("/dirs/" + name)
		t.holds("/dirs/"+name+"/"+name, "below "+name)
	}
	for _, name := range names {
		file := "/files/" + name
		t.rename(file, "/moved")
		t.missing(file)
		t.rename("/moved", file)
		if t.props.Append {
			f := t.open(file, vfs.ModeAppend)
			t.write(f, " and more")
			t.publish(f)
			t.holds(file, "content of "+name+" and more")
		}
		if t.props.Resume {
			t.hold(file, "part")
			t.isHeld(file, 4)
		}
		t.ok(t.fs.Remove(file), "remove %q", name)
		t.ok(t.fs.Remove("/dirs/"+name+"/"+name), "remove %q", name)
		t.ok(t.fs.Remove("/dirs/"+name), "remove the directory %q", name)
	}
	t.lists("/files")
	t.lists("/dirs")
}

func longestName(t *tree) {
	if t.props.MaxName == 0 {
		return
	}
	longest := strings.Repeat("n", t.props.MaxName)
	t.bear([]string{longest, strings.Repeat("ü", t.props.MaxName/2)})
	t.put("/f", "file")
	before := t.snapshot()
	t.badName("/" + longest + "n")
	t.unchanged(before, "a name that is too long")
}

// distinctNames: names that look alike are different files.
func distinctNames(t *tree) {
	names := t.possible([]string{"e\u0301", "é", "E", "e", "e ", "e.", "%65", "\u200be"})
	for _, name := range names {
		t.put("/"+name, "this is "+name)
	}
	for _, name := range t.names("/") {
		t.holds("/"+name, "this is "+name)
	}
	if n := len(t.names("/")); n != len(names) {
		t.Errorf("%d names became %d", len(names), n)
	}
}
