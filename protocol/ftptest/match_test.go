package ftptest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
		port      string
	}{
		{"200 ok", "200 ok", true, ""},
		{"200 ok", "200 ok.", false, ""},
		{"229 (|||{port}|)", "229 (|||40000|)", true, "40000"},
		{"229 (|||{port}|)", "229 (|||x|)", false, ""},
		{"a {nothing} {", "a {nothing} {", true, ""},
		{"150 {/[a-z]+/}.", "150 abc.", true, ""},
		{"150 {/[a-z]+/}.", "150 ab1.", false, ""},
		{"modify={time};", "modify=20260102030405.123;", true, ""},
		{"{date} x", "Jan 02 03:04 x", true, ""},
		{"{n} caf\xe9 é", "5 caf\xe9 é", true, ""},
		{"{n} caf\xe9", "5 caf\xe8", false, ""},
		{"{date} x", "Jan 02  2001 x", true, ""},
	} {
		vars, ok := match(c.want, c.got)
		if ok != c.ok || vars["port"] != c.port {
			t.Errorf("match(%q, %q) = %v, %v", c.want, c.got, vars, ok)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, text := range []string{"", "plain", ` "x"`, `257 "/a" b`, `"`, "\xff", "a\r\nb", `back\slash`, "é", "end "} {
		for _, always := range []bool{false, true} {
			q := quote(text, always)
			if got, err := unquote(q); err != nil || got != text {
				t.Errorf("unquote(%s) = %q, %v, want %q", q, got, err, text)
			}
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, text := range []string{
		"X: what", "C:no space", "# usr: rw", "# limit: x=1", "# limit: idle_timeout=1", "# on_conflict: maybe",
		"# file: /a", `C: "open`, "C: NOOP\n# user: rw", "S> x", "D! x", "C: NOOP ",
	} {
		file := filepath.Join(t.TempDir(), "a.txt")
		if err := os.WriteFile(file, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := parseTranscript(file); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}
