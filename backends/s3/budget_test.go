package s3

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

const mebi = 1 << 20

// growing calls Grow in the background and reports its result.
func growing(ctx context.Context, c *Claim, n int64) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Grow(ctx, n) }()
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

// moving returns a claim of n bytes that are on their way.
func moving(t *testing.T, b *Budget, n int64) *Claim {
	t.Helper()
	c := b.Claim()
	if err := c.Grow(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	c.Send(n)
	return c
}

func TestBudgetOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		holder := moving(t, b, 10)
		first, second, third := b.Claim(), b.Claim(), b.Claim()
		one := growing(t.Context(), first, 4)
		two := growing(t.Context(), second, 1)
		three := growing(t.Context(), third, 4)
		holder.Sent(3)
		waits(t, one, "the first")
		waits(t, two, "the second, which needs less")
		if b.Claim().TryGrow(1) {
			t.Error("TryGrow overtakes those who wait")
		}
		holder.Sent(1)
		granted(t, one, "the first")
		waits(t, two, "the second")
		// The first goes on with its part before the others begin theirs.
		one = growing(t.Context(), first, 2)
		holder.Sent(2)
		granted(t, one, "the first, again")
		waits(t, two, "the second")
		holder.Sent(1)
		granted(t, two, "the second")
		waits(t, three, "the third")
		// With its part on the way, the first is the last again.
		first.Send(6)
		one = growing(t.Context(), first, 1)
		holder.Close()
		waits(t, three, "the third")
		first.Sent(6)
		granted(t, three, "the third")
		granted(t, one, "the first")
		uses(t, b, 4+1+1)
		for _, c := range []*Claim{holder, first, second, third} {
			c.Close()
		}
		uses(t, b, 0)
	})
}

func TestBudgetOverdraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		sending := moving(t, b, 4)
		first, second := b.Claim(), b.Claim()
		granted(t, growing(t.Context(), first, 3), "the first")
		granted(t, growing(t.Context(), second, 3), "the second")
		one := growing(t.Context(), first, 5)
		two := growing(t.Context(), second, 1)
		waits(t, one, "the first, while something is on its way")
		sending.Sent(4) // 6 in use, 5 wanted
		granted(t, one, "the first, over the budget")
		waits(t, two, "the second")
		uses(t, b, 11)
		// It may go on until its part is full, and stays the only one.
		granted(t, growing(t.Context(), first, 2), "the first, again")
		waits(t, two, "the second")
		first.Send(10)
		waits(t, two, "the second, while the part is on its way")
		one = growing(t.Context(), first, 8)
		first.Sent(10)
		granted(t, two, "the second")
		granted(t, one, "the first, whose turn came last: nothing else is on its way")
		uses(t, b, 12)
		// Who overdraws and goes away leaves it to the next one.
		two = growing(t.Context(), second, 8)
		waits(t, two, "the second")
		first.Close()
		granted(t, two, "the second")
		second.Close()
		uses(t, b, 0)
	})
}

// An upload with a lower ticket that comes back to the queue must not bar the way of
// the one that overdraws.
func TestBudgetOverdraftGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		sending := moving(t, b, 9)
		slow, quick := b.Claim(), b.Claim()
		one := growing(t.Context(), slow, 2)
		two := growing(t.Context(), quick, 8)
		sending.Sent(2)
		granted(t, one, "the slow one") // and its client takes its time
		sending.Close()                 // 2 in use
		granted(t, two, "the quick one")
		granted(t, growing(t.Context(), quick, 1), "the quick one, over the budget")
		one = growing(t.Context(), slow, 1)
		waits(t, one, "the slow one")
		granted(t, growing(t.Context(), quick, 1), "the quick one, again")
		quick.Send(10)
		quick.Sent(10)
		granted(t, one, "the slow one")
		slow.Close()
		quick.Close()
		uses(t, b, 0)
	})
}

func TestBudgetCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		holder := moving(t, b, 8)
		ctx, cancel := context.WithCancel(t.Context())
		first, second := b.Claim(), b.Claim()
		one := growing(ctx, first, 5)
		two := growing(t.Context(), second, 2)
		waits(t, two, "the second")
		cancel()
		synctest.Wait()
		if err := <-one; !errors.Is(err, context.Canceled) {
			t.Errorf("the one whose context ended: %v", err)
		}
		granted(t, two, "the second")
		first.Close()
		first.Close()
		uses(t, b, 10)
		second.Shrink(2)
		second.Close()
		holder.Close()
		uses(t, b, 0)
	})
}

// 64 uploads of 4 MiB each, in parts of 8 MiB, stop in a budget of 64 MiB; then all go on.
func TestBudgetNeverDeadlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const uploads, part, chunk = 64, 8 * mebi, mebi / 4
		b := NewBudget(64 * mebi)
		var peak int64
		var mu sync.Mutex
		look := func() {
			mu.Lock()
			defer mu.Unlock()
			peak = max(peak, b.Used())
		}
		goOn := make(chan struct{})
		var wg sync.WaitGroup
		for range uploads {
			wg.Go(func() {
				c := b.Claim()
				defer c.Close()
				for parts := range 3 {
					for n := 0; n < part; n += chunk {
						if parts == 0 && n == 4*mebi {
							<-goOn
						}
						if err := c.Grow(t.Context(), chunk); err != nil {
							t.Errorf("grow: %v", err)
							return
						}
						look()
					}
					c.Send(part)
					c.Sent(part)
				}
			})
		}
		synctest.Wait() // nobody can do anything
		if b.Used() < 64*mebi {
			t.Errorf("only %d bytes are in use", b.Used())
		}
		close(goOn)
		wg.Wait()
		if peak > 64*mebi+part {
			t.Errorf("%d bytes were in use, more than one part over the budget", peak)
		}
		uses(t, b, 0)
	})
}

func TestNoBudget(t *testing.T) {
	var b *Budget
	c := b.Claim()
	if err := c.Grow(t.Context(), 1<<40); err != nil || !c.TryGrow(1<<40) {
		t.Errorf("no budget is a limit: %v", err)
	}
	c.Send(1)
	c.Sent(1)
	c.Shrink(1)
	c.Close()
	uses(t, b, 0)
}
