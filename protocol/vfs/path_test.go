package vfs_test

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func TestResolve(t *testing.T) {
	for _, c := range []struct{ wd, arg, want string }{
		{"/", "", "/"},
		{"/", "/", "/"},
		{"/", ".", "/"},
		{"/", "..", "/"},
		{"/", "../../..", "/"},
		{"/", "a", "/a"},
		{"/", "//a//b//", "/a/b"},
		{"/", "/./a/./b/.", "/a/b"},
		{"/", "/a/../b", "/b"},
		{"/", "/a/b/../../..", "/"},
		{"/", "a/../../../etc/passwd", "/etc/passwd"},
		{"/w/d", "", "/w/d"},
		{"/w/d", ".", "/w/d"},
		{"/w/d", "a", "/w/d/a"},
		{"/w/d", "a/", "/w/d/a"},
		{"/w/d", "..", "/w"},
		{"/w/d", "../..", "/"},
		{"/w/d", "../../../x", "/x"},
		{"/w/d", "/a", "/a"},
		{"/w/d", "/", "/"},
		// Only "." and ".." are special; every other segment is a name.
		{"/", "...", "/..."},
		{"/", "..a", "/..a"},
		{"/", "a..", "/a.."},
		{"/", ".. ", "/.. "},
		{"/", " ..", "/ .."},
		{"/", " ", "/ "},
		{"/w", "..\\x", "/w/..\\x"},
		{"/", `..\..\etc`, `/..\..\etc`},
		{"/", "%2e%2e/%2e", "/%2e%2e/%2e"},
		{"/", "~/x", "/~/x"},
		{"/", "-rf", "/-rf"},
		{"/", "C:/x", "/C:/x"},
		{"/", "\xff\xfe/\xc0\xaf", "/\xff\xfe/\xc0\xaf"},
		{"/", "\u2025/\uff0e\uff0e", "/\u2025/\uff0e\uff0e"}, // look like dots
		{"/", "grüße/日本", "/grüße/日本"},
		{"/", "a\tb\x1b", "/a\tb\x1b"},
	} {
		if got, err := vfs.Resolve(c.wd, c.arg); got != c.want || err != nil {
			t.Errorf("Resolve(%q, %q) = %q, %v, want %q", c.wd, c.arg, got, err, c.want)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	longest := "/" + strings.Repeat("x", vfs.MaxPath-1)
	for _, arg := range []string{"\x00", "a\x00b", "a\rb", "a\n", "/ok/../\n", longest + "y", longest[1:] + "/y"} {
		if got, err := vfs.Resolve("/", arg); !errors.Is(err, vfs.ErrBadName) || got != "" {
			t.Errorf("Resolve of %d bytes %.20q = %.20q, %v", len(arg), arg, got, err)
		}
	}
	// What counts is the length after resolution.
	for _, arg := range []string{longest, "/" + longest, "./" + longest[1:], longest + "/", longest + "/y/.."} {
		if got, err := vfs.Resolve("/", arg); err != nil || got != longest {
			t.Errorf("Resolve of %d bytes %.20q = %d bytes, %v", len(arg), arg, len(got), err)
		}
	}
	if _, err := vfs.Resolve(longest, "y"); !errors.Is(err, vfs.ErrBadName) {
		t.Errorf("one below the longest directory: %v", err)
	}
}

func TestSplitJoin(t *testing.T) {
	for _, c := range []struct{ path, dir, name string }{
		{"/", "/", ""},
		{"/a", "/", "a"},
		{"/a/b", "/a", "b"},
		{"/a/b/c", "/a/b", "c"},
	} {
		dir, name := vfs.Split(c.path)
		if dir != c.dir || name != c.name {
			t.Errorf("Split(%q) = %q, %q", c.path, dir, name)
		}
		if name != "" && vfs.Join(dir, name) != c.path {
			t.Errorf("Join(%q, %q) = %q", dir, name, vfs.Join(dir, name))
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		dir, path string
		want      bool
	}{
		{"/", "/", true},
		{"/", "/a", true},
		{"/a", "/a", true},
		{"/a", "/a/b", true},
		{"/a", "/ab", false},
		{"/a", "/", false},
		{"/a/b", "/a", false},
		{"/a/b", "/a/bc/d", false},
	} {
		if got := vfs.Within(c.dir, c.path); got != c.want {
			t.Errorf("Within(%q, %q) = %v", c.dir, c.path, got)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, arg := range []string{"", ".", "..", "/", "a/../b", "//x//", "...", "..a", `..\`, "%2e%2e", "\xff", "\x00", "a\r\n", strings.Repeat("../x", 2000)} {
		f.Add("/", arg)
		f.Add("/w/d", arg)
		f.Add("../..", arg)
	}
	f.Fuzz(func(t *testing.T, start, arg string) {
		wd, err := vfs.Resolve("/", start)
		if err != nil {
			return
		}
		got, err := vfs.Resolve(wd, arg)
		if err != nil {
			if got != "" {
				t.Fatalf("Resolve(%q, %q) = %q with %v", wd, arg, got, err)
			}
			return
		}
		full := arg
		if !strings.HasPrefix(arg, "/") {
			full = wd + "/" + arg
		}
		if want := path.Clean(full); got != want {
			t.Fatalf("Resolve(%q, %q) = %q, want %q", wd, arg, got, want)
		}
		if len(got) > vfs.MaxPath || got[0] != '/' || strings.ContainsAny(got, "\x00\r\n") {
			t.Fatalf("Resolve(%q, %q) = %q", wd, arg, got)
		}
		for _, segment := range strings.Split(got[1:], "/") {
			if segment == "." || segment == ".." || (segment == "" && got != "/") {
				t.Fatalf("Resolve(%q, %q) = %q has the segment %q", wd, arg, got, segment)
			}
		}
		if again, err := vfs.Resolve(wd, got); again != got || err != nil {
			t.Fatalf("Resolve(%q, %q) = %q, %v: not stable", wd, got, again, err)
		}
		if dir, name := vfs.Split(got); got != "/" && (vfs.Join(dir, name) != got || !vfs.Within(dir, got)) {
			t.Fatalf("%q splits into %q and %q", got, dir, name)
		}
	})
}
