package ftp

import (
	"strings"
	"testing"
)

func TestParseCommand(t *testing.T) {
	for _, test := range []struct {
		line string
		want Command
		err  error
	}{
		{"NOOP", Command{Verb: "NOOP"}, nil},
		{"noop", Command{Verb: "NOOP"}, nil}, // SEED C17
		{"NoOp", Command{Verb: "NOOP"}, nil},
		{"NOOP ", Command{"NOOP", "", true}, nil},
		{"RETR a b", Command{"RETR", "a b", true}, nil},
		{"RETR  a ", Command{"RETR", " a ", true}, nil}, // RFC 2640 §3.1: one space, the rest is the name
		{"RETR \ta", Command{"RETR", "\ta", true}, nil},
		{"mkd \xc3\xa9 caf\xe9 \xff", Command{"MKD", "\xc3\xa9 caf\xe9 \xff", true}, nil}, // SEED C19
		{`STOR "a\b"`, Command{"STOR", `"a\b"`, true}, nil},
		{"__INIT__", Command{Verb: "__INIT__"}, nil}, // SEED G4: a verb like any other, and unknown
		{"GET / HTTP/1.1", Command{"GET", "/ HTTP/1.1", true}, nil},
		{"ABCDEFGHIJKLMNOP x", Command{"ABCDEFGHIJKLMNOP", "x", true}, nil},
		{"ABCDEFGHIJKLMNOPQ x", Command{}, ErrSyntax},
		{strings.Repeat("x", 1<<20), Command{}, ErrSyntax},
		{"", Command{}, ErrEmpty},              // SEED C15
		{" ", Command{}, ErrSyntax},            // SEED C16
		{" USER alice", Command{}, ErrSyntax},  // SEED C16
		{"USER\talice", Command{}, ErrSyntax},  // SEED C16
		{"\tUSER alice", Command{}, ErrSyntax}, //
		{"PWD\r", Command{}, ErrSyntax},        // SEED C11
		{"PWD\x00", Command{}, ErrSyntax},
		{"NOOP\nNOOP", Command{}, ErrSyntax}, // SEED C10
		{"\xffABOR", Command{}, ErrSyntax},   // SEED C14
		{"\xb5 x", Command{}, ErrSyntax},     // SEED C14: µ has an upper case outside of Latin-1
		{"\xc3\xa9", Command{}, ErrSyntax},
		{"PW\x7fD", Command{}, ErrSyntax},
		{"CWD a\x00b", Command{}, ErrSyntax},
		{"CWD a\r\x00b", Command{}, ErrSyntax},
		{"CWD a\rb", Command{}, ErrSyntax},
		{"CWD a\nb", Command{}, ErrSyntax},
	} {
		got, err := ParseCommand([]byte(test.line))
		if got != test.want || err != test.err {
			t.Errorf("%.40q: got %+v, %v, want %+v, %v", test.line, got, err, test.want, test.err)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add([]byte("retr a  b"))
	f.Add([]byte("NOOP "))
	f.Add([]byte("\xff\xf4\xff\xf2ABOR"))
	f.Fuzz(func(t *testing.T, line []byte) {
		before := string(line)
		c, err := ParseCommand(line)
		if string(line) != before {
			t.Fatal("the line was changed")
		}
		if err != nil {
			if c != (Command{}) {
				t.Fatalf("%q: an error and %+v", line, c)
			}
			return
		}
		if len(c.Verb) < 1 || len(c.Verb) > maxVerb || strings.ContainsAny(c.Arg, "\x00\r\n") {
			t.Fatalf("%q: %+v", line, c)
		}
		for i := range len(c.Verb) {
			if v := c.Verb[i]; v <= ' ' || v >= 0x7F || 'a' <= v && v <= 'z' {
				t.Fatalf("%q: verb %q", line, c.Verb)
			}
		}
		rest := before[len(c.Verb):]
		if !strings.EqualFold(before[:len(c.Verb)], c.Verb) || c.HasArg && rest != " "+c.Arg || !c.HasArg && rest != "" {
			t.Fatalf("%q: %+v", line, c)
		}
	})
}
