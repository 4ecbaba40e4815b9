package ftp

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
)

func TestReplyAppend(t *testing.T) {
	for _, test := range []struct {
		reply Reply
		want  string
	}{
		{Replyf(200, "Command okay."), "200 Command okay.\r\n"},
		{Replyf(220, ""), "220 \r\n"},
		{Reply{Code: 220}, "220 \r\n"},
		{Replyf(550, "100% of %s"), "550 100% of %s\r\n"},
		{Replyf(550, "%s: %d", "x", 7), "550 x: 7\r\n"},
		{Reply{211, []string{"Features:", " MDTM", " SIZE", "End"}}, "211-Features:\r\n MDTM\r\n SIZE\r\n211 End\r\n"},
		{Reply{220, []string{"a", "b"}}, "220-a\r\n220 b\r\n"},
		// RFC 959 §4.2: text that looks like a code is moved right.
		{Reply{214, []string{"214 x", "214 y", "2", "", "214 z"}}, "214-214 x\r\n 214 y\r\n 2\r\n\r\n214 214 z\r\n"},
		// SEED C10, C11, C22: what a client or a name on disk brings never ends a line.
		{Replyf(500, "NOOP\nNOOP\r\x00\x1b[2J\x7f\tx"), "500 NOOP?NOOP???[2J??x\r\n"},
		{Reply{250, []string{"a\r\n226 done", "b\r\n226 done"}}, "250-a??226 done\r\n250 b??226 done\r\n"},
		// SEED C14, C19: bytes go out as they are, but IAC is doubled.
		{Replyf(257, "\xc3\xa9 caf\xe9 \xff\xb5"), "257 \xc3\xa9 caf\xe9 \xff\xff\xb5\r\n"},
		// THREATS 14: C1 control characters (U+009B is CSI), and what only looks like them.
		{Replyf(550, "a\u0080b\u009b31mc\u009f\u00a0\xc2"), "550 a?b?31mc?\u00a0\xc2\r\n"},
		{Replyf(257, "\xc2\xc2\x9b \x9b \u0133 \u05c2\u009c"), "257 \xc2? \x9b \u0133 \u05c2?\r\n"},
		{Replyf(-7, "x"), "451 x\r\n"},
		{Replyf(99, "x"), "451 x\r\n"},
		{Replyf(1000, "x"), "451 x\r\n"},
	} {
		if got := string(test.reply.Append([]byte("before|"))); got != "before|"+test.want {
			t.Errorf("%+v:\n got %q\nwant %q", test.reply, got, test.want)
		}
	}
}

func TestReplyString(t *testing.T) {
	r := Reply{211, []string{"Features:", " MDTM", "End"}}
	if got, want := r.String(), "211 Features:\n MDTM\nEnd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestError(t *testing.T) {
	plain := Errorf(550, "%s: no such file.", "/x")
	if got, want := plain.Error(), "550 /x: no such file."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err := plain.Because(fs.ErrNotExist)
	if got, want := err.Error(), "550 /x: no such file.: file does not exist"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var reply *Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(error(err), &reply) || reply.Reply.Code != 550 {
		t.Error("the cause or the reply is lost")
	}
	if plain.Cause != nil {
		t.Error("Because changed the original")
	}
	if err := Errorf(504, "100%"); err.Reply.Lines[0] != "100%" {
		t.Errorf("a literal text became %q", err.Reply.Lines[0])
	}
}

func TestReadReply(t *testing.T) {
	for _, test := range []struct {
		input string
		want  string // as Reply.String
		err   error
	}{
		{"220 hello\r\n", "220 hello", nil},
		{"220 \r\n", "220 ", nil}, // SEED K1
		{"220\r\n", "220 ", nil},
		{"220 LF alone\n", "220 LF alone", nil},
		{"765 other digits\r\n", "765 other digits", nil}, // SEED K6
		// SEED K5: all of these belong to the reply until its own code comes.
		{"210-First\r\n123-Second\r\nJust some text\r\nHi\r\n\r\n321\r\n321 not the end\r\n210 Done\r\n",
			"210 First\n123-Second\nJust some text\nHi\n\n321\n321 not the end\nDone", nil},
		{"220-a\r\n220-b\r\n220 c\r\n", "220 a\nb\nc", nil},
		{"211-Features:\r\n MDTM\r\n 211 x\r\n211 End\r\n", "211 Features:\n MDTM\n 211 x\nEnd", nil},
		{"230-a\r\n230\r\n", "230 a\n", nil},
		{"230-a\r\n2301\r\n230 b\r\n", "230 a\n2301\nb", nil},
		{"220 a\xff\xffb\r\n", "220 a\xffb", nil},
		{"SSH-2.0-x\r\n", "", ErrSyntax},
		{"\r\n", "", ErrSyntax},
		{"22 x\r\n", "", ErrSyntax},
		{"2200 x\r\n", "", ErrSyntax},
		{"220x\r\n", "", ErrSyntax},
		{"", "", io.EOF},
		{"220-a\r\nb\r\n", "", io.EOF},
		{"220-a\r\n" + strings.Repeat("x\r\n", 200), "", ErrReplyTooLong},
		{"220-a\r\n" + strings.Repeat("\r\n", 1000), "", ErrReplyTooLong},
		{"220 " + strings.Repeat("x", 250) + "\r\n", "", ErrReplyTooLong},
		{"220 " + strings.Repeat("x", 350) + "\r\n", "", ErrLineTooLong},
	} {
		r, err := ReadReply(NewLineReader(strings.NewReader(test.input), 300), 200)
		if err != test.err || err == nil && r.String() != test.want {
			t.Errorf("%q:\n got %q, %v\nwant %q, %v", test.input, r, err, test.want, test.err)
		}
	}
}

