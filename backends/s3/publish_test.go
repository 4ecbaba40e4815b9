package s3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// What the store has refused after it had read it all is sent again as a whole.
func TestSentAgain(t *testing.T) {
	for what, fault := range map[string]fake.Fault{
		"conflict":      {Times: 2, Effect: fake.Refuse(409, "ConditionalRequestConflict")},
		"no conditions": {When: conditional, Effect: fake.Refuse(501, "NotImplemented")},
	} {
		for _, size := range []int{0, 10, 300_000} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newBubble(t, fake.Options{}))
				fault.Op = "PutObject"
				hits := r.wire.Inject(fault)
				if err := r.upload("/f", vfs.ModeCreate, noise(size)); err != nil {
					t.Errorf("%s, %d bytes: %v", what, size, err)
				}
				if hits() == 0 {
					t.Errorf("%s, %d bytes: nothing was refused", what, size)
				}
				r.wire.Heal()
				r.stores("f", noise(size))
			})
		}
	}
}

// The same over connections, where the first body may still be on its way.
func TestSentAgainOverHTTP(t *testing.T) {
	for _, status := range []int{http.StatusConflict, http.StatusNotImplemented} {
		for read, sizes := range map[int64][]int{0: {10, 200_000}, 100_000: {300_000}, 1 << 30: {10, 4_000_000}} {
			for _, size := range sizes {
				refused := 0
				server := fake.New(fake.Options{})
				server.CreateBucket("bucket")
				h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
					if q.Header.Get("If-None-Match") == "" || status == http.StatusConflict && refused > 0 {
						server.ServeHTTP(w, q)
						return
					}
					refused++
					_, _ = io.CopyN(io.Discard, q.Body, read)
					w.WriteHeader(status)
					fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", map[bool]string{true: "OperationAborted", false: "NotImplemented"}[status == http.StatusConflict])
				}))
				defer h.Close()
				r := newRig(t, connect(t, "fake", h.URL, "bucket", &http.Transport{}, testCredentials))
				if err := r.upload("/f", vfs.ModeCreate, noise(size)); err != nil || refused == 0 {
					t.Errorf("%d after %d of %d bytes: %v", status, read, size, err)
				}
				r.stores("f", noise(size))
			}
		}
	}
}

// A success that does not say what was made is no success, unless it is there.
func TestSaysNothing(t *testing.T) {
	for op, size := range map[string]int{
		"PutObject": 1000, "CreateMultipartUpload": testPart + 1, "UploadPart": testPart + 1, "CompleteMultipartUpload": testPart + 1,
	} {
		for _, done := range []bool{false, true} {
			r := newRig(t, newFake(t, fake.Options{}))
			r.put(t, "f", "old")
			r.wire.Inject(fake.Fault{Op: op, Times: 1, Effect: fake.SayNothing(done)})
			err := r.upload("/f", vfs.ModeReplace, noise(size))
			r.wire.Heal()
			if published := done && (op == "PutObject" || op == "CompleteMultipartUpload"); published {
				if err != nil {
					t.Errorf("%s, done: %v", op, err)
				}
				r.stores("f", noise(size))
			} else {
				if !errors.Is(err, vfs.ErrTransient) {
					t.Errorf("%s, done %t: %v", op, done, err)
				}
				r.stores("f", []byte("old"))
			}
			if op != "CreateMultipartUpload" {
				r.ended()
			}
		}
	}
}

// On a store that ignores conditions silently, of two exclusive uploads of one name only the
// first gets it, one after the other or at once, and of two that continue an object as well.
func TestConditionsIgnored(t *testing.T) {
	for _, size := range []int{10, testPart + 1} {
		for _, flag := range []int{vfs.ModeCreate, vfs.ModeAppend} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, newBubble(t, fake.Options{NoConditions: true}))
				var files []afero.File
				for range 3 {
					files = append(files, r.create("/f", flag))
				}
				for i, f := range files {
					if err := write(f, noise(size+i)); err != nil {
						t.Fatal(err)
					}
				}
				r.wire.Inject(fake.Fault{Op: "HeadObject", Effect: fake.Latency(time.Second)})
				errs := make([]error, len(files))
				var wg sync.WaitGroup
				for i, f := range files[:2] {
					wg.Go(func() { errs[i] = f.Close() })
				}
				wg.Wait()
				errs[2] = files[2].Close()
				won := -1
				for i, err := range errs {
					switch {
					case err == nil && won < 0:
						won = i
					case flag == vfs.ModeCreate && !errors.Is(err, fs.ErrExist), flag == vfs.ModeAppend && !errors.Is(err, vfs.ErrTransient):
						t.Errorf("%d bytes: %v", size, errs)
					}
				}
				if won < 0 || won == 2 {
					t.Fatalf("%d bytes: %v", size, errs)
				}
				r.wire.Heal()
				r.stores("f", noise(size+won))
				r.ended()
			})
		}
	}
}

// What Amazon's is called heeds conditions.
func TestHeedsConditions(t *testing.T) {
	for endpoint, want := range map[string]bool{"": true, "https://s3.eu-central-1.amazonaws.com": true, "https://s3.example": false} {
		b, err := New(Options{Bucket: "b", Client: sdk.New(sdk.Options{BaseEndpoint: text(endpoint)})})
		if err != nil || b.heedsConditions != want {
			t.Errorf("%q: %t, %v", endpoint, !want, err)
		}
	}
}
