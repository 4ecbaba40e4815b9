package pi

import (
	"path"
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "b", false}, {"a", "", false},
		{"*", "", true}, {"*", "anything", true}, {"*.txt", "a.txt", true}, {"*.txt", ".txt", true}, {"*.txt", "a.txt2", false},
		{"a*b*c", "abc", true}, {"a*b*c", "axxbxxc", true}, {"a*b*c", "axxbxx", false}, {"**", "x", true},
		{"?", "a", true}, {"?", "", false}, {"?", "ab", false}, {"??", "é", true}, // bytes
		{"[a-c]", "b", true}, {"[a-c]", "d", false}, {"[!a-c]", "d", true}, {"[^a-c]", "b", false},
		{"[]]", "]", true}, {"[!]]", "a", true}, {"[]-a]", "^", true}, {"[a-]", "-", true}, {"[a-]", "b", false},
		{"[", "[", true}, {"[", "a", false}, {"[a", "[a", true}, {"[a", "a", false}, {"a[", "a[", true}, {"[]", "[]", true},
		{"[!]", "[!]", true}, {"*[a-c]", "xxc", true}, {"*[a-c", "x[a-c", true}, {`\*`, "*", false}, {`\*`, `\x`, true},
		{"*.*", "a", false}, {"[z-a]", "m", false}, {"caf\xe9", "caf\xe9", true}, {"caf?", "caf\xe9", true},
	} {
		if got := match(c.pattern, c.name); got != c.want {
			t.Errorf("match(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestPatternBounds(t *testing.T) {
	for _, p := range []string{strings.Repeat("*", maxStars+1), strings.Repeat("a", maxPattern+1), strings.Repeat("*a", 200)} {
		if checkPattern(p) == nil {
			t.Errorf("%.20q... is allowed", p)
		}
	}
	if err := checkPattern(strings.Repeat("*a", maxStars)); err != nil {
		t.Error(err)
	}
}

// FuzzMatch compares with the standard library where the two agree on what a pattern means, and
// bounds the time of one comparison.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{"*.txt", "[a-c]?", "[!a]*", "a*b*c*d", "[", "[]", "**?*[x-", strings.Repeat("*a", 16)} {
		f.Add(s, "abcd.txt")
		f.Add(s, strings.Repeat("a", 255))
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if checkPattern(pattern) != nil || len(name) > 4096 {
			return
		}
		start := time.Now()
		got := match(pattern, name)
		if took := time.Since(start); took > time.Second {
			t.Fatalf("match(%q, %q) took %s", pattern, name, took)
		}
		if strings.ContainsAny(pattern, `[\`) || strings.Contains(name, "/") || !ascii(pattern) || !ascii(name) {
			return
		}
		if want, err := path.Match(pattern, name); err == nil && got != want {
			t.Errorf("match(%q, %q) = %v", pattern, name, got)
		}
	})
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }
