package ftp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll returns every line up to the end of input, with ErrLineTooLong and
// Telnet answers as lines of their own.
func readAll(t testing.TB, r io.Reader, limit int) []string {
	t.Helper()
	var lines []string
	l := NewLineReader(r, limit)
	l.Refuse = func(answer []byte) { lines = append(lines, fmt.Sprintf("answer %x", answer)) }
	for {
		line, err := l.ReadLine()
		switch {
		case err == io.EOF:
			return lines
		case err == ErrLineTooLong:
			lines = append(lines, "too long")
		case err != nil:
			t.Fatal(err)
		default:
			lines = append(lines, "="+string(line))
		}
	}
}

// chunks is a reader that returns one chunk per read, as far as it fits, and
// notes the room that it was offered.
type chunks struct {
	rest [][]byte
	room int
}

func (c *chunks) Read(p []byte) (int, error) {
	c.room = max(c.room, len(p))
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest[0])
	if c.rest[0] = c.rest[0][n:]; len(c.rest[0]) == 0 {
		c.rest = c.rest[1:]
	}
	return n, nil
}

var lineTests = []struct {
	input string
	want  []string
}{
	{"", nil},
	{"NOOP\r\n", []string{"=NOOP"}},
	{"NOOP PWD\r\nPWD\r\nNOOP\r\n", []string{"=NOOP PWD", "=PWD", "=NOOP"}}, // SEED C8
	{"NOOP\nNOOP\r\n", []string{"=NOOP", "=NOOP"}},                          // SEED C10
	{"PWD\r\r\n", []string{"=PWD\r"}},                                       // SEED C11
	{"\r\n\n \r\n", []string{"=", "=", "= "}},                               // SEED C15
	{"A\rB\x00\r\n", []string{"=A\rB\x00"}},
	{"NOOP\r\nPWD", []string{"=NOOP"}},              // the last line has no end
	{"\xff\xf4\xff\xf2ABOR\r\n", []string{"=ABOR"}}, // SEED C14, CLIENTS 2
	{"AB\xff\xf4\xff\xf2OR\r\n", []string{"=ABOR"}},
	{"ABOR\r\xff\xf2\n", []string{"=ABOR"}},
	{"\xff\xf1", nil},
	{"MKD \xff\xff\r\n", []string{"=MKD \xff"}},
	{"MKD \xff\xff\xff\xff\r\n", []string{"=MKD \xff\xff"}},
	{"MKD \xb5\xe9\xc3\xa9\r\n", []string{"=MKD \xb5\xe9\xc3\xa9"}},
	{"MKD \xffabc\r\n", []string{"=MKD \xffabc"}}, // no command: a client that does not double
	{"MKD \xff\r\n", []string{"=MKD \xff"}},
	{"MKD \xff\nPWD\n", []string{"=MKD \xff", "=PWD"}},
	{"NO\xff\xfd\x06OP\r\n", []string{"answer fffc06", "=NOOP"}}, // DO: WONT
	{"NO\xff\xfb\x06OP\r\n", []string{"answer fffe06", "=NOOP"}}, // WILL: DONT
	{"NO\xff\xfc\x06\xff\xfe\x06OP\r\n", []string{"=NOOP"}},      // WONT, DONT
	{"NO\xff\xfd\nOP\r\n", []string{"answer fffc0a", "=NOOP"}},   // LF is an option's number here
	{"NO\xff\xfd\xffOP\r\n", []string{"answer fffcff", "=NOOP"}},
	{"NO\xff\xfa\x18\x00x\xff\xff\xfby\xff\xf0OP\r\n", []string{"=NOOP"}},
	{"NO\xff\xfa\xff\xfa\xff\xf0OP\r\n", []string{"=NOOP"}},
	{"DELE a\xff\xfab\r\nPWD\r\n", []string{"too long", "=PWD"}}, // a part is lost: never DELE a
	{"DELE a\xff\xfab\xff\nPWD\r\n", []string{"too long", "=PWD"}},
	{strings.Repeat("x", 32) + "\r\n", []string{"=" + strings.Repeat("x", 32)}},
	{strings.Repeat("x", 32) + "\n", []string{"=" + strings.Repeat("x", 32)}},
	{strings.Repeat("x", 33) + "\r\nPWD\r\n", []string{"too long", "=PWD"}},
	{strings.Repeat("x", 33) + "\nPWD\r\n", []string{"too long", "=PWD"}},
	{strings.Repeat("x", 32) + "\r\r\nPWD\r\n", []string{"too long", "=PWD"}},
	{strings.Repeat("x", 31) + "\xff\xff\r\n", []string{"=" + strings.Repeat("x", 31) + "\xff"}},
	{strings.Repeat("x", 32) + "\xff\xff\r\nPWD\n", []string{"too long", "=PWD"}},
	{strings.Repeat("x", 32) + "\xff\r\nPWD\n", []string{"too long", "=PWD"}},
	{strings.Repeat("\xff\xf1", 99) + strings.Repeat("x", 32) + strings.Repeat("\xff\xf1", 99) + "\n", []string{"=" + strings.Repeat("x", 32)}},
	{strings.Repeat("x", 99) + "\xff\xfd\x01" + strings.Repeat("x", 99) + "\xff\r\nPWD\n", []string{"answer fffc01", "too long", "=PWD"}},
	{strings.Repeat("x", 999) + " PWD\r\nPWD\r\n", []string{"too long", "=PWD"}}, // SEED C13, THREATS 9
	{strings.Repeat("x", 99) + "\r\n" + strings.Repeat("y", 99) + "\nNOOP\n", []string{"too long", "too long", "=NOOP"}},
	{strings.Repeat("x", 999), nil},
}

