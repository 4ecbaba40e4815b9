package s3

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// What the store has begun without our hearing of it does not linger.
func TestLostCreate(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for name, change := range map[string]func(*Options){"retried": retrying, "once": func(*Options) {}} {
			r := newRig(t, st.fresh(), change)
			r.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Times: 1, Effect: fake.LoseAnswer()})
			err := r.upload("/f", vfs.ModeReplace, noise(testPart+1))
			if name == "once" && !errors.Is(err, vfs.ErrTransient) || name == "retried" && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			r.ended()
			if name == "retried" {
				r.stores("f", noise(testPart+1))
			}
			r.wire.Heal()
		}
	})
}

// The same for an upload that is cut while the answer is on its way.
func TestCutCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, newBubble(t, fake.Options{}))
		r.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Effect: func(q *http.Request, next http.RoundTripper) (*http.Response, error) {
			if _, err := fake.LoseAnswer()(q, next); err == nil {
				t.Error("it was answered")
			}
			return fake.Hang()(q, next)
		}})
		ctx, cancel := context.WithCancel(t.Context())
		r.fs = r.as(ctx)
		f := r.create("/f", vfs.ModeReplace)
		if err := write(f, noise(testPart+1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		start := time.Now()
		if err := vfs.Abort(f); err != nil {
			t.Errorf("abort: %v", err)
		}
		if took := time.Since(start); took != cutPatience {
			t.Errorf("it took %v", took)
		}
		r.empty()
	})
}

// Nobody else's upload is taken for one of ours that was lost.
func TestLostCreateOfOthers(t *testing.T) {
	begin := func(r *rig, key string) *string {
		r.Helper()
		out, err := r.direct.CreateMultipartUpload(r.Context(), &sdk.CreateMultipartUploadInput{Bucket: &r.bucket, Key: aws.String(r.prefix + key)})
		if err != nil {
			r.Fatal(err)
		}
		return out.UploadId
	}
	for name, c := range map[string]struct {
		first  func(r *rig)
		before func(r *rig) // the answer is lost
		then   func(r *rig) // between it and the end
		never  bool         // not the answer was lost, but the request
		want   []string     // ours among them, where it cannot be told which that is
	}{
		"earlier": {first: func(r *rig) { begin(r, "f"); time.Sleep(3 * time.Second) }, want: []string{"f"}},
		"later":   {then: func(r *rig) { time.Sleep(3 * time.Second); begin(r, "f") }, want: []string{"f"}},
		"with parts": {before: func(r *rig) {
			id := begin(r, "f")
			if _, err := r.direct.UploadPart(r.Context(), &sdk.UploadPartInput{
				Bucket: &r.bucket, Key: aws.String(r.prefix + "f"), UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
			}); err != nil {
				r.Fatal(err)
			}
		}, want: []string{"f"}},
		"at once":   {before: func(r *rig) { begin(r, "f") }, want: []string{"f", "f"}},
		"other key": {before: func(r *rig) { begin(r, "f2"); begin(r, "e") }, want: []string{"e", "f2"}},
		"of another session": {then: func(r *rig) {
			other := r.create("/f", vfs.ModeReplace)
			r.wire.Inject(fake.Fault{Op: "UploadPart", Times: 1, Effect: fake.Hang()})
			if err := write(other, noise(testPart+1)); err != nil {
				r.Fatal(err)
			}
			synctest.Wait()
			go func() {
				time.Sleep(time.Second)
				if err := vfs.Abort(other); err != nil {
					r.Errorf("abort: %v", err)
				}
			}()
		}, never: true, want: []string{"f"}},
		"nobody": {},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, newBubble(t, fake.Options{}), retrying)
			r.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Times: 1, Effect: func(q *http.Request, next http.RoundTripper) (*http.Response, error) {
				if c.before != nil {
					c.before(r)
				}
				if c.never {
					return fake.Reset()(q, next)
				}
				return fake.LoseAnswer()(q, next)
			}})
			if c.first != nil {
				c.first(r)
			}
			f := r.create("/f", vfs.ModeReplace)
			if err := write(f, noise(testPart+1)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if c.then != nil {
				c.then(r)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if got := r.uploads(t); !slices.Equal(slices.Sorted(slices.Values(got)), c.want) {
				t.Errorf("%s: there are %q, want %q", name, got, c.want)
			}
			r.stores("f", noise(testPart+1))
			time.Sleep(time.Minute)
		})
	}
}

// A store that only asks to slow down has begun nothing.
func TestBusyCreate(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}), retrying)
	r.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Times: 2, Effect: fake.Refuse(503, "SlowDown")})
	if err := r.upload("/f", vfs.ModeReplace, noise(testPart+1)); err != nil {
		t.Fatal(err)
	}
	if n := r.wire.Count("ListMultipartUploads"); n != 0 {
		t.Errorf("asked %q", r.wire.Ops())
	}
}
