package vfs

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns: one at a time, in the order in which they came, and nothing is left.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		var order []int
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				names := []string{"a", "b", "a"}
				if i%2 == 1 {
					names = []string{"b", "a"}
				}
				done, err := turns.Take(t.Context(), names...)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i) // the race detector knows if two are here
				time.Sleep(time.Second)
				done()
			})
			synctest.Wait()
		}
		over := errors.New("over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 2500*time.Millisecond, over)
		defer cancel()
		if _, err := turns.Take(ctx, "c", "a"); !errors.Is(err, over) {
			t.Errorf("it ends with %v", err)
		}
		if done, err := turns.Take(ctx, "c"); err != nil {
			t.Errorf("a name that nobody has: %v", err)
		} else {
			done()
		}
		all.Wait()
		for i, got := range order {
			if got != i {
				t.Errorf("the order was %v", order)
				break
			}
		}
		if !turns.Idle() || len(order) != 4 {
			t.Errorf("%d had a turn, idle %t", len(order), turns.Idle())
		}
	})
}
