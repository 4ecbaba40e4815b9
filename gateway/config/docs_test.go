package config

import (
	"os"
	"strings"
	"testing"
)

// TestReferenceIsComplete wants every block and attribute in docs/configuration.md,
// under the heading of its block.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := make(map[string]string)
	for s := range strings.SplitSeq(string(text), "\n## ") {
		heading, body, _ := strings.Cut(s, "\n")
		sections[heading] = body
	}
	check := func(heading string, s schema) {
		body, ok := sections[heading]
		if !ok {
			t.Errorf("there is no section %q", heading)
			return
		}
		for _, a := range s.attributes {
			if !strings.Contains(body, "\n| `"+a+"` |") {
				t.Errorf("%s: %s is missing", heading, a)
			}
		}
	}
	check("Top level", topLevel)
	check("`tls`", tlsSchema)
	check("`assume_role`", assumeRoleSchema)
	for name, s := range blocks {
		if name == "backend" {
			continue
		}
		heading := "`" + name + "`"
		if len(s.labels) > 0 {
			heading = "`" + name + ` "NAME"` + "`"
		}
		check(heading, s)
	}
	for kind, s := range backends {
		check("`backend \""+kind+"\" \"NAME\"`", s)
	}
}
