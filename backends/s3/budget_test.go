package s3

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// taking runs a Take in the background and reports its result.
func taking(ctx context.Context, c *Claim, n need) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Take(ctx, n) }()
	synctest.Wait()
	return done
}

// part is the need of a part of n bytes, of which one is used at once.
func part(n int64) need { return need{chunk: 1, rest: n - 1} }

// beginning is the need of n bytes for the beginning of an upload in parts of this size.
func beginning(n, part int64) need { return need{chunk: n, rest: part - n, small: true} }

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

// holding returns a claim of a part of n bytes that is full.
func holding(t *testing.T, b *Budget, n int64) *Claim {
	t.Helper()
	c := b.Claim(nil)
	if err := c.Take(t.Context(), need{chunk: n}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBudgetOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		holder := holding(t, b, 70)
		first, second := b.Claim(nil), b.Claim(nil)
		one := taking(t.Context(), first, part(40))
		two := taking(t.Context(), second, part(10))
		holder.Shrink(39)
		waits(t, one, "the first")
		waits(t, two, "the second, which needs less")
		if b.Claim(nil).TryGrow(1) {
			t.Error("TryGrow overtakes those who wait")
		}
		// Beginnings do not wait for parts.
		small := b.Claim(nil)
		granted(t, taking(t.Context(), small, beginning(5, 1000)), "a beginning")
		holder.Shrink(1)
		granted(t, one, "the first")
		waits(t, two, "the second")
		holder.Close()
		granted(t, two, "the second")
		uses(t, b, 40+10+5)
		// What is reserved waits for nobody, and is given back when the part needs no more.
		granted(t, taking(t.Context(), first, need{chunk: 38}), "the reserved rest")
		uses(t, b, 40+10+5)
		first.Full()
		uses(t, b, 39+10+5)
		for _, c := range []*Claim{first, second, small} {
			c.Close()
		}
		uses(t, b, 0)
	})
}

// Parts leave an eighth to beginnings, those take no more than a quarter, and the first
// chunks of uploads have the rest for themselves.
func TestBudgetShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		parts := holding(t, b, 70)
		more := taking(t.Context(), b.Claim(nil), part(1))
		waits(t, more, "one byte more of parts")
		small := b.Claim(nil)
		granted(t, taking(t.Context(), small, beginning(5, 30)), "a beginning")
		another := taking(t.Context(), small, beginning(1, 25))
		waits(t, another, "more than there is")
		first := b.Claim(nil)
		granted(t, taking(t.Context(), first, need{chunk: 5, rest: 25, small: true, first: true}), "a first chunk")
		waits(t, taking(t.Context(), b.Claim(nil), need{chunk: 1, rest: 25, small: true, first: true}), "a first chunk too many")
		first.Close()
		parts.Shrink(55)
		granted(t, more, "one byte of parts")
		granted(t, another, "more of the beginning")
		granted(t, taking(t.Context(), small, beginning(13, 24)), "nearly the rest of the quarter")
		uses(t, b, 15+1+19+1)
		// Who finds no share left gets the whole part, and what was begun is no beginning any more.
		granted(t, taking(t.Context(), small, beginning(2, 11)), "the whole part")
		granted(t, taking(t.Context(), b.Claim(nil), beginning(14, 1000)), "another beginning")
		uses(t, b, 15+1+19+1+11+14)
	})
}

// A part that has begun waits for no part that has not, however much it needs.
func TestBudgetBegunFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		holder := holding(t, b, 50)
		large := b.Claim(nil)
		granted(t, taking(t.Context(), large, beginning(10, 50)), "the beginning")
		begun := taking(t.Context(), large, need{chunk: 1, begun: 10, rest: 39})
		waits(t, begun, "the rest of the part")
		later := taking(t.Context(), b.Claim(nil), part(10))
		waits(t, later, "a part that has not begun, and would fit")
		holder.Close()
		granted(t, begun, "the rest of the part")
		granted(t, later, "the later part")
	})
}

func TestBudgetReadAhead(t *testing.T) {
	b := NewBudget(80)
	c := b.Claim(nil)
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
func TestBudgetHugePart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		ahead, small := b.Claim(nil), b.Claim(nil)
		if !ahead.TryGrow(40) {
			t.Fatal("nothing can be read ahead")
		}
		granted(t, taking(t.Context(), small, beginning(10, 1000)), "what is small")
		first, second := b.Claim(nil), b.Claim(nil)
		granted(t, taking(t.Context(), first, part(100)), "a huge part")
		two := taking(t.Context(), second, part(1))
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
		first, second := b.Claim(nil), b.Claim(nil)
		one := taking(ctx, first, part(50))
		two := taking(t.Context(), second, part(10))
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
				c := b.Claim(func() { t.Error("one was ended") })
				defer c.Close()
				for n := 0; n < part; n += chunk {
					if n == 4<<20 {
						c.waiting()
						<-goOn
						c.busy(chunk)
					}
					if err := c.Take(t.Context(), need{chunk: chunk, begun: int64(n), rest: int64(part - n - chunk), small: n < smallUpload}); err != nil {
						t.Errorf("take: %v", err)
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
		time.Sleep(10 * lookEvery)
		synctest.Wait() // nobody can do anything
		if b.Used() < total/2 || ended != 0 {
			t.Errorf("%d bytes are in use, %d have ended", b.Used(), ended)
		}
		close(goOn)
		wg.Wait()
		if peak > total+part || ended != uploads {
			t.Errorf("%d bytes were in use, %d have ended", peak, ended)
		}
		uses(t, b, 0)
	})
}

func TestNoBudget(t *testing.T) {
	var b *Budget
	c := b.Claim(func() {})
	if err := c.Take(t.Context(), need{chunk: 1 << 40}); err != nil || !c.TryGrow(1<<40) {
		t.Errorf("no budget is a limit: %v", err)
	}
	c.busy(1)
	c.waiting()
	c.Full()
	c.Shrink(1)
	c.Close()
	uses(t, b, 0)
}
