//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// memoryBound is how far large transfers may move the memory of the gateway, in bytes.
const memoryBound = 64 << 20

// TestLargeTLS moves 1 GiB both ways with each version, and looks at every byte, and
// at what the gateway needs for it.
func TestLargeTLS(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode")
	}
	need(t, "curl")
	l := newTLSLab(t)
	for _, version := range tlsVersions {
		l.curl(t, append(l.with(version), "-T", put(t, l.work, "small", content(1000)), l.url("explicit log", "owner", "/small"))...)
	}
	idle := l.memory(t, "VmRSS")
	for _, version := range tlsVersions {
		sent := sha256.New()
		l.stream(t, io.TeeReader(&large{left: gib}, sent), io.Discard,
			append(l.with(version), "-T", "-", l.url("explicit log", "owner", "/large"))...)
		f, err := os.Open(filepath.Join(l.home, "large"))
		if err != nil {
			t.Fatal(err)
		}
		stored := sha256.New()
		_, err = io.Copy(stored, f)
		f.Close()
		equal(t, version+", stored", stored, sent, err)
		back := sha256.New()
		l.stream(t, nil, back, append(l.with(version), l.url("explicit log", "owner", "/large"))...)
		equal(t, version+", fetched", back, sent, nil)
	}
	most := l.memory(t, "VmHWM")
	t.Logf("memory of the gateway: %d MiB, %d MiB at most", idle>>20, most>>20)
	if most > idle+memoryBound {
		t.Errorf("the gateway took %d MiB, and had %d MiB before", most>>20, idle>>20)
	}
}

func equal(t *testing.T, what string, got, want hash.Hash, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Errorf("%s: it differs from what was sent", what)
	}
}

// stream runs curl, which must succeed, between a reader (nil: nothing) and a writer.
func (l *lab) stream(t *testing.T, in io.Reader, out io.Writer, args ...string) {
	t.Helper()
	cmd := l.command(t, "curl", append([]string{"-sS", "--max-time", "110"}, args...)...)
	var errors bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &errors
	if err := cmd.Run(); err != nil {
		t.Fatalf("curl %q: %v\n%s\nlog of the gateway:\n%s", args, err, errors.String(), l.log.tail(20))
	}
}

// large is a file of so many bytes. No two of its MiBs are equal where they lie.
type large struct{ at, left int }

// largePeriod is a prime, after which the file begins anew.
const largePeriod = 1<<20 + 7

func (r *large) Read(b []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), r.left)], content(largePeriod)[r.at:])
	r.at, r.left = (r.at+n)%largePeriod, r.left-n
	return n, nil
}