// RFC 1123 §4.1.2.10: where the input is cut must not matter.
func TestReadLine(t *testing.T) {
	for _, test := range lineTests {
		check := func(how string, r io.Reader) {
			t.Helper()
			if got := readAll(t, r, 32); !slices.Equal(got, test.want) {
				t.Errorf("%.60q, %s:\n got %.60q\nwant %.60q", test.input, how, got, test.want)
			}
		}
		in := []byte(test.input)
		check("whole", bytes.NewReader(in))
		check("byte by byte", iotest.OneByteReader(bytes.NewReader(in)))
		check("data with EOF", iotest.DataErrReader(bytes.NewReader(in)))
		for i := range in {
			check(fmt.Sprint("cut at ", i), &chunks{rest: [][]byte{in[:i], in[i:]}})
		}
	}
}

// A deadline may pass anywhere, also in the middle of a Telnet command.
func TestReadLineGoesOnAfterADeadline(t *testing.T) {
	in := []byte("A\xff\xfd\x06B\xff\xff\xff\xf4C\xff\xfax\xff\xf0D\r\n" + strings.Repeat("x", 600) + "\r\nE\r\n")
	for i := range in {
		l := NewLineReader(io.MultiReader(bytes.NewReader(in[:i]), iotest.ErrReader(os.ErrDeadlineExceeded)), 300)
		var got []string
		errs := 0
		for {
			line, err := l.ReadLine()
			if err == io.EOF {
				break
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				errs++
				l.r = bytes.NewReader(in[i:]) // the same connection with a new deadline
				continue
			}
			got = append(got, fmt.Sprintf("%s %v", line, err))
		}
		want := []string{"AB\xffCD <nil>", " " + ErrLineTooLong.Error(), "E <nil>"}
		if errs != 1 || !slices.Equal(got, want) {
			t.Fatalf("deadline at %d: got %q after %d errors", i, got, errs)
		}
	}
}

// THREATS 9: one error, the tail never comes out, memory stays bounded.
func TestReadLineBoundsMemory(t *testing.T) {
	const limit = 4096
	for _, size := range []int{600, 4095, 4096, 4097, 4098, 5000, 16385, 10 << 20} {
		for _, chunk := range []int{1 << 30, 1500, 4096} {
			line := bytes.Repeat([]byte("DELE x "), size/7+1)[:size]
			in := &chunks{rest: slices.Collect(slices.Chunk(append(line, "\r\nNOOP\r\n"...), chunk))}
			want := []string{"too long", "=NOOP"}
			if size <= limit {
				want[0] = "=" + string(line)
			}
			if got := readAll(t, in, limit); !slices.Equal(got, want) {
				t.Errorf("%d bytes: got %.80q", size, got)
			}
			if in.room > limit+3 {
				t.Errorf("%d bytes: a buffer of %d", size, in.room)
			}
		}
	}
}

