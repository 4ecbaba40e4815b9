package ftp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestNameInUse: who waits for a name is told in time that it was the name, and takes nothing with it.
func TestNameInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := names{registry: new(registry)}
		unlock, err := n.lock(t.Context(), "/b")
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err = n.lock(t.Context(), "/a", "/b")
		if took := time.Since(begun); !errors.Is(translate(t.Context(), err), vfs.ErrBusy) || took != waitForName {
			t.Errorf("%v after %v", err, took)
		}
		over := errors.New("over")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(over) })
		if _, err := n.lock(ctx, "/b"); !errors.Is(err, over) {
			t.Error(err)
		}
		unlock()
		unlock, err = n.lock(t.Context(), "/a", "/b")
		if err != nil {
			t.Fatal(err)
		}
		unlock()
		if !n.locks.Idle() {
			t.Error("locks are left")
		}
	})
}
