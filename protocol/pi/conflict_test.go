package pi

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCandidates(t *testing.T) {
	for _, x := range []struct{ name, first, second string }{
		{"scan.pdf", "scan.pdf", "scan-1.pdf"},
		{"scan", "scan", "scan-1"},
		{".profile", ".profile", ".profile-1"},
		{"a." + strings.Repeat("x", 40), "a." + strings.Repeat("x", 40), "a." + strings.Repeat("x", 40) + "-1"},
	} {
		if a, b := candidate(x.name, 0), candidate(x.name, 1); a != x.first || b != x.second {
			t.Errorf("%s: %s, %s", x.name, a, b)
		}
	}
}

// TestCandidatesOfLongNames: a name as long as any still finds another.
func TestCandidatesOfLongNames(t *testing.T) {
	for _, name := range []string{strings.Repeat("n", maxName), strings.Repeat("ü", 125) + ".pdf", strings.Repeat("\xff", maxName)} {
		seen := map[string]bool{}
		for i := range lastCandidate + 1 {
			c := candidate(name, i)
			if len(c) > maxName || seen[c] || utf8.ValidString(name) != utf8.ValidString(c) {
				t.Errorf("%d: %q, %d bytes", i, c, len(c))
			}
			seen[c] = true
		}
	}
}