// The buffer has just the room that the last byte of the longest line needs.
func TestReadLineAtTheLimit(t *testing.T) {
	for _, limit := range []int{idleBuffer - 3, idleBuffer - 2, idleBuffer - 1, idleBuffer, 300, 1000} {
		for size := limit - 3; size <= limit+3; size++ {
			text := strings.Repeat("x", size)
			for _, test := range []struct{ ending, more string }{
				{"\n", ""}, {"\r\n", ""},
				{"\xff\xf1\n", ""}, {"\xff\xf1\r\n", ""}, {"\r\xff\xf1\n", ""}, {"\r\xff\xfax\xff\xf0\n", ""},
				{"\xff\xff\n", "\xff"}, {"\xff\xff\r\n", "\xff"}, {"\xff\n", "\xff"}, {"\xff\r\n", "\xff"},
				{"\r\xff\xff\n", "\r\xff"}, {"\xff\xff\xff\xff\r\n", "\xff\xff"},
			} {
				want := []string{"=" + text + test.more, "=PWD"}
				if size+len(test.more) > limit {
					want[0] = "too long"
				}
				in := &chunks{rest: [][]byte{[]byte(text + test.ending + "PWD\n")}}
				if got := readAll(t, in, limit); !slices.Equal(got, want) {
					t.Errorf("limit %d, %d bytes and %q: got %.20q", limit, size, test.ending, got)
				}
				if in.room > max(limit+3, idleBuffer) {
					t.Errorf("limit %d, %d bytes and %q: a buffer of %d", limit, size, test.ending, in.room)
				}
			}
		}
	}
	// Neither doubled IACs nor commands without end make room for more.
	for _, flood := range []string{"\xff\xff", "\xff\xf1", "\xff\xfd\x01", "\xff\xfax\xff\xf0", "\xff\xfa\xff\xff", "\xffx"} {
		in := &chunks{rest: [][]byte{bytes.Repeat([]byte(flood), 1<<20)}}
		l := NewLineReader(in, 300)
		if line, err := l.ReadLine(); err != io.EOF {
			t.Errorf("%q without end: %.20q, %v", flood, line, err)
		}
		if in.room > 303 {
			t.Errorf("%q without end: a buffer of %d", flood, in.room)
		}
	}
}

func TestReadLineIsSmallWhenIdle(t *testing.T) {
	in := &chunks{rest: [][]byte{bytes.Repeat([]byte("x"), 3000), []byte("\r\n"), []byte("NOOP\r\n")}}
	l := NewLineReader(in, 4096)
	if line, err := l.ReadLine(); len(line) != 3000 || err != nil {
		t.Fatal(len(line), err)
	}
	in.room = 0
	if line, err := l.ReadLine(); string(line) != "NOOP" || err != nil {
		t.Fatal(line, err)
	}
	if in.room > idleBuffer || len(l.buf) > idleBuffer {
		t.Errorf("an idle reader holds %d bytes", len(l.buf))
	}
}

func TestReadLineDoesNotAllocate(t *testing.T) {
	l := NewLineReader(repeat("NOOP \xff\xff\r\n"), 100)
	if n := testing.AllocsPerRun(1000, func() { _, _ = l.ReadLine() }); n != 0 {
		t.Errorf("%v allocations per line", n)
	}
}

// repeat is an endless reader.
type repeat string

func (r repeat) Read(p []byte) (int, error) { return copy(p, r), nil }

func TestReadLineTakesAMillionEmptyLines(t *testing.T) {
	l := NewLineReader(bytes.NewReader(bytes.Repeat([]byte("\r\n"), 1_000_000)), 100)
	n := 0
	for {
		line, err := l.ReadLine()
		if err == io.EOF {
			break
		}
		if len(line) != 0 || err != nil {
			t.Fatal(line, err)
		}
		n++
	}
	if n != 1_000_000 {
		t.Errorf("%d lines", n)
	}
}

