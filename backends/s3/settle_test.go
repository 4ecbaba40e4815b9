package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// errSilent is what comes of a connection on which nothing moves.
var errSilent = &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}

// hungUp is a store that works for a while on what it has got, and a connection, or a proxy,
// that does not wait so long.
func hungUp(works, waits time.Duration, proxy bool) fake.Effect {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		done := make(chan struct{})
		var resp *http.Response
		var err error
		go func() {
			defer close(done)
			resp, err = fake.Late(works)(r.WithContext(r.Context()), next)
		}()
		select {
		case <-done:
			return resp, err
		case <-time.After(waits):
		}
		if proxy {
			return fake.Refuse(http.StatusGatewayTimeout, "GatewayTimeout")(&http.Request{URL: r.URL, Header: r.Header}, nil)
		}
		return nil, errSilent
	}
}

// A store may take its time to make an object of parts: as long as is written in the
// documentation, and longer than connections are patient.
func TestSlowComplete(t *testing.T) {
	const size = 4 * testPart
	for name, c := range map[string]struct {
		works, waits time.Duration
		proxy        bool
		want         error
	}{
		"slow":                {works: 30500 * time.Millisecond, waits: time.Hour},
		"too slow":            {works: time.Hour, waits: 2 * time.Hour, want: errors.New("deadline")},
		"silent":              {works: 28 * time.Second, waits: 10 * time.Second},
		"behind a proxy":      {works: 28 * time.Second, waits: 10 * time.Second, proxy: true},
		"silent for too long": {works: time.Hour, waits: 10 * time.Second, want: errors.New("deadline")},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}), retrying)
			hits := r.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: hungUp(c.works, c.waits, c.proxy)})
			began := time.Now()
			err := r.upload("/f", vfs.ModeReplace, noise(size))
			took := time.Since(began)
			if limit := 31 * time.Second; c.want == nil && (err != nil || took > c.works+settlePause) || c.want != nil && (err == nil || took != limit) {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			if hits() != 1 {
				t.Errorf("%s: %d times at once", name, hits())
			}
			if c.want == nil {
				r.stores("f", noise(size))
			}
			r.ended()
			time.Sleep(c.works) // the store goes on
			synctest.Wait()
			if c.want != nil {
				r.empty()
			}
		})
	}
}

// A copy in parts is followed in the same way: the source is deleted when the copy is there, and
// not before, and no copy comes later when it is said that there is none.
func TestSlowCompleteOfCopy(t *testing.T) {
	const part, limit = 2 << 10, 30 * time.Second
	content := sample("f", 3*part)
	for name, c := range map[string]struct {
		works, waits time.Duration
		proxy        bool
		cut          time.Duration // when the client goes away; 0: never
		fails        bool
	}{
		"slow":                {works: 29 * time.Second, waits: time.Hour},
		"silent":              {works: 28 * time.Second, waits: 10 * time.Second},
		"behind a proxy":      {works: 28 * time.Second, waits: 10 * time.Second, proxy: true},
		"cut":                 {works: 28 * time.Second, waits: 10 * time.Second, cut: 5 * time.Second},
		"cut while looking":   {works: 28 * time.Second, waits: 10 * time.Second, cut: 15 * time.Second},
		"too slow":            {works: time.Hour, waits: 2 * time.Hour, fails: true},
		"silent for too long": {works: time.Hour, waits: 10 * time.Second, fails: true},
	} {
		for _, dir := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				st := newBubble(t, fake.Options{MinPartSize: 1 << 10})
				st.put(t, "d/f", content)
				b := st.backend(t, func(o *Options) { o.CopyPart = part }, retrying)
				hits := st.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: hungUp(c.works, c.waits, c.proxy)})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cut > 0 {
					time.AfterFunc(c.cut, cancel)
				}
				from, to := "/d/f", "/d/g"
				if dir {
					from, to = "/d", "/e"
				}
				began := time.Now()
				err := vfs.WithContext(ctx, b.Open("", 0)).Rename(from, to)
				took := time.Since(began)
				old, there := st.get(t, "d/f")
				_, copied := st.get(t, map[bool]string{false: "d/g", true: "e/f"}[dir])
				switch {
				case c.fails:
					if err == nil || took != limit || copied {
						t.Errorf("%s, directory %t: %v after %v, a copy %t", name, dir, err, took, copied)
					}
				case dir && c.cut > 0: // it ends after the copies
					if !errors.Is(err, context.Canceled) || !copied {
						t.Errorf("%s, directory %t: %v, a copy %t", name, dir, err, copied)
					}
				case err != nil || !copied || there || took > c.works+settlePause:
					t.Errorf("%s, directory %t: %v after %v, a copy %t, the source %t", name, dir, err, took, copied, there)
				}
				if err != nil && old != content {
					t.Errorf("%s, directory %t: the source holds %d bytes", name, dir, len(old))
				}
				if hits() != 1 {
					t.Errorf("%s, directory %t: %d times at once", name, dir, hits())
				}
				before := st.keys(t)
				time.Sleep(c.works) // the store goes on
				synctest.Wait()
				if keys := st.keys(t); !slices.Equal(keys, before) {
					t.Errorf("%s, directory %t: later there is %q, not %q", name, dir, keys, before)
				}
				if left := st.uploads(t); len(left) > 0 {
					t.Errorf("%s, directory %t: uploads linger: %q", name, dir, left)
				}
			})
		}
	}
}