func TestReadReplyLeavesTheNextReply(t *testing.T) {
	l := NewLineReader(strings.NewReader("426-a\r\n426 b\r\n226 c\r\n"), 100)
	for _, want := range []Code{426, 226} {
		if r, err := ReadReply(l, 100); err != nil || r.Code != want {
			t.Errorf("got %v, %v, want %d", r, err, want)
		}
	}
}

// Framing cannot be broken: whatever the text, one reply is read back, with its
// code and its lines.
func FuzzReply(f *testing.F) {
	f.Add(211, "Features:\n MDTM\nEnd")
	f.Add(220, "")
	f.Add(500, "a\r\n226 b\x00\xff\xf4\n226 c\n226-d")
	f.Add(-1, "\n\n\xff\xff")
	f.Add(550, "\u009b\xc2\xc2\x80\xc2")
	f.Fuzz(func(t *testing.T, code int, text string) {
		in := Reply{Code(code), strings.Split(text, "\n")}
		wire := in.Append(nil)
		for i, c := range wire {
			if (c < ' ' || c == 0x7F) && c != '\r' && c != '\n' {
				t.Fatalf("control byte %#x at %d of %q", c, i, wire)
			}
		}
		for i := range len(wire) - 1 {
			if wire[i] == 0xC2 && 0x80 <= wire[i+1] && wire[i+1] < 0xA0 {
				t.Fatalf("C1 control character at %d of %q", i, wire)
			}
		}
		if bytes.Count(wire, []byte("\r\n")) != len(in.Lines) ||
			bytes.Count(wire, []byte("\n")) != len(in.Lines) || bytes.Count(wire, []byte("\r")) != len(in.Lines) {
			t.Fatalf("%d lines became %q", len(in.Lines), wire)
		}
		l := NewLineReader(bytes.NewReader(wire), len(wire))
		l.Refuse = func([]byte) { t.Fatal("a Telnet option is in", wire) }
		out, err := ReadReply(l, len(wire))
		if err != nil {
			t.Fatalf("%q: %v", wire, err)
		}
		if _, err := l.ReadLine(); err != io.EOF {
			t.Fatalf("%q is more than one reply", wire)
		}
		if 100 <= code && code <= 999 && out.Code != in.Code {
			t.Fatalf("code %d became %d", in.Code, out.Code)
		}
		if len(out.Lines) != len(in.Lines) {
			t.Fatalf("%q became %q", in.Lines, out.Lines)
		}
		for i, line := range in.Lines {
			want := strings.ReplaceAll(string(appendText(nil, line)), "\xff\xff", "\xff")
			if 0 < i && i < len(in.Lines)-1 && line != "" && isDigit(line[0]) {
				want = " " + want
			}
			if out.Lines[i] != want {
				t.Fatalf("line %d: %q became %q", i, line, out.Lines[i])
			}
		}
	})
}

// Whatever a server sends, the reader takes no more than it is allowed to, and what it
// takes for a reply is framed as one.
func FuzzReadReply(f *testing.F) {
	f.Add([]byte("211-Features:\r\n MDTM\r\n211 End\r\n200 ok\r\n"), uint8(200))
	f.Add([]byte("211-a\n212 b\n211\n"), uint8(40))
	f.Add([]byte("20\r\n"), uint8(40))
	f.Add([]byte("200-\xff\xfb\x01\r\n\r\n\r\n"), uint8(4))
	f.Fuzz(func(t *testing.T, input []byte, limit uint8) {
		l := NewLineReader(bytes.NewReader(input), 64)
		for {
			r, err := ReadReply(l, int(limit))
			if err != nil {
				if r.Code != 0 || r.Lines != nil {
					t.Fatalf("%q: an error and %+v", input, r)
				}
				return
			}
			size := 0
			for _, line := range r.Lines {
				size += len(line) + 1
				if strings.Contains(line, "\n") {
					t.Fatalf("%q: a line is %q", input, line)
				}
			}
			if r.Code < 0 || r.Code > 999 || len(r.Lines) == 0 || size > int(limit) {
				t.Fatalf("%q with a limit of %d: %+v", input, limit, r)
			}
		}
	})
}
