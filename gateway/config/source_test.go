package config

import (
	"strings"
	"testing"
)

// Whatever is wrong with a file, no line of it shows a secret.
func TestSourceCutsSecrets(t *testing.T) {
	for _, x := range []struct{ text, shown string }{
		{`password_hash = "hunter2"`, `password_hash = (not shown)`},
		{`  password_hash="hunter2" # hunter2`, `  password_hash= (not shown)`},
		{`password_hash`, `password_hash`},
		{`pasword = "hunter2"`, `pasword = (not shown)`},
		{`secret_key = "hunter2"`, `secret_key = (not shown)`},
		{`password: hunter2`, `password (not shown)`},
		{`password "hunter2"`, `password (not shown)`},
		{`user "bob" { password_hash = "hunter2" }`, `user "bob" { password_hash = (not shown)`},
		{`user "bob" { access = "read-only" }`, `user "bob" { access = "read-only" }`},
		{`root = "/srv" password = "hunter2"`, `root = "/srv" password = (not shown)`},
		{`root = "$2b$12$hunter2"`, `root = " (not shown)`},
		{`# password = hunter2`, `# password = (not shown)`},
		{`root = "/srv"`, `root = "/srv"`},
		{`}`, `}`},
		{`  "10.0.0.0/8",`, `  "10.0.0.0/8",`},
		{"\x1b[31mred = \xff", `?[31mred = (not shown)`},
		{"root = \"\x1b]0;x\a€\u202e\"", `root = "?]0;x?€???"`},
	} {
		s := newSource([]byte(x.text))
		if got, _, _ := s.excerpt(1, 0, 1); got != x.shown {
			t.Errorf("%s is shown as %q, want %q", x.text, got, x.shown)
		}
	}
	s := newSource([]byte("password_hash = <<EOT\nhunter2\n  $hunter2\nEOT\nroot = \"a\"\npassword = [\n\"hunter2\",\n]\n\"hunter2\"\n}\n\"a\""))
	for n, want := range []string{"password_hash = (not shown)", "(not shown)", "  (not shown)", "(not shown)", `root = "a"`,
		"password = (not shown)", "(not shown)", "(not shown)", "(not shown)", "}", `"a"`, ""} {
		if got, _, _ := s.excerpt(n+1, 0, 0); got != want {
			t.Errorf("line %d is shown as %q, want %q", n+1, got, want)
		}
	}
}

func FuzzSource(f *testing.F) {
	f.Add("a = 1\npassword = \"x\"", 1, 3, 9)
	f.Fuzz(func(t *testing.T, text string, line, start, end int) {
		got, from, to := newSource([]byte(text)).excerpt(line, start, end)
		if from < 0 || from > to || to > len(got) {
			t.Errorf("excerpt %q from %d to %d", got, from, to)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			t.Errorf("control characters in %q", got)
		}
	})
}
