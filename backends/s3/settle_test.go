package s3

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

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
