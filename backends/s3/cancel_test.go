package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestEveryCancel ends the command while any one of its requests hangs. The verb ends
// at once and leaves the old state, no request, no goroutine and no multipart
// upload; or it publishes, which nothing ends but its own timeout: then it succeeds
// once the request goes on.
func TestEveryCancel(t *testing.T) {
	for _, v := range faultyVerbs {
		t.Run(v.name, func(t *testing.T) {
			st := newFake(t, fake.Options{MinPartSize: leastPart})
			seen := make(map[string]int)
			for _, rec := range v.run(t, st, nil).log {
				f := fake.Fault{Op: rec.Op, Skip: seen[rec.Op], Times: 1}
				seen[rec.Op]++
				t.Run(fmt.Sprintf("%s %d hangs", f.Op, f.Skip), func(t *testing.T) {
					release := make(chan struct{})
					f.Effect = fake.Hold(release)
					v.cancelled(t, st.fresh(), f, release)
				})
				if reading(rec) {
					t.Run(fmt.Sprintf("%s %d stalls", f.Op, f.Skip), func(t *testing.T) {
						release := make(chan struct{})
						f.Effect = fake.StallDownload(100, release)
						v.cancelled(t, st.fresh(), f, release)
					})
				}
			}
		})
	}
}

const (
	patience = ftptest.Patience       // what an ended command may take: less than any limit that it could wait for instead
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
	ftptest.Eventually(t, "the request hangs", func() bool { return hits() == 1 })
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
	ftptest.Eventually(t, "requests and goroutines end", func() bool { return st.wire.Running() == 0 && !working() })
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

// working reports whether a goroutine runs code of this package that is not the tests'.
func working() bool {
	stacks := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		for line := range strings.Lines(stack) {
			if strings.Contains(line, "/backends/s3/") && strings.HasPrefix(line, "\t") &&
				!strings.Contains(line, "_test.go") && !strings.Contains(line, "/internal/fake/") {
				return true
			}
		}
	}
	return false
}
