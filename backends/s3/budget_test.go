package s3

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

// growing runs a Grow in the background and reports its result.
func growing(ctx context.Context, c *Claim, some, all int64) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Grow(ctx, some, all)
		done <- err
	}()
	synctest.Wait()
	return done
}

func waits(t *testing.T, done <-chan error, who string) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		t.Errorf("%s does not wait: %v", who, err)
	default:
	}
}

func granted(t *testing.T, done <-chan error, who string) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
	default:
		t.Errorf("%s still waits", who)
	}
}

func uses(t *testing.T, b *Budget, want int64) {
	t.Helper()
	if got := b.Used(); got != want {
		t.Errorf("%d bytes are in use, want %d", got, want)
	}
}

// holding returns a claim of a part of n bytes.
func holding(t *testing.T, b *Budget, n int64) *Claim {
	t.Helper()
	c := b.Claim()
	if got, err := c.Grow(t.Context(), 0, n); err != nil || got != n {
		t.Fatalf("%d bytes, %v", got, err)
	}
	return c
}

func TestBudgetOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		holder := holding(t, b, 70)
		first, second := b.Claim(), b.Claim()
		one := growing(t.Context(), first, 0, 40)
		two := growing(t.Context(), second, 0, 10)
		holder.Shrink(39)
		waits(t, one, "the first")
		waits(t, two, "the second, which needs less")
		if b.Claim().TryGrow(1) {
			t.Error("TryGrow overtakes those who wait")
		}
		// Beginnings do not wait for parts.
		small := b.Claim()
		granted(t, growing(t.Context(), small, 5, 1000), "a beginning")
		holder.Shrink(1)
		granted(t, one, "the first")
		waits(t, two, "the second")
		holder.Close()
		granted(t, two, "the second")
		uses(t, b, 40+10+5)
		for _, c := range []*Claim{first, second, small} {
			c.Close()
		}
		uses(t, b, 0)
	})
}

// Parts leave an eighth to beginnings, and those take no more than a quarter.
func TestBudgetShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		parts := holding(t, b, 70)
		more := growing(t.Context(), b.Claim(), 0, 1)
		waits(t, more, "one byte more of parts")
		small := b.Claim()
		granted(t, growing(t.Context(), small, 10, 30), "a beginning")
		another := growing(t.Context(), small, 1, 30)
		waits(t, another, "more than there is")
		parts.Shrink(55)
		granted(t, more, "one byte of parts")
		granted(t, another, "more of the beginning")
		granted(t, growing(t.Context(), small, 9, 30), "the rest of the quarter")
		uses(t, b, 15+1+20)
		// Who finds no share left gets the whole part, and what was begun is no beginning any more.
		got, err := small.Grow(t.Context(), 1, 30)
		if err != nil || got != 30 {
			t.Errorf("%d bytes, %v", got, err)
		}
		granted(t, growing(t.Context(), b.Claim(), 14, 1000), "another beginning")
		uses(t, b, 15+1+50+14)
	})
}

func TestBudgetReadAhead(t *testing.T) {
	b := NewBudget(80)
	c := b.Claim()
	if !c.TryGrow(40) || c.TryGrow(1) {
		t.Error("not half of it can be read ahead")
	}
	c.Shrink(10)
	holding(t, b, 20)
	if c.TryGrow(1) {
		t.Error("more than half is in use")
	}
	uses(t, b, 50)
	c.Close()
	uses(t, b, 20)
}

// A part that could never fit is the only one then.
func TestBudgetOverdraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		ahead, small := b.Claim(), b.Claim()
		if !ahead.TryGrow(40) {
			t.Fatal("nothing can be read ahead")
		}
		granted(t, growing(t.Context(), small, 10, 1000), "what is small")
		first, second := b.Claim(), b.Claim()
		granted(t, growing(t.Context(), first, 0, 100), "a huge part")
		two := growing(t.Context(), second, 0, 1)
		waits(t, two, "another part")
		uses(t, b, 150)
		first.Close()
		granted(t, two, "the other part")
		uses(t, b, 51)
	})
}

func TestBudgetCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		holder := holding(t, b, 60)
		ctx, cancel := context.WithCancel(t.Context())
		first, second := b.Claim(), b.Claim()
		one := growing(ctx, first, 0, 50)
		two := growing(t.Context(), second, 0, 10)
		waits(t, two, "the second")
		cancel()
		synctest.Wait()
		if err := <-one; !errors.Is(err, context.Canceled) {
			t.Errorf("the one whose context ended: %v", err)
		}
		granted(t, two, "the second")
		first.Close()
		first.Close()
		uses(t, b, 70)
		second.Shrink(10)
		second.Close()
		holder.Close()
		uses(t, b, 0)
	})
}

// 64 uploads of 4 MiB each, in parts of 8 MiB, stop in a budget of 64 MiB; then all go on.
func TestBudgetNeverDeadlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const uploads, part, chunk, total = 64, 8 << 20, 256 << 10, 64 << 20
		b := NewBudget(total)
		var peak, ended int64
		var mu sync.Mutex
		goOn := make(chan struct{})
		var wg sync.WaitGroup
		for range uploads {
			wg.Go(func() {
				c := b.Claim()
				defer c.Close()
				taken := 0
				for n := 0; n < part; n += chunk {
					var err error
					if n == 4<<20 {
						<-goOn
					}
					if n == taken {
						some := 0
						if n < smallUpload {
							some = chunk
						}
						var got int64
						got, err = c.Grow(t.Context(), int64(some), int64(part-n))
						taken += int(got)
					}
					if err != nil {
						t.Errorf("grow: %v", err)
						return
					}
					mu.Lock()
					peak = max(peak, b.Used())
					mu.Unlock()
				}
				mu.Lock()
				ended++
				mu.Unlock()
			})
		}
		synctest.Wait() // nobody can do anything
		if b.Used() < total/2 || ended != 0 {
			t.Errorf("%d bytes are in use, %d have ended", b.Used(), ended)
		}
		close(goOn)
		wg.Wait()
		if peak > total || ended != uploads {
			t.Errorf("%d bytes were in use, %d have ended", peak, ended)
		}
		uses(t, b, 0)
	})
}

func TestNoBudget(t *testing.T) {
	var b *Budget
	c := b.Claim()
	if n, err := c.Grow(t.Context(), 1, 1<<40); n != 1<<40 || err != nil || !c.TryGrow(1<<40) {
		t.Errorf("no budget is a limit: %d bytes, %v", n, err)
	}
	c.Shrink(1)
	c.Close()
	uses(t, b, 0)
}
