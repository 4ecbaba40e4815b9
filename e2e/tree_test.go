//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// awkward are names that some client or server has got wrong.
var awkward = []string{
	"with space", "two  spaces", "trailing dot.", "tab\there", "comma, semicolon; equals=.txt",
	"single 'quote'", `double "quote"`, "back`tick", `back\slash`, "$HOME", "${user.name}", "a&b|c<d>e", "(round) [square] {curly}",
	"star*", "what?", "[a-z]", "~", "~root", "...", "..hidden", ".dotfile",
	"-leading-dash", "--help", "-", "100%", "%41%2F", "a+b+c", "#hash", "!bang", "@at", "^caret", "name -> target",
	"ÄÖÜ ß", "Grüße", "e\u0301 decomposed", "日本語", "Ελληνικά", "עברית", "👩‍👩‍👧", "\u00a0nbsp",
	"total 12", "Nov 22 10:12", "drwxr-xr-x", "type=dir; x", "226 Transfer complete.", "con.txt", "NUL",
	strings.Repeat("n", 255), strings.Repeat("ü", 127) + "x", "UPPER", "upper",
}

// plant makes a tree of 300 files: every awkward name at the top, as a directory
// too, nested ones, empty ones, and sizes around buffers. Times are whole seconds,
// some of this year and some long ago.
func plant(t *testing.T, root string) {
	t.Helper()
	epoch := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	sizes := []int{0, 1, 2, 511, 4096, 65535, 65536, 65537, 300_000}
	n := 0
	add := func(name string) {
		path := put(t, root, name, content(sizes[n%len(sizes)]))
		when := epoch.Add(time.Duration(n) * 31 * 24 * time.Hour)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
		n++
	}
	for _, name := range awkward {
		add(name)
		add("dirs/" + name + "/" + name)
		add("dirs/" + name + "/plain.txt")
	}
	add("deep/" + strings.Repeat("x y/", 30) + "bottom")
	for i := 0; n < 300; i++ {
		add(fmt.Sprintf("many/%03d.dat", i))
	}
	if err := os.MkdirAll(filepath.Join(root, "empty/directory"), 0o755); err != nil {
		t.Fatal(err)
	}
}

type planted struct {
	content []byte
	time    time.Time
}

// harvest reads a tree back. Directories end in "/".
func harvest(t *testing.T, root string) map[string]planted {
	t.Helper()
	all := make(map[string]planted)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.Name() == ".ftpgate":
			return fs.SkipDir
		case d.IsDir():
			all[name+"/"] = planted{}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		all[name] = planted{b, info.ModTime()}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// compare expects two trees to be equal, byte for byte and, if asked, in the times of their files.
func compare(t *testing.T, got, want string, times bool) {
	t.Helper()
	g, w := harvest(t, got), harvest(t, want)
	for _, name := range slices.Sorted(maps.Keys(w)) {
		a, ok := g[name]
		b := w[name]
		switch {
		case !ok:
			t.Errorf("%q is missing", name)
		case !bytes.Equal(a.content, b.content):
			t.Errorf("%q differs: %d bytes, want %d", name, len(a.content), len(b.content))
		case times && !a.time.Truncate(time.Second).Equal(b.time):
			t.Errorf("%q is of %v, want %v", name, a.time.UTC(), b.time.UTC())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g)) {
		if _, ok := w[name]; !ok {
			t.Errorf("%q should not be there", name)
		}
	}
}
