package gateway

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestChecksumOfEndpoint: "auto" goes by the store that is asked, also where the environment names it.
func TestChecksumOfEndpoint(t *testing.T) {
	sums := make(chan string, 1)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"e"`)
		sums <- r.Header.Get("X-Amz-Checksum-Crc32")
	}))
	defer h.Close()
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_ENDPOINT_URL", h.URL)
	for setting, want := range map[config.Checksum]bool{config.ChecksumAuto: false, "CRC32": true} {
		open := newBackends(&config.Config{}, zerolog.Nop())
		b, err := open.openS3(&config.S3{Bucket: "b", PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s", Checksum: setting})
		if err != nil {
			t.Fatal(err)
		}
		f, err := b.Open("", 0).Create("/f")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(f, "content") // Close says why if it fails
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if sum := <-sums; (sum != "") != want {
			t.Errorf("%s: the checksum is %q", setting, sum)
		}
	}
}

// TestProbeOfWhatIsUsed: a backend that is only read is not written to, and the prefix of
// somebody who writes is tried where there is one.
func TestProbeOfWhatIsUsed(t *testing.T) {
	store := func(name, prefix string) config.Backend {
		return config.Backend{Kind: "s3", Name: name, PerUser: true, S3: &config.S3{Bucket: "b", Prefix: prefix}}
	}
	user := func(name string, access config.Access, b config.Backend) config.User {
		return config.User{Name: name, Access: access, Filesystem: b}
	}
	for _, c := range []struct {
		what string
		c    config.Config
		want []string
	}{
		{"only read", config.Config{
			Anonymous: &config.Anonymous{Filesystem: store("x", "pub/")},
			Users:     []config.User{user("r", config.ReadOnly, store("x", "r/"))},
		}, []string{"x pub/ false"}},
		{"shared with one who writes", config.Config{
			Anonymous: &config.Anonymous{Filesystem: store("x", "pub/")},
			Users:     []config.User{user("w", config.ReadWrite, store("x", "pub/"))},
		}, []string{"x pub/ true"}},
		{"one of many writes", config.Config{
			Users: []config.User{user("r", config.ReadOnly, store("x", "r/")), user("d", config.DropBox, store("x", "d/")), user("w", config.ReadWrite, store("x", "w/"))},
		}, []string{"x d/ true"}},
		{"two backends", config.Config{
			Users: []config.User{user("r", config.ReadOnly, store("x", "")), user("w", config.ReadWrite, store("y", ""))},
		}, []string{"x  false", "y  true"}},
	} {
		var got []string
		for _, x := range samples(buckets(&c.c)) {
			got = append(got, fmt.Sprintf("%s %s %t", x.Name, x.S3.Prefix, x.changes))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.what, got)
		}
	}
}

// TestBucketsTakeTurns: two backends of one bucket publish one after the other where it matters,
// though the store minds no conditions.
func TestBucketsTakeTurns(t *testing.T) {
	var mu sync.Mutex
	looks, puts, both := 0, 0, make(chan struct{})
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		there := puts > 0
		switch r.Method {
		case http.MethodHead:
			if looks++; looks == 2 {
				close(both)
			}
		case http.MethodPut:
			puts++
		}
		mu.Unlock()
		w.Header().Set("ETag", `"e"`)
		if r.Method == http.MethodHead && !there {
			select { // the other one has time to look as well
			case <-both:
			case <-time.After(300 * time.Millisecond):
			}
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer h.Close()
	open := newBackends(&config.Config{Limits: config.Limits{TransferMemory: 64 << 20}}, zerolog.Nop())
	errs := make(chan error, 2)
	for prefix, name := range map[string]string{"": "/d/f", "d/": "/f"} {
		b, err := open.openS3(&config.S3{Bucket: "b", Prefix: prefix, Endpoint: h.URL, PathStyle: true, AccessKeyID: "a", SecretAccessKey: "s"})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			f, err := b.Open("", 0).OpenFile(name, vfs.ModeCreate, vfs.NewFileMode)
			if err == nil {
				_, _ = io.WriteString(f, "content") // the same
				err = f.Close()
			}
			errs <- err
		}()
	}
	if one, two := <-errs, <-errs; (one == nil) == (two == nil) || !errors.Is(errors.Join(one, two), fs.ErrExist) {
		t.Errorf("they say %v and %v", one, two)
	}
	mu.Lock()
	defer mu.Unlock()
	if puts != 1 {
		t.Errorf("the object was stored %d times", puts)
	}
}
