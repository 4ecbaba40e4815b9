package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// saysNothing is a success with no content that comes from a proxy, with nothing done.
func saysNothing(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: make(http.Header), Request: r, Body: io.NopCloser(bytes.NewReader(nil))}, nil
}

// losesContent lets the server do the work, and says nothing of it.
func losesContent(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	return saysNothing(r, nil)
}

// TestCopyEmptyAnswer: a success that does not say what was made is none. No source is
// deleted, nothing crashes, and no upload lingers.
func TestCopyEmptyAnswer(t *testing.T) {
	const part = 2 << 10
	small, large := sample("small", 100), sample("large", 2*part)
	rename := func(from, to string) func(afero.Fs) error {
		return func(f afero.Fs) error { return f.Rename(from, to) }
	}
	touch := func(f afero.Fs) error { return f.Chtimes("/d/small", time.Time{}, time.Unix(1, 0)) }
	for _, c := range []struct {
		verb string
		op   string
		do   func(afero.Fs) error
	}{
		{"a file", "CopyObject", rename("/d/small", "/new")},
		{"a directory", "CopyObject", rename("/d", "/new")},
		{"a file in parts", "CreateMultipartUpload", rename("/d/large", "/new")},
		{"a file in parts", "UploadPartCopy", rename("/d/large", "/new")},
		{"a file in parts", "CompleteMultipartUpload", rename("/d/large", "/new")},
		{"a directory with parts", "UploadPartCopy", rename("/d", "/new")},
		{"a time", "CopyObject", touch},
		{"what is appended to", "UploadPartCopy", storing("/d/large", vfs.ModeAppend, 0, "x")},
	} {
		t.Run(fmt.Sprintf("%s of %s", c.op, c.verb), func(t *testing.T) {
			st := newFake(t, fake.Options{MinPartSize: 1 << 10})
			st.put(t, "d/small", small)
			st.put(t, "d/large", large)
			fsys := st.backend(t, func(o *Options) { o.CopyPart, o.PartSize, o.minPart = part, part, 1<<10 }).Open("", 0)
			st.wire.Inject(fake.Fault{Op: c.op, Effect: saysNothing})
			if err := c.do(fsys); !errors.Is(err, vfs.ErrTransient) {
				t.Errorf("it says %v", err)
			}
			st.wire.Heal()
			for key, want := range map[string]string{"d/small": small, "d/large": large} {
				if got, _ := st.get(t, key); got != want {
					t.Errorf("%q holds %d bytes", key, len(got))
				}
			}
			if left := st.uploads(t); len(left) > 0 {
				t.Errorf("uploads linger: %q", left)
			}
		})
	}
}

// TestCopyLostContent: where the copy was made all the same, a look finds it.
func TestCopyLostContent(t *testing.T) {
	content := sample("f", 6<<10)
	for op, part := range map[string]int64{"CopyObject": 0, "CompleteMultipartUpload": 2 << 10} {
		st := newFake(t, fake.Options{MinPartSize: 1 << 10})
		st.put(t, "f", content)
		st.wire.Inject(fake.Fault{Op: op, Effect: losesContent})
		if err := st.backend(t, func(o *Options) { o.CopyPart = part }).Open("", 0).Rename("/f", "/g"); err != nil {
			t.Errorf("%s: %v", op, err)
		}
		if keys := strings.Join(st.keys(t), " "); keys != "g" {
			t.Errorf("%s: there is %s", op, keys)
		}
	}
}

// TestCopyPanic: a panic in a goroutine of a rename is its error.
func TestCopyPanic(t *testing.T) {
	for _, c := range []struct {
		op   string
		part int64
	}{{"CopyObject", 0}, {"UploadPartCopy", 2 << 10}, {"DeleteObject", 0}} {
		st := newFake(t, fake.Options{MinPartSize: 1 << 10})
		st.put(t, "old/f", sample("f", 6<<10))
		fsys := st.backend(t, func(o *Options) { o.CopyPart = c.part }).Open("", 0)
		st.wire.Inject(fake.Fault{Op: c.op, Times: 1, Effect: func(*http.Request, http.RoundTripper) (*http.Response, error) { panic("at the disco") }})
		if err := fsys.Rename("/old", "/new"); err == nil || !strings.Contains(err.Error(), "copy_test.go") {
			t.Errorf("%s: %v", c.op, err)
		}
		if err := fsys.Rename("/old", "/new"); err != nil {
			t.Errorf("%s, again: %v", c.op, err)
		}
	}
}

// TestCopyCutAtBegin: a copy in parts that is cut while the store begins it leaves no upload.
func TestCopyCutAtBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newBubble(t, fake.Options{MinPartSize: 1 << 10})
		st.put(t, "f", sample("f", 6<<10))
		b := st.backend(t, func(o *Options) { o.CopyPart = 2 << 10 })
		ctx, cancel := context.WithCancel(t.Context())
		st.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Effect: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			cancel() // the server works on
			time.Sleep(cutPatience / 2)
			resp, err := next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
			if err == nil && r.Context().Err() != nil {
				return nil, errors.Join(r.Context().Err(), resp.Body.Close())
			}
			return resp, err
		}})
		began := time.Now()
		if err := vfs.WithContext(ctx, b.Open("", 0)).Rename("/f", "/g"); !errors.Is(err, context.Canceled) {
			t.Errorf("it says %v", err)
		}
		if took := time.Since(began); took >= time.Second {
			t.Errorf("it took %v", took)
		}
		if left := st.uploads(t); len(left) > 0 {
			t.Errorf("uploads linger: %q", left)
		}
		if keys := st.keys(t); !slices.Equal(keys, []string{"f"}) {
			t.Errorf("there are %q", keys)
		}
	})
}

func TestCopySource(t *testing.T) {
	for bucket, want := range map[string]string{
		"bucket": "bucket/a%2Bb/c%20d",
		"arn:aws:s3:eu-west-1:123456789012:accesspoint/ftp": "arn%3Aaws%3As3%3Aeu-west-1%3A123456789012%3Aaccesspoint/ftp/object/a%2Bb/c%20d",
	} {
		b := &Backend{o: Options{Bucket: bucket}}
		if got := b.copySource("a+b/c d"); got != want {
			t.Errorf("%s: %s", bucket, got)
		}
	}
}
