package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// conditionless are stores that mind all conditions, and none.
var conditionless = map[string]fake.Options{"conditions": {}, "no conditions": {NoConditions: true}}

// holds compares what is stored, markers aside, with what should be.
func (st *store) holds(t *testing.T, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for _, key := range st.keys(t) {
		if key[len(key)-1] != '/' {
			got[key], _ = st.get(t, key)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("there is %s, want %s", names(got), names(want))
	}
}

// cut renames /old to /new and is cut at the request that the fault meets.
func (st *store) cut(t *testing.T, b *Backend, op string, skip int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var held atomic.Int32
	st.wire.Inject(fake.Fault{Op: op, Skip: skip, Effect: fake.Before(func() {
		// What is under way is over first: else the store might end it after the cut, at any time.
		if held.Add(1) == 1 {
			defer cancel()
			until(t, "the other requests have ended", func() bool { return st.wire.Running() == int(held.Load()) })
			return
		}
		<-ctx.Done()
	})})
	if err := vfs.WithContext(ctx, b.Open("", 0)).Rename("/old", "/new"); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was not cut: %v", err)
	}
	st.wire.Heal()
	st.wire.CloseIdleConnections() // see connect
}

// TestRenameDirectoryKeepsUploads: an upload through this gateway that comes under the
// new name while its directory is renamed is not replaced, nor is its namesake deleted.
func TestRenameDirectoryKeepsUploads(t *testing.T) {
	for name, o := range conditionless {
		t.Run(name, func(t *testing.T) {
			st := newFake(t, o)
			want := files("new/39", "uploaded, and answered 226")
			for i := range 40 {
				key := fmt.Sprintf("%02d", i)
				st.put(t, "old/"+key, "old "+key)
				want["old/"+key] = "old " + key
			}
			b := st.backend(t)
			st.wire.Inject(fake.Fault{Op: "CopyObject", Times: 1, Effect: fake.Before(func() {
				if err := storing("/new/39", vfs.ModeCreate, 0, want["new/39"])(b.Open("", 0)); err != nil {
					t.Errorf("upload: %v", err)
				}
			})})
			if err := b.Open("", 0).Rename("/old", "/new"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("it says %v", err)
			}
			for key, content := range want {
				if got, _ := st.get(t, key); got != content {
					t.Errorf("%q holds %q", key, got)
				}
			}
			// The client makes way for it, and goes on.
			if err := b.Open("", 0).Remove("/new/39"); err != nil {
				t.Fatal(err)
			}
			if err := b.Open("", 0).Rename("/old", "/new"); err != nil {
				t.Errorf("again: %v", err)
			}
			after := make(map[string]string)
			for i := range 40 {
				after[fmt.Sprintf("new/%02d", i)] = fmt.Sprintf("old %02d", i)
			}
			st.holds(t, after)
		})
	}
}

// TestRenameDirectoryTaken: what others store under the new name between the look and the
// copy stays, where the store minds conditions.
func TestRenameDirectoryTaken(t *testing.T) {
	for name, part := range map[string]int64{"whole": 0, "parts": faultPart} {
		st := newFake(t, fake.Options{MinPartSize: leastPart})
		st.put(t, "old/f", sample("old", largeFile))
		op := map[string]string{"whole": "CopyObject", "parts": "CompleteMultipartUpload"}[name]
		st.wire.Inject(fake.Fault{Op: op, Effect: fake.Before(func() { st.put(t, "new/f", "theirs") })})
		if err := st.backend(t, func(o *Options) { o.CopyPart = part }).Open("", 0).Rename("/old", "/new"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: it says %v", name, err)
		}
		st.holds(t, files("old/f", sample("old", largeFile), "new/f", "theirs"))
	}
}

// TestRenameTurns: on a store without conditions an upload through this gateway that
// comes between the look and the copy, or between the copy and the deletion, waits.
func TestRenameTurns(t *testing.T) {
	for _, c := range []struct{ what, from, to, op, upload string }{
		{"target of a directory", "/old", "/new", "CopyObject", "/new/f"},
		{"source of a directory", "/old", "/new", "DeleteObject", "/old/f"},
		{"source of a file", "/old/f", "/f", "DeleteObject", "/old/f"},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newBubble(t, fake.Options{NoConditions: true})
				st.put(t, "old/f", "old")
				b := st.backend(t)
				uploaded := make(chan error, 1)
				st.wire.Inject(fake.Fault{Op: c.op, Times: 1, Effect: fake.Before(func() {
					go func() { uploaded <- storing(c.upload, vfs.ModeReplace, 0, "upload")(b.Open("", 0)) }()
					synctest.Wait()
				})})
				if err := b.Open("", 0).Rename(c.from, c.to); err != nil {
					t.Error(err)
				}
				if err := <-uploaded; err != nil {
					t.Error(err)
				}
				if got, _ := st.get(t, c.upload[1:]); got != "upload" {
					t.Errorf("%s holds %q", c.upload, got)
				}
			})
		})
	}
}

