package s3

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// A body reads the same from everywhere, in every way.
func TestBody(t *testing.T) {
	for _, size := range []int{0, 1, smallChunk, largeChunk + 1, 3*largeChunk + 77} {
		var budget *Budget
		c := &content{claim: budget.Claim(nil), limit: testPart}
		data := noise(size)
		if err := c.append(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(struct{ io.ReadSeeker }{&body{c: c}}, data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		for _, from := range []int{0, size / 2, size} {
			b := &body{c: c}
			if _, err := b.Seek(int64(from), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if n, err := b.WriteTo(&got); err != nil || n != int64(size-from) || !bytes.Equal(got.Bytes(), data[from:]) {
				t.Errorf("%d of %d bytes from %d: %v", n, size, from, err)
			}
			if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF { //nolint:errorlint // io.EOF itself
				t.Errorf("after the end: %d, %v", n, err)
			}
		}
		c.release()
	}
}