func TestReadLineErrors(t *testing.T) {
	l := NewLineReader(emptyReads{}, 100)
	if _, err := l.ReadLine(); err != io.ErrNoProgress {
		t.Error(err)
	}
	l.Reset(iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := l.ReadLine(); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	l = NewLineReader(strings.NewReader("a\nbb\n"), 0) // the limit is at least 1
	if line, err := l.ReadLine(); string(line) != "a" || err != nil {
		t.Error(line, err)
	}
	if _, err := l.ReadLine(); err != ErrLineTooLong {
		t.Error(err)
	}
	for range 2 {
		if _, err := l.ReadLine(); err != io.EOF {
			t.Error(err)
		}
	}
}

type emptyReads struct{}

func (emptyReads) Read([]byte) (int, error) { return 0, nil }

func TestBufferedAndDiscard(t *testing.T) {
	for _, test := range []struct {
		after string // what came behind the first line
		want  bool
	}{
		{"", false}, {"NOOP\r\n", true}, {"N", true}, {"\xff", true}, {"\n", true},
	} {
		l := NewLineReader(strings.NewReader("AUTH TLS\r\n"+test.after), 100)
		if l.Buffered() {
			t.Error("something is buffered before the first read")
		}
		if line, err := l.ReadLine(); string(line) != "AUTH TLS" || err != nil {
			t.Fatal(line, err)
		}
		if got := l.Buffered(); got != test.want {
			t.Errorf("Buffered with %q: %v", test.after, got)
		}
		// THREATS 6: what was sent in the clear is never executed.
		l.Discard()
		if l.Buffered() {
			t.Errorf("%q survives Discard", test.after)
		}
		l.Reset(strings.NewReader("PBSZ 0\r\n"))
		if line, err := l.ReadLine(); string(line) != "PBSZ 0" || err != nil {
			t.Errorf("%q survives: %q, %v", test.after, line, err)
		}
	}
}

func TestDiscardInMidLine(t *testing.T) {
	for _, part := range []string{"DELE x", "DELE x\xff", "\xff\xfd", "\xff\xfax", strings.Repeat("x", 999)} {
		l := NewLineReader(io.MultiReader(strings.NewReader(part), iotest.ErrReader(os.ErrDeadlineExceeded)), 100)
		if _, err := l.ReadLine(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if !l.Buffered() {
			t.Errorf("%.20q is not reported", part)
		}
		l.Reset(strings.NewReader("PWD\r\n"))
		if line, err := l.ReadLine(); string(line) != "PWD" || err != nil {
			t.Errorf("%.20q survives: %q, %v", part, line, err)
		}
	}
}

// The same lines come out however the input is cut, none longer than the limit,
// never a part of a longer one, and no buffer grows beyond the limit.
func FuzzLineReader(f *testing.F) {
	for _, test := range lineTests {
		f.Add([]byte(test.input), uint16(32), uint16(7))
	}
	f.Fuzz(func(t *testing.T, input []byte, limit, cut uint16) {
		limit = max(limit, 1)
		whole := &chunks{rest: [][]byte{input}}
		parts := &chunks{rest: slices.Collect(slices.Chunk(input, int(cut)+1))}
		if len(input) == 0 {
			whole.rest = nil
		}
		want := readAll(t, whole, int(limit))
		if got := readAll(t, parts, int(limit)); !slices.Equal(got, want) {
			t.Fatalf("cut each %d: got %q, want %q", int(cut)+1, got, want)
		}
		if got := readAll(t, iotest.OneByteReader(bytes.NewReader(input)), int(limit)); !slices.Equal(got, want) {
			t.Fatalf("byte by byte: got %q, want %q", got, want)
		}
		if room := max(whole.room, parts.room); room > max(int(limit)+3, idleBuffer) {
			t.Fatalf("a buffer of %d with a limit of %d", room, limit)
		}
		for _, line := range want {
			if line[0] == '=' && (len(line)-1 > int(limit) || strings.Contains(line, "\n")) {
				t.Fatalf("line %q with a limit of %d", line, limit)
			}
		}
		if bytes.IndexByte(input, telnetIAC) >= 0 {
			return
		}
		// Without Telnet commands the lines are known.
		var plain []string
		for line := range bytes.Lines(input) {
			line, ended := bytes.CutSuffix(line, []byte("\n"))
			line = bytes.TrimSuffix(line, []byte("\r"))
			switch {
			case !ended:
			case len(line) > int(limit):
				plain = append(plain, "too long")
			default:
				plain = append(plain, "="+string(line))
			}
		}
		if !slices.Equal(want, plain) {
			t.Fatalf("got %q, want %q", want, plain)
		}
	})
}

func BenchmarkReadLine(b *testing.B) {
	l := NewLineReader(repeat("RETR some/directory/some-file-name.txt\r\n"), 4096)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = l.ReadLine()
	}
}
