package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOwnerNames(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o := &owners{
		passwd: write("passwd", "root:x:0:0::/:/bin/sh\nalice:x:1000:1000\ntoor:x:0:0\n\n:x:7:\nbad name:x:8:\n"+
			"\x1b[31m:x:9:\nbroken\n-:x:-1:\nhuge:x:99999999999:\n+::::::\n"+strings.Repeat("x", 100)+":x:10:\n"),
		groups: write("group", "wheel:x:0:\n"),
	}
	for uid, want := range map[uint32]string{
		0: "root", 1000: "alice", 7: "7", 8: "8", 9: "9", 10: "10", 4294967295: "4294967295",
	} {
		if got := o.user(uid); got != want {
			t.Errorf("user %d is %q, want %q", uid, got, want)
		}
	}
	if o.group(0) != "wheel" || o.group(1) != "1" {
		t.Errorf("groups %q and %q", o.group(0), o.group(1))
	}
	none := &owners{passwd: filepath.Join(dir, "none"), groups: dir}
	if none.user(0) != "0" || none.group(0) != "0" {
		t.Errorf("without files: %q and %q", none.user(0), none.group(0))
	}
}

// FuzzRelative: whatever comes in, what comes out stays below and is not reserved.
func FuzzRelative(f *testing.F) {
	for _, name := range []string{"/", "/a", "/a/../..", "/..", "//", "/.ftpgate", "/a/.FTPGATE/b", "/a/.", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		rel, err := relative(name)
		if err != nil || rel == "" {
			return
		}
		if "/"+rel != name || filepath.Clean(rel) != rel || !filepath.IsLocal(rel) {
			t.Errorf("%q became %q", name, rel)
		}
		if strings.Contains(strings.ToLower("/"+rel+"/"), "/.ftpgate/") {
			t.Errorf("%q is reserved", name)
		}
	})
}