// TestRenameDirectoryAgainChanged: the same command given again replaces nothing that
// has come since then, under either name, however soon, and whatever its size.
func TestRenameDirectoryAgainChanged(t *testing.T) {
	for name, o := range conditionless {
		for _, c := range []struct {
			what     string
			op       string // where the first one is cut
			skip     int
			change   func(st *store, t *testing.T)
			want     error
			old, new string // of the file 1
		}{
			{"target before the deletions", "CopyObject", 2, func(st *store, t *testing.T) { st.put(t, "new/1", "new") }, fs.ErrExist, "one", "new"},
			{"target before the deletions, other size", "CopyObject", 2, func(st *store, t *testing.T) { st.put(t, "new/1", "longer") }, fs.ErrExist, "one", "longer"},
			{"source after the copies", "PutObject", 2, func(st *store, t *testing.T) { st.put(t, "old/1", "two") }, fs.ErrExist, "two", "one"},
			{"source after a deletion", "DeleteObject", 0, func(st *store, t *testing.T) { st.put(t, "old/1", "two") }, vfs.ErrTransient, "two", "one"},
			{"target after a deletion", "DeleteObject", 0, func(st *store, t *testing.T) { st.put(t, "new/1", "two") }, vfs.ErrTransient, "one", "two"},
		} {
			t.Run(name+"/"+c.what, func(t *testing.T) {
				st := newFake(t, o)
				for i := range 3 {
					st.put(t, fmt.Sprintf("old/%d", i), "one")
				}
				b := st.backend(t)
				st.cut(t, b, c.op, c.skip)
				if _, copied := st.get(t, "new/1"); !copied && c.op != "CopyObject" {
					t.Fatal("it was cut too early")
				}
				c.change(st, t)
				if err := b.Open("", 0).Rename("/old", "/new"); !errors.Is(err, c.want) {
					t.Errorf("it says %v, want %v", err, c.want)
				}
				if got, _ := st.get(t, "old/1"); got != c.old {
					t.Errorf("the old one holds %q, want %q", got, c.old)
				}
				if got, _ := st.get(t, "new/1"); got != c.new {
					t.Errorf("the new one holds %q, want %q", got, c.new)
				}
			})
		}
	}
}

// TestRenameDirectoryForgets: whatever a gateway that was killed has left behind, what is
// later made under the old name is not moved into what is under the new one.
func TestRenameDirectoryForgets(t *testing.T) {
	for _, c := range []struct {
		what string
		skip int // deletions: of the file, and of the marker
	}{
		{"killed before the marker goes", 1},
		{"not killed", 2},
	} {
		st := newFake(t, fake.Options{})
		st.put(t, "old/report", "monday")
		b := st.backend(t)
		st.wire.Inject(fake.Fault{Op: "DeleteObject", Skip: c.skip, Effect: fake.Reset()})
		err := b.Open("", 0).Rename("/old", "/new")
		if killed := c.skip < 2; killed != (err != nil) {
			t.Fatalf("%s: %v", c.what, err)
		}
		st.wire.Heal()
		st.put(t, "old/report", "tuesday")
		st.put(t, "old/other", "tuesday")
		for range 2 {
			if err := b.Open("", 0).Rename("/old", "/new"); err == nil {
				t.Errorf("%s: no error", c.what)
			}
			st.holds(t, files("new/report", "monday", "old/report", "tuesday", "old/other", "tuesday"))
		}
		if err := b.Open("", 0).Rename("/old", "/new"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: at last: %v", c.what, err)
		}
		if err := b.Open("", 0).Rename("/old", "/else"); err != nil {
			t.Errorf("%s: to a free name: %v", c.what, err)
		}
	}
}