// What the store ends with while the upload is given up is found, and is a success.
func TestCompleteAtTheLastMoment(t *testing.T) {
	content := sample("f", 6<<10)
	for name, do := range map[string]func(f afero.Fs) error{
		"a copy":    func(f afero.Fs) error { return f.Rename("/f", "/g") },
		"an upload": storing("/g", vfs.ModeReplace, 0, content),
	} {
		synctest.Test(t, func(t *testing.T) {
			st := newBubble(t, fake.Options{MinPartSize: 1 << 10})
			st.put(t, "f", content)
			fsys := st.backend(t, func(o *Options) { o.CopyPart, o.PartSize, o.minPart = 2<<10, 2<<10, 1<<10 }).Open("", 0)
			st.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: hungUp(31*time.Second, 10*time.Second, false)})
			st.wire.Inject(fake.Fault{Op: "AbortMultipartUpload", Effect: fake.Latency(2 * time.Second)})
			if err := do(fsys); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, _ := st.get(t, "g"); got != content {
				t.Errorf("%s: there are %d bytes", name, len(got))
			}
		})
	}
}

// An upload that has ended without an object is not waited for.
func TestSilentThenGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}))
		r.wire.Inject(fake.Fault{Op: "CompleteMultipartUpload", Effect: hungUp(time.Hour, 10*time.Second, false)})
		r.wire.Inject(fake.Fault{Op: "ListParts", Effect: fake.Refuse(404, "NoSuchUpload")})
		began := time.Now()
		err := r.upload("/f", vfs.ModeReplace, noise(testPart+1))
		if took := time.Since(began); !errors.Is(err, vfs.ErrTransient) || took != 10*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		r.empty()
	})
}

func TestAssembly(t *testing.T) {
	for size, want := range map[int64]time.Duration{
		1: 30 * time.Second, 1 << 30: 94 * time.Second, 10 << 30: 670 * time.Second, maxSize: time.Hour,
	} {
		if got := assembly(size); got != want {
			t.Errorf("%d bytes: %v", size, got)
		}
	}
}

// What a connection of ours does on which nothing moves is silence; no connection is none.
func TestSilent(t *testing.T) {
	noEnvironment(t)
	end := make(chan struct{})
	h := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer h.Close()
	defer close(end)
	bucket := "b"
	ask := func(o ClientOptions) error {
		o.AccessKeyID, o.SecretAccessKey, o.PathStyle, o.MaxRetries = "a", "s", true, -1
		client, err := NewClient(o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: &bucket})
		return err
	}
	if err := ask(ClientOptions{Endpoint: h.URL, Timeout: 50 * time.Millisecond}); !silent(err) {
		t.Errorf("nothing moved: %v", err)
	}
	if err := ask(ClientOptions{Endpoint: h.URL, ConnectTimeout: time.Nanosecond}); err == nil || silent(err) {
		t.Errorf("no connection: %v", err)
	}
}
