package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestEveryCancel ends the command while any one of its requests hangs. The verb ends
// within a second and leaves the old state, no request, no goroutine (or the bubble would not end) and no
// multipart upload; or it publishes, which nothing ends but its own timeout: then it succeeds
// once the request goes on.
func TestEveryCancel(t *testing.T) {
	for _, v := range faultyVerbs {
		t.Run(v.name, func(t *testing.T) {
			st := newFake(t, fake.Options{MinPartSize: leastPart})
			seen := make(map[string]int)
			for _, rec := range v.run(t, st, nil).log {
				f := fake.Fault{Op: rec.Op, Skip: seen[rec.Op], Times: 1}
				seen[rec.Op]++
				hangs := func(what string, effect func(release <-chan struct{}) fake.Effect) {
					t.Run(fmt.Sprintf("%s %d %s", f.Op, f.Skip, what), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							release := make(chan struct{})
							f.Effect = effect(release)
							v.cancelled(t, newBubble(t, fake.Options{MinPartSize: leastPart}), f, release)
						})
					})
				}
				hangs("hangs", fake.Hold)
				if reading(rec) {
					hangs("stalls", func(release <-chan struct{}) fake.Effect { return fake.StallDownload(100, release) })
				}
			}
		})
	}
}

const (
	patience = time.Second            // what an ended command may take
	glimpse  = 100 * time.Millisecond // after which what may be publishing is let go on
)

// detached are the requests that a verb may not want to be cancelled.
var detached = []string{"PutObject", "CompleteMultipartUpload", "HeadObject", "DeleteObject", "ListObjectsV2"}

// cancelled runs v with a fault that hangs until release is closed, and ends its context.
func (v verb) cancelled(t *testing.T, st *store, f fake.Fault, release chan struct{}) {
	for _, key := range slices.Sorted(maps.Keys(v.before)) {
		st.put(t, key, v.before[key])
	}
	st.wire.Forget()
	defer st.wire.Heal()
	hits := st.wire.Inject(f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fsys := vfs.WithContext(ctx, st.backend(t, v.configure(st)).Open("alice", 0))
	done := make(chan error, 1)
	go func() { done <- v.do(fsys) }()
	synctest.Wait()
	if hits() != 1 {
		t.Fatal("the request does not hang")
	}
	cancel()
	var err error
	wait := patience
	if slices.Contains(detached, f.Op) {
		wait = glimpse
	}
	select {
	case err = <-done:
	case <-time.After(wait):
		if wait == patience {
			t.Fatalf("goes on %v after its context has ended", patience)
		}
		close(release)
		err = <-done
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	synctest.Wait()
	if n := st.wire.Running(); n > 0 {
		t.Errorf("%d requests go on", n)
	}
	left := make(map[string]string)
	for _, key := range st.keys(t) {
		left[key], _ = st.get(t, key)
	}
	switch {
	case err == nil && maps.Equal(left, v.after):
	case err != nil && (maps.Equal(left, v.before) || v.between != nil && v.between(left)):
	default:
		t.Errorf("ended with %v and left %s", err, names(left))
	}
	if left := st.uploads(t); len(left) > 0 && f.Op != "CreateMultipartUpload" {
		t.Errorf("multipart uploads linger: %q", left)
	}
}
