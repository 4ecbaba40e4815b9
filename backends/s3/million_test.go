package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
)

// manyKeys answers every ListObjectsV2 with a page of a directory of n keys, of which it holds none.
func manyKeys(n int) fake.Effect {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		q := r.URL.Query()
		first, _ := strconv.Atoi(q.Get("continuation-token")) // none: 0
		size, err := strconv.Atoi(q.Get("max-keys"))
		if err != nil {
			return nil, err
		}
		last := min(first+size, n)
		var b bytes.Buffer
		fmt.Fprintf(&b, "<ListBucketResult><IsTruncated>%t</IsTruncated>", last < n)
		if last < n {
			fmt.Fprintf(&b, "<NextContinuationToken>%d</NextContinuationToken>", last)
		}
		for i := first; i < last; i++ {
			fmt.Fprintf(&b, `<Contents><Key>%ssome-file-name-%07d.dat</Key><LastModified>2026-11-22T00:00:00Z</LastModified><ETag>"%032x"</ETag><Size>%d</Size></Contents>`, q.Get("prefix"), i, i, i)
		}
		b.WriteString("</ListBucketResult>")
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(&b), ContentLength: int64(b.Len())}, nil
	}
}

// TestMillionKeys: a directory takes three pages of memory and what the cache may hold, however
// large it is.
func TestMillionKeys(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceEnabled { // with it, XML takes more than a minute
		n = 100_000
	}
	const pages, cacheBytes = 6 << 20, cacheMemory * 3 / 2 // of which the map of the cache grows by doubling
	st := newFake(t, fake.Options{})
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: manyKeys(n)})
	fsys := st.backend(t, func(o *Options) { o.MetadataCache = time.Hour }).Open("", 0)
	base := heapInUse()
	d, err := fsys.Open("/many")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var most int64
	seen := 0
	for {
		entries, err := d.Readdir(1000)
		if before := seen; before/50_000 != (before+len(entries))/50_000 {
			st.wire.Forget() // the test's own notes
			most = max(most, int64(heapInUse())-int64(base))
		}
		for _, e := range entries {
			if e.Size() != int64(seen) {
				t.Fatalf("entry %d is %q", seen, e.Name())
			}
			seen++
		}
		if err == io.EOF { //nolint:errorlint // it is io.EOF itself
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d KiB at most", most>>10)
	if seen != n {
		t.Errorf("%d entries of %d", seen, n)
	}
	if most > pages+cacheBytes {
		t.Errorf("the heap grew by %d bytes", most)
	}
}
