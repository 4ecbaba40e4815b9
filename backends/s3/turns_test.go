package s3

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestTurnsAreShared: backends of one process that lead to one object take turns, whatever the
// names that it has there, and know of each other's uploads. Those of other buckets do not.
func TestTurnsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newBubble(t, fake.Options{})
		shared := new(Turns)
		view := func(prefix string) *Backend {
			return st.backend(t, func(o *Options) { o.Turns, o.Prefix = shared, st.prefix+prefix })
		}
		all, part := view(""), view("d/")
		st.put(t, "d/f", "1")
		done, err := all.turns.take(t.Context(), st.prefix+"d/f")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 2)
		go func() { ended <- part.Open("", 0).Rename("/f", "/g") }()
		go func() { ended <- storing("/f", vfs.ModeCreate, 0, "2")(part.Open("", 0)) }()
		synctest.Wait()
		if n := len(ended); n > 0 {
			t.Errorf("%d did not wait", n)
		}
		st.fake.CreateBucket("another")
		other := st.backend(t, func(o *Options) { o.Turns, o.Bucket = shared, "another" })
		otherDone, err := other.turns.take(t.Context(), st.prefix+"d/f")
		if err != nil {
			t.Fatal(err)
		}
		otherDone()
		done()
		<-ended
		<-ended

		for _, c := range []struct {
			second *Backend
			want   bool
		}{{all, true}, {part, true}, {other, false}} {
			all.turns.uploads("k", 1)
			c.second.turns.uploads("k", 1)
			if got := all.turns.others("k"); got != c.want {
				t.Errorf("of another upload it knows %t, want %t", got, c.want)
			}
			all.turns.uploads("k", -1)
			c.second.turns.uploads("k", -1)
		}
		if !shared.objects.Idle() || len(shared.uploading) > 0 {
			t.Errorf("turns are left, or %v", shared.uploading)
		}
	})
}

// TestTurnsOfSeveral: who wants several does not keep one while he waits in vain for another.
func TestTurnsOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, fake.Options{}).backend(t)
		done, err := b.turns.take(t.Context(), "b", "b")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := b.turns.take(ctx, "b", "a")
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; err == nil {
			t.Error("it got what another has")
		}
		done()
		if done, err = b.turns.take(t.Context(), "a", "b"); err != nil {
			t.Fatal(err)
		}
		done()
	})
}

// TestTurnIsBounded: nobody waits for a name for ever, or for longer than somebody waits for a
// reply; and everybody is told that it is the name. Nothing has been done then, and no turn is kept.
func TestTurnIsBounded(t *testing.T) {
	for what, do := range map[string]func(f afero.Fs) error{
		"STOR":                  storing("/d/f", vfs.ModeReplace, 0, "2"),
		"STOR if it is free":    storing("/d/g", vfs.ModeCreate, 0, "2"),
		"APPE":                  storing("/d/f", vfs.ModeAppend, 0, "2"),
		"RNTO":                  func(f afero.Fs) error { return f.Rename("/d/f", "/g") },
		"RNTO of another":       func(f afero.Fs) error { return f.Rename("/e", "/d/f") },
		"RNTO of the directory": func(f afero.Fs) error { return f.Rename("/d", "/g") },
		"DELE":                  func(f afero.Fs) error { return f.Remove("/d/f") },
		"MFMT":                  func(f afero.Fs) error { return f.Chtimes("/d/f", time.Time{}, time.Unix(1, 0)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			st := newBubble(t, fake.Options{})
			st.put(t, "d/f", "1")
			st.put(t, "e", "1")
			b := st.backend(t)
			done, err := b.turns.take(t.Context(), st.prefix+"d/f", st.prefix+"d/g")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			err = do(b.Open("", 0))
			if took := time.Since(began); !errors.Is(err, vfs.ErrBusy) || !errors.Is(err, vfs.ErrTransient) || took != vfs.PublishTimeout {
				t.Errorf("%s: %v after %v", what, err, took)
			}
			done()
			if !b.turns.objects.Idle() {
				t.Errorf("%s: turns are kept", what)
			}
			if err := do(b.Open("", 0)); err != nil {
				t.Errorf("%s, again: %v", what, err)
			}
			if !b.turns.objects.Idle() {
				t.Errorf("%s: turns are kept", what)
			}
		})
	}
}
