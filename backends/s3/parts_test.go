package s3

import (
	"testing"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// walk adds up the parts of a file of n bytes, and returns how many there are and the largest.
// It is -1 parts if the file does not fit.
func walk(t *testing.T, s sizes, n int64) (parts int32, largest int64) {
	t.Helper()
	var total int64
	for number := int32(1); number <= maxParts; number++ {
		size := s.part(number)
		if size > maxPartSize || size < minPartSize {
			t.Fatalf("part %d has %d bytes", number, size)
		}
		largest = max(largest, size)
		if total += size; total >= n {
			return number, largest
		}
	}
	return -1, largest
}

func TestPartSizes(t *testing.T) {
	b := &Backend{o: Options{PartSize: DefaultPartSize}}
	s := b.sizesFor(0)
	for _, x := range []struct{ n, largest int64 }{
		{1, 6 << 20}, {6 << 20 * equalParts, 6 << 20}, {6<<20*equalParts + 1, 12 << 20},
		{42 << 30, 48 << 20}, {370 << 30, 384 << 20}, {maxSize, 6 << 29},
	} {
		if parts, largest := walk(t, s, x.n); parts < 0 || largest != x.largest {
			t.Errorf("%d bytes in %d parts, the largest of %d", x.n, parts, largest)
		}
	}
	b.o.Uniform = true
	if b.sizesFor(0).part(maxParts) != DefaultPartSize {
		t.Error("uniform parts grow")
	}
}

// TestAnnouncedPartSizes: what ALLO announces makes parts equal, and none larger than needed. A lie gets
// nobody more than an eighth of the budget for a part, and costs a file nothing up to a hundred
// times what was said.
func TestAnnouncedPartSizes(t *testing.T) {
	const budget = 256 << 20
	b := &Backend{o: Options{PartSize: DefaultPartSize, Budget: NewBudget(budget)}}
	usual := b.sizesFor(0)
	for _, n := range []int64{1, 1 << 20, 1 << 30, 8 << 20 * equalParts, 10 << 30, 39 << 30, 100 << 30, 156 << 30, 157 << 30, 1 << 40, maxSize, 1<<63 - 1} {
		s := b.sizesFor(n)
		if s.first > budget/8 {
			t.Errorf("%d announced: parts of %d bytes", n, s.first)
		}
		if n <= 156<<30 {
			parts, largest := walk(t, s, n)
			if parts < 0 || largest != s.first {
				t.Errorf("%d announced: %d parts, the first of %d and the largest of %d", n, parts, s.first, largest)
			}
			if _, otherwise := walk(t, usual, n); largest > otherwise {
				t.Errorf("%d announced: parts of %d bytes, and %d if nobody had said anything", n, largest, otherwise)
			}
		}
		if parts, _ := walk(t, s, min(n, maxSize/100)*100); parts < 0 {
			t.Errorf("%d announced, and a hundred times that does not fit", n)
		}
		if parts, _ := walk(t, s, min(n, maxSize)); parts < 0 {
			t.Errorf("%d announced do not fit", n)
		}
	}
	if s := b.sizesFor(1); s != usual {
		t.Errorf("a small file: %+v, not %+v", s, usual)
	}
	b.o.Uniform = true
	if s := b.sizesFor(200 << 30); s.part(1) != s.part(maxParts) || s.first*maxParts < 200<<30 || s.first > budget/8 {
		t.Errorf("uniform: %+v", s)
	}
}

// TestAnnouncedUpload: the size announced decides what is sent in one part.
func TestAnnouncedUpload(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t, func(o *Options) { o.PartSize, o.Budget = minPartSize, NewBudget(1<<30) }).Open("", 0)
	content := sample("announced", 7<<20)
	f, err := fsys.OpenFile("/f", vfs.ModeReplace, 0)
	if err != nil {
		t.Fatal(err)
	}
	vfs.HintSize(f, 40<<30) // 5,000 parts of 9 MiB
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	vfs.HintSize(f, 1) // comes too late
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if ops := st.wire.Ops(); len(ops) != 1 || ops[0] != "PutObject" {
		t.Errorf("sent %v", ops)
	}
	if got, _ := st.get(t, "f"); got != content {
		t.Errorf("%d bytes", len(got))
	}
}
