package dtp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// toNetwork runs the sending stage over src with a buffer of the given size.
func toNetwork(t testing.TB, src io.Reader, size int) []byte {
	var out []byte
	b := make([]byte, size)
	for {
		n, err := readChunk(src, b, true)
		out = append(out, b[:n]...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fromNetwork runs the receiving stage over src.
func fromNetwork(t testing.TB, src io.Reader) []byte {
	var out bytes.Buffer
	var x Transfer
	if err := x.receiveASCII(src.Read, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestASCIISend(t *testing.T) {
	for file, want := range map[string]string{
		"":           "",
		"a":          "a",
		"\n":         "\r\n",
		"a\nb\n":     "a\r\nb\r\n",
		"\n\n":       "\r\n\r\n",
		"a\r\nb":     "a\r\r\nb",
		"\r":         "\r",
		"a\rb\r":     "a\rb\r",
		"\r\r\n\n\r": "\r\r\r\n\r\n\r",
	} {
		for size := 2; size < 12; size++ {
			if got := toNetwork(t, strings.NewReader(file), size); string(got) != want {
				t.Errorf("%q in buffers of %d: %q, not %q", file, size, got, want)
			}
		}
		if got := toNetwork(t, iotest.DataErrReader(strings.NewReader(file)), 64); string(got) != want {
			t.Errorf("%q: %q, not %q", file, got, want)
		}
	}
}

func TestASCIIReceive(t *testing.T) {
	for net, want := range map[string]string{
		"":             "",
		"a":            "a",
		"\r\n":         "\n",
		"a\r\nb\r\n":   "a\nb\n",
		"a\nb":         "a\nb",
		"\r":           "\r",
		"a\r":          "a\r",
		"a\rb":         "a\rb",
		"\r\r\n":       "\r\n",
		"\r\r":         "\r\r",
		"\r\r\r\n\n\r": "\r\r\n\n\r",
		"x\r\n\r":      "x\n\r",
	} {
		if got := fromNetwork(t, strings.NewReader(net)); string(got) != want {
			t.Errorf("%q: %q, not %q", net, got, want)
		}
		if got := fromNetwork(t, iotest.OneByteReader(strings.NewReader(net))); string(got) != want {
			t.Errorf("%q byte by byte: %q, not %q", net, got, want)
		}
		if got := fromNetwork(t, iotest.HalfReader(strings.NewReader(net))); string(got) != want {
			t.Errorf("%q in halves: %q, not %q", net, got, want)
		}
	}
}

// A CRLF on the edge of the transfer's own buffers.
func TestASCIIReceiveAcrossBuffers(t *testing.T) {
	for at := smallBuffer - 3; at < smallBuffer+3; at++ {
		for _, end := range []string{"\r\n", "\r", "\rx", "\r\r\n"} {
			text := strings.Repeat("x", at) + end
			want := strings.ReplaceAll(text, "\r\n", "\n")
			if got := fromNetwork(t, strings.NewReader(text)); string(got) != want {
				t.Errorf("%q at %d: %q", end, at, got[at:])
			}
		}
	}
}

// chunked reads in pieces of random sizes.
type chunked struct {
	b    []byte
	rand *rand.Rand
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:1+c.rand.IntN(min(len(c.b), 1+c.rand.IntN(300)))])
	c.b = c.b[n:]
	return n, nil
}

func FuzzASCIIRoundTrip(f *testing.F) {
	for _, s := range []string{"", "a", "\n", "\r\n", "a\r\n\r\rb\n\n\r", "\r", strings.Repeat("line\n", 99)} {
		f.Add([]byte(s), uint64(1), uint8(7))
	}
	f.Fuzz(func(t *testing.T, file []byte, seed uint64, size uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		sent := toNetwork(t, &chunked{file, r}, 2+int(size))
		if want := bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")); !bytes.Equal(sent, want) {
			t.Fatalf("%q is sent as %q", file, sent)
		}
		if got := fromNetwork(t, &chunked{sent, r}); !bytes.Equal(got, file) {
			t.Fatalf("%q comes back as %q", file, got)
		}
		// What was not made by the sending stage: every CRLF, nothing else.
		want := bytes.ReplaceAll(file, []byte("\r\n"), []byte("\n"))
		if got := fromNetwork(t, &chunked{file, r}); !bytes.Equal(got, want) {
			t.Fatalf("%q is received as %q", file, got)
		}
	})
}

func BenchmarkASCII(b *testing.B) {
	file := bytes.Repeat([]byte(strings.Repeat("x", 71)+"\n"), 1000)
	buf := make([]byte, 2*len(file))
	b.Run("send", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			copy(buf[len(file):], file)
			expandLF(buf, len(file), len(file))
		}
	})
	net := bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n"))
	b.Run("receive", func(b *testing.B) {
		b.SetBytes(int64(len(net)))
		for b.Loop() {
			copy(buf, net)
			joinCRLF(buf[:len(net)], true)
		}
	})
}
