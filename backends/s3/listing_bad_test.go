package s3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// answers replaces the answers to one operation: the nth gets bodies[n], and all that follow the last.
func answers(bodies ...string) fake.Effect {
	n := 0
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		body := bodies[min(n, len(bodies)-1)]
		n++
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

// pageOf is an answer to ListObjectsV2. A key that ends in a slash is a common prefix.
func pageOf(next string, keys ...string) string {
	s := "<ListBucketResult>"
	switch next {
	case "":
	case "nowhere":
		s += "<IsTruncated>true</IsTruncated>"
	default:
		s += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + next + "</NextContinuationToken>"
	}
	for _, k := range keys {
		if strings.HasSuffix(k, "/") {
			s += "<CommonPrefixes><Prefix>" + k + "</Prefix></CommonPrefixes>"
		} else {
			s += "<Contents><Key>" + k + `</Key><Size>1</Size><ETag>"e"</ETag></Contents>`
		}
	}
	return s + "</ListBucketResult>"
}

// TestBadListing: what a store must not answer is an error, on the first page and on one that
// is fetched meanwhile, and neither the end of the list nor that of the process.
func TestBadListing(t *testing.T) {
	for what, bad := range map[string]func(prefix string) string{
		"a key from elsewhere":      func(string) string { return pageOf("", "x") },
		"a key of a neighbour":      func(p string) string { return pageOf("", p+"dd") },
		"a key further down":        func(p string) string { return pageOf("", p+"d/e/f") },
		"a prefix from elsewhere":   func(string) string { return pageOf("", "x/") },
		"a prefix further down":     func(p string) string { return pageOf("", p+"d/e/f/") },
		"it goes on nowhere":        func(p string) string { return pageOf("nowhere", p+"d/e") },
		"it goes on where it was":   func(p string) string { return pageOf("1", p+"d/e") },
		"so it does without a key":  func(string) string { return pageOf("1") },
		"and nowhere without a key": func(string) string { return pageOf("nowhere") },
	} {
		for _, pages := range []int{0, 1} {
			st := newFake(t, fake.Options{})
			bodies := slices.Repeat([]string{pageOf("1", st.prefix+"d/a")}, pages)
			st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: answers(append(bodies, bad(st.prefix))...)})
			d, err := st.backend(t).Open("", 0).Open("/d")
			for err == nil {
				_, err = d.Readdir(1)
			}
			if !errors.Is(err, vfs.ErrTransient) || !strings.Contains(err.Error(), "the storage ") {
				t.Errorf("%s after %d pages: %v", what, pages, err)
			}
			if d != nil {
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
			if n := st.wire.Count("ListObjectsV2"); n > 3 {
				t.Errorf("%s: %d requests", what, n)
			}
		}
	}
}

// TestListingGoesRound: a list that comes to where it has been is an error, however long the way
// round is, and for everybody who reads one.
func TestListingGoesRound(t *testing.T) {
	for _, c := range []struct{ before, round int }{{0, 1}, {1, 1}, {0, 2}, {1, 2}, {5, 3}, {3, 8}} {
		for what, do := range map[string]func(b *Backend) error{
			"LIST": func(b *Backend) error {
				d, err := b.Open("", 0).Open("/d")
				if err != nil {
					return err
				}
				_, err = d.Readdir(-1)
				return errors.Join(err, d.Close())
			},
			"RNTO": func(b *Backend) error { return b.Open("", 0).Rename("/d", "/e") },
			"STAT": func(b *Backend) error { _, err := b.Open("", 0).Stat("/d"); return err },
			"cleanup": func(b *Backend) error {
				for l, err := range b.Leftovers(t.Context(), time.Time{}) {
					if err != nil && l.Key == "" {
						return err
					}
				}
				return nil
			},
		} {
			st := newFake(t, fake.Options{})
			var pages atomic.Int32
			circle := func(body func(token string) string) fake.Effect {
				return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
					n := int(pages.Add(1))
					if n > c.before {
						n = c.before + (n-c.before)%c.round
					}
					return answers(body(fmt.Sprint("token", n)))(r, next)
				}
			}
			key := st.prefix + "d/f"
			if what == "STAT" {
				key = "" // it reads on as long as there is none
			}
			st.wire.Inject(fake.Fault{Op: "ListObjectsV2", When: func(c fake.Call) bool { return c.Query.Get("prefix") == st.prefix+"d/" },
				Effect: circle(func(token string) string {
					if key == "" {
						return pageOf(token)
					}
					return pageOf(token, key)
				})})
			st.wire.Inject(fake.Fault{Op: "ListMultipartUploads", Effect: circle(func(token string) string {
				return "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>" + token + "</NextKeyMarker></ListMultipartUploadsResult>"
			})})
			if err := do(st.backend(t)); !errors.Is(err, vfs.ErrTransient) || !strings.Contains(err.Error(), "the storage ") {
				t.Errorf("%s, %d pages and then a circle of %d: %v", what, c.before, c.round, err)
			}
			if n, most := int(pages.Load()), 4*(c.before+c.round)+4; n > most {
				t.Errorf("%s, %d pages and then a circle of %d: it asked for %d", what, c.before, c.round, n)
			}
		}
	}
}

