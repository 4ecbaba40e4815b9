package ftp

import "testing"

func TestQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/":         `"/"`,
		"/dir":      `"/dir"`,
		`/q"uote`:   `"/q""uote"`, // SEED F2, CLIENTS 10
		`/""`:       `"/"""""`,
		"":          `""`,
		`/back\s é`: `"/back\s é"`,
	} {
		if got := Quote(path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
		if back, ok := Unquote(want + " created"); back != path || !ok {
			t.Errorf("%s: got %q, %v, want %q", want, back, ok, path)
		}
	}
}

func TestUnquote(t *testing.T) {
	for _, test := range []struct {
		text, want string
		ok         bool
	}{
		// SEED K11.
		{`"/a" cur`, "/a", true},
		{`/a`, "", false},
		{`"/a""b"`, `/a"b`, true},
		{`"a" and "b"`, "a", true},
		{`Now in "/a".`, "/a", true},
		{`/bar/baz`, "", false}, // SEED K10
		{`"/a`, "", false}, {`"`, "", false}, {`"/a""`, "", false}, {``, "", false},
		{`""`, "", true},
	} {
		if got, ok := Unquote(test.text); got != test.want || ok != test.ok {
			t.Errorf("%s: got %q, %v, want %q, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}