// TestRenameDirectoryAnotherName: a directory that is half-way goes nowhere else, as long
// as there is what it was on its way to.
func TestRenameDirectoryAnotherName(t *testing.T) {
	st := newFake(t, fake.Options{})
	for i := range 3 {
		st.put(t, fmt.Sprintf("old/%d", i), "x")
	}
	b := st.backend(t)
	fsys := b.Open("", 0)
	st.cut(t, b, "CopyObject", 2)
	if err := fsys.Rename("/old", "/else"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("to another name: %v", err)
	}
	for _, key := range st.keys(t) {
		if strings.HasPrefix(key, "else") {
			t.Errorf("there is %q", key)
		}
	}
	if err := fsys.RemoveAll("/new"); err != nil {
		t.Fatal(err)
	}
	if err := fsys.Mkdir("/new", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	if err := fsys.Rename("/old", "/new"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("to a directory that was made since then: %v", err)
	}
	if err := fsys.Rename("/old", "/else"); err != nil {
		t.Errorf("to another name, when nothing is left of the first one: %v", err)
	}
	st.holds(t, files("else/0", "x", "else/1", "x", "else/2", "x"))
}

// TestRenameDirectoryAgainParts: copies of what has come in parts are known again, though
// their ETags are others.
func TestRenameDirectoryAgainParts(t *testing.T) {
	for name, part := range map[string]int64{"whole": 0, "parts": faultPart} {
		t.Run(name, func(t *testing.T) {
			st := newFake(t, fake.Options{MinPartSize: leastPart})
			want := make(map[string]string)
			for i := range 4 {
				want[fmt.Sprintf("new/%d", i)] = st.putParts(t, fmt.Sprintf("old/%d", i), fmt.Sprint(i))
			}
			b := st.backend(t, func(o *Options) { o.CopyPart, o.minPart = part, leastPart })
			st.cut(t, b, "PutObject", 2) // all is copied
			if err := b.Open("", 0).Rename("/old", "/new"); err != nil {
				t.Errorf("again: %v", err)
			}
			st.holds(t, want)
			if err := storing("/new/0", vfs.ModeAppend, 0, "more")(b.Open("", 0)); err != nil {
				t.Fatal(err)
			}
			if m := st.head(t, "new/0").Metadata; m[copyOfKey] != "" {
				t.Errorf("what has other content is still a copy: %v", m)
			}
		})
	}
}

// TestRenameDirectoryReplaced: a file that is replaced while its directory is renamed is
// not deleted, on any store.
func TestRenameDirectoryReplaced(t *testing.T) {
	for name, o := range conditionless {
		st := newFake(t, o)
		for i := range 40 {
			st.put(t, fmt.Sprintf("old/%02d", i), "old")
		}
		// Between the copies, which the third marker says are all there, and the first look of the deletions: on a store
		// without conditions nobody is safe between look and deletion.
		st.wire.Inject(fake.Fault{Op: "PutObject", Skip: 2, Times: 1, Effect: fake.After(func() {
			st.put(t, "old/39", "replaced, and answered 226")
		})})
		if err := st.backend(t).Open("", 0).Rename("/old", "/new"); !errors.Is(err, vfs.ErrTransient) {
			t.Errorf("%s: it says %v", name, err)
		}
		if got, _ := st.get(t, "old/39"); got != "replaced, and answered 226" {
			t.Errorf("%s: the upload is %q", name, got)
		}
	}
}

// TestRenameDirectoryDeletedMeanwhile: what somebody else deletes between our look and our deletion
// is gone, as it should be.
func TestRenameDirectoryDeletedMeanwhile(t *testing.T) {
	for name, o := range conditionless {
		st := newFake(t, o)
		for i := range 3 {
			st.put(t, fmt.Sprintf("old/%d", i), "x")
		}
		st.wire.Inject(fake.Fault{Op: "DeleteObject", Times: 1, Effect: func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if resp, err := next.RoundTrip(r.Clone(r.Context())); err == nil { // the other one's
				resp.Body.Close()
			}
			return next.RoundTrip(r)
		}})
		if err := st.backend(t).Open("", 0).Rename("/old", "/new"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		st.holds(t, files("new/0", "x", "new/1", "x", "new/2", "x"))
	}
}

// TestRenameClaim: of those that rename one file at the same moment, each to a name of its
// own, one has it: within a gateway on any store.
func TestRenameClaim(t *testing.T) {
	const clients = 4
	for name, o := range conditionless {
		st := newFake(t, o)
		b := st.backend(t, cached5s)
		for i := range 10 {
			job := fmt.Sprintf("/job%d", i)
			st.put(t, job[1:], "work")
			if _, err := b.Open("", 0).Stat(job); err != nil { // RNFR
				t.Fatal(err)
			}
			results := make(chan error, clients)
			for w := range clients {
				go func() { results <- b.Open("", 0).Rename(job, fmt.Sprintf("%s-of-%d", job, w)) }()
			}
			have := 0
			for range clients {
				switch err := <-results; {
				case err == nil:
					have++
				case !errors.Is(err, fs.ErrNotExist):
					t.Errorf("%s: %v", name, err)
				}
			}
			if n := len(st.keys(t)); have != 1 || n != i+1 {
				t.Errorf("%s: %d have it, and there are %d files, want %d", name, have, n, i+1)
			}
		}
	}
}

// TestRenameClaimElsewhere: and of two gateways.
func TestRenameClaimElsewhere(t *testing.T) {
	for _, target := range []string{"/theirs", "/ours"} {
		st := newFake(t, fake.Options{})
		st.put(t, "job", "work")
		ours, theirs := st.backend(t).Open("", 0), st.backend(t).Open("", 0)
		st.wire.Inject(fake.Fault{Op: "CopyObject", Times: 1, Effect: fake.After(func() {
			if err := theirs.Rename("/job", target); err != nil {
				t.Errorf("theirs: %v", err)
			}
		})})
		if err := ours.Rename("/job", "/ours"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ours: %v", err)
		}
		if got, _ := st.get(t, target[1:]); got != "work" {
			t.Errorf("%s holds %q", target, got)
		}
	}
}

// TestRenameDirectoryCutBetween: an RNTO that is cut does not take what it has done for all, though
// nothing fails.
func TestRenameDirectoryCutBetween(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, done := &renaming{objects: make([]object, 3)}, 0
	err := r.each(ctx, 1, func(context.Context, *object) error {
		done++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || done == len(r.objects) {
		t.Errorf("%d are done, and it says %v", done, err)
	}
}