// TestOddListing: a directory that is listed in itself is not shown, and a page
// without keys is not the end.
func TestOddListing(t *testing.T) {
	st := newFake(t, fake.Options{})
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: answers(
		pageOf("1"), pageOf("2"), pageOf("3", st.prefix+"d/", st.prefix+"d/a"), pageOf("4"), pageOf("", st.prefix+"d/b/"))})
	if got := shows(t, st.backend(t).Open("", 0), "/d"); !slices.Equal(got, []string{"a", "b/"}) {
		t.Errorf("it lists %q", got)
	}
}

// TestEmptyPages: whether there is a directory, and whether it is empty, is not decided by half an answer.
func TestEmptyPages(t *testing.T) {
	st := newFake(t, fake.Options{})
	fsys := st.backend(t).Open("", 0)
	marker := "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken>" +
		"<Contents><Key>" + st.prefix + "d/</Key><Size>0</Size></Contents></ListBucketResult>"
	for what, first := range map[string]string{"nothing": pageOf("1"), "the marker": marker} {
		st.put(t, "d/", "")
		st.put(t, "d/f", "1")
		inject := func() {
			st.wire.Heal()
			st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Effect: answers(first, pageOf("2"), pageOf("", st.prefix+"d/f"))})
		}
		inject()
		if i, err := fsys.Stat("/d"); err != nil || !i.IsDir() {
			t.Errorf("after %s: %v, %v", what, i, err)
		}
		inject()
		if err := fsys.Remove("/d"); !errors.Is(err, vfs.ErrNotEmpty) {
			t.Errorf("after %s: Remove: %v", what, err)
		}
	}
}

// TestHalfListingIsNotRenamed: a list that breaks off moves nothing.
func TestHalfListingIsNotRenamed(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 3 {
		st.put(t, fmt.Sprintf("old/%d", i), "1")
	}
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", When: func(c fake.Call) bool { return c.Query.Get("prefix") == st.prefix+"old/" },
		Skip: 1, Effect: answers(pageOf("nowhere", st.prefix+"old/0"))})
	if err := st.backend(t).Open("", 0).Rename("/old", "/new"); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("it says %v", err)
	}
	if got := st.keys(t); !slices.Equal(got, []string{"old/0", "old/1", "old/2"}) {
		t.Errorf("there are %q", got)
	}
}

type panickingBody struct{ io.ReadCloser }

func (panickingBody) Read([]byte) (int, error) { panic("injected") }

// TestPanicInGoroutine: what goes wrong in a goroutine of a listing or a download is an
// error of theirs. Without a guard this test ends with the process.
func TestPanicInGoroutine(t *testing.T) {
	panics := func(*http.Request, http.RoundTripper) (*http.Response, error) { panic("injected") }
	st := newFake(t, fake.Options{})
	for i := range 3 {
		st.put(t, fmt.Sprintf("d/%d", i), "1")
	}
	st.wire.Inject(fake.Fault{Op: "ListObjectsV2", Skip: 1, Effect: panics})
	d, err := st.backend(t, func(o *Options) { o.PageSize = 2 }).Open("", 0).Open("/d")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Readdir(-1); err == nil || !strings.Contains(err.Error(), "injected") {
		t.Errorf("the next page: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}

	st.wire.Heal()
	st.wire.Inject(fake.Fault{Op: "HeadObject", Effect: panics})
	d, err = st.backend(t, func(o *Options) { o.MetadataTimes = true }).Open("", 0).Open("/d")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = d.Readdir(-1); err == nil || !strings.Contains(err.Error(), "injected") {
		t.Errorf("the times: %v", err)
	}

	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) { o.Budget = NewBudget(64 << 20) })
		r.fake.Put(r.bucket, r.prefix+"f", noise(32<<20))
		r.wire.Inject(fake.Fault{Op: "GetObject", Skip: 1, Effect: func(q *http.Request, next http.RoundTripper) (*http.Response, error) {
			resp, err := next.RoundTrip(q)
			if err == nil {
				resp.Body = panickingBody{resp.Body}
			}
			return resp, err
		}})
		r.wire.Inject(fake.Fault{Op: "GetObject", Effect: throttle(slowRate)})
		if _, err := io.Copy(io.Discard, r.open("/f")); err == nil || !strings.Contains(err.Error(), "injected") {
			t.Errorf("a range: %v", err)
		}
	})
}
