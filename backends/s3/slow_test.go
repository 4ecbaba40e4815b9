package s3

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Clients that send a byte now and then, so that no stall timer fires, do not keep others
// from uploading, however much memory they hold: what they reserved goes to others, and when
// that does not do they are ended.
func TestDrippingClients(t *testing.T) {
	for _, held := range []int{smallUpload + 1, 5 << 20} {
		synctest.Test(t, func(t *testing.T) {
			const clients = 22
			r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) {
				o.PartSize, o.Put.Checksum = DefaultPartSize, ""
			})
			sink(r.wire, 20<<20)
			ctx := t.Context()
			stop := make(chan struct{})
			var wg sync.WaitGroup
			var mu sync.Mutex
			ended := 0
			for i := range clients {
				wg.Go(func() {
					f, err := r.as(ctx).openUpload("/drip"+string(rune('A'+i)), vfs.ModeReplace)
					if err != nil {
						t.Errorf("open: %v", err)
						return
					}
					_, err = f.Write(make([]byte, held))
					for err == nil {
						select {
						case <-time.After(10 * time.Second):
							_, err = f.Write([]byte{1})
						case <-stop:
							if err := vfs.Abort(f); err != nil {
								t.Errorf("abort: %v", err)
							}
							return
						}
					}
					if !errors.Is(err, errTooSlow) || !errors.Is(err, vfs.ErrTransient) {
						t.Errorf("an upload ended with %v", err)
					}
					mu.Lock()
					ended++
					mu.Unlock()
					_ = f.Close()
				})
			}
			time.Sleep(time.Second)
			for _, size := range []int{10, 3 << 20, 20 << 20} {
				// Each part may have to wait until all that are before it have been ended.
				const batch = slowPatience + 10*time.Second
				limit := time.Duration(size/DefaultPartSize+1) * (clients*DefaultPartSize/(48<<20) + 2) * batch
				if size < smallChunk {
					limit = 0
				}
				begin := time.Now()
				f, err := r.fs.openUpload("/quick", vfs.ModeReplace)
				if err == nil {
					_, err = f.Write(make([]byte, size))
				}
				if err == nil {
					err = f.Close()
				}
				if took := time.Since(begin); err != nil || took > limit+time.Second {
					t.Errorf("beside clients that hold %d bytes, an upload of %d bytes takes %v: %v", held, size, took, err)
				}
			}
			close(stop)
			wg.Wait()
			if fits := held*clients < 32<<20; fits != (ended == 0) {
				t.Errorf("%d clients that hold %d bytes were ended", ended, held)
			}
			uses(t, r.budget, 0)
		})
	}
}

// Slow clients all go on; nobody waits for memory long enough for
// a client to give up.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, size, rate, piece = 32, 12 << 20, 100 << 10, 64 << 10
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) {
			o.PartSize, o.Put.Checksum = DefaultPartSize, ""
		})
		sink(r.wire, 20<<20)
		data := make([]byte, piece)
		begin := time.Now()
		var mu sync.Mutex
		var longest time.Duration
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				f, err := r.fs.openUpload("/slow"+string(rune('A'+i)), vfs.ModeReplace)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				for n := 0; n < size; n += piece {
					time.Sleep(time.Second * piece / rate)
					from := time.Now()
					if _, err := f.Write(data); err != nil {
						t.Errorf("write: %v", err)
						break
					}
					mu.Lock()
					longest = max(longest, time.Since(from))
					mu.Unlock()
				}
				if err := f.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wg.Wait()
		took, alone := time.Since(begin), time.Second*size/rate
		t.Logf("%v, alone %v; the longest wait %v", took, alone, longest)
		// Nine at a time make four turns, and one more for who gets the memory for his last part late, which
		// is chance. A client gives up when nothing moves for five minutes, at the earliest.
		if took > 5*alone || longest > 4*time.Minute {
			t.Errorf("it took %v, where one alone takes %v; one write waited for %v", took, alone, longest)
		}
	})
}

// Who is slow is who does not send, not who waits for the store or for memory.
func TestSlowIsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		ended := make(chan string, 100)
		claim := func(name string, n int64) *Claim {
			var c *Claim
			c = b.Claim(func() { ended <- name; c.Close() })
			if err := c.Take(t.Context(), part(n)); err != nil {
				t.Fatal(err)
			}
			return c
		}
		store := claim("waits for the store", 20)
		drip := claim("drips", 20)
		fair := claim("is slow, but not that slow", 20)
		drip.waiting()
		fair.waiting()
		waiter := b.Claim(func() { ended <- "waits for memory" })
		got := taking(t.Context(), waiter, part(70))
		for range 60 {
			time.Sleep(time.Second)
			drip.busy(1)
			drip.waiting()
			fair.busy(slowestPace + 100)
			fair.waiting()
		}
		close(ended)
		if name := <-ended; name != "drips" || len(ended) > 0 {
			t.Errorf("%q was ended, and %d more", name, len(ended))
		}
		waits(t, got, "who needs more than is left")
		for _, c := range []*Claim{store, drip, fair} {
			c.Close()
		}
		granted(t, got, "the waiter")
		waiter.Close()
	})
}

// One is ended at a time, however many wait: the memory of one may do.
func TestSlowOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(160)
		ended := make(chan time.Time, 100)
		for range 5 {
			var c *Claim
			c = b.Claim(func() { ended <- time.Now(); c.Close() })
			if err := c.Take(t.Context(), need{chunk: 20}); err != nil {
				t.Fatal(err)
			}
			c.waiting()
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range 5 {
			taking(ctx, b.Claim(nil), part(120))
		}
		time.Sleep(slowPatience + 10*lookEvery)
		cancel()
		synctest.Wait()
		close(ended)
		last := time.Time{}
		for at := range ended {
			if at.Sub(last) < lookEvery {
				t.Errorf("two were ended within %v", at.Sub(last))
			}
			last = at
		}
		if last.IsZero() {
			t.Error("none was ended")
		}
	})
}

// Clients that may not send any faster are never ended, however long others wait. What they have
// reserved goes to those all the same.
func TestPacedIsNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, piece = 12, 256
		r := newRig(t, newBubble(t, fake.Options{}), func(o *Options) {
			o.PartSize, o.Put.Checksum = DefaultPartSize, ""
		})
		sink(r.wire, 20<<20)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				f, err := r.fs.openUpload("/paced"+string(rune('A'+i)), vfs.ModeReplace)
				if err == nil {
					_, err = f.Write(make([]byte, smallUpload+1))
				}
				for err == nil {
					time.Sleep(time.Millisecond) // the client is quick
					vfs.Paced(f)
					select {
					case <-time.After(time.Second):
						_, err = f.Write(make([]byte, piece))
						continue
					case <-stop:
					}
					err = f.Close()
					break
				}
				if err != nil {
					t.Errorf("an upload ended with %v", err)
				}
			})
		}
		time.Sleep(time.Second)
		for range 20 {
			begin := time.Now()
			f := r.create("/quick", vfs.ModeReplace)
			if _, err := f.Write(make([]byte, 20<<20)); err != nil {
				t.Errorf("write: %v", err)
			}
			if used := r.budget.Used(); used > r.budget.total {
				t.Errorf("%d bytes are in use", used)
			}
			if err := f.Close(); err != nil || time.Since(begin) > 10*time.Second {
				t.Errorf("an upload beside them took %v: %v", time.Since(begin), err)
			}
			time.Sleep(slowPatience)
		}
		// Who needs more than they leave waits for as long as it takes.
		ctx, cancel := context.WithCancel(t.Context())
		rest := taking(ctx, r.budget.Claim(func() { t.Error("who waits was ended") }), part(60<<20))
		time.Sleep(10 * slowPatience)
		waits(t, rest, "who needs all")
		cancel()
		close(stop)
		wg.Wait()
	})
}

// A pause of ours does not make good what a client owes, and what comes after it counts again.
func TestPacedAndSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(80)
		ended := make(chan time.Time, 1)
		var c *Claim
		c = b.Claim(func() { ended <- time.Now(); c.Close() })
		if err := c.Take(t.Context(), part(70)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		done := taking(t.Context(), b.Claim(nil), part(79))
		c.waiting()
		time.Sleep(slowPatience / 2)
		c.pacing()
		time.Sleep(10 * slowPatience)
		c.busy(1)
		c.waiting()
		if at := (<-ended).Sub(began); at < 11*slowPatience || at > 11*slowPatience+3*lookEvery {
			t.Errorf("it was ended after %v", at)
		}
		granted(t, done, "who waits")
	})
}

// Clients that trickle and hold everything get what they need beyond the total, several at once, but
// all of them never more than one part.
func TestSlowOverdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, total, clients = 20, 80, 7
		b := NewBudget(total)
		begun := func() *Claim {
			c := b.Claim(func() { t.Error("one was ended") })
			if err := c.Take(t.Context(), need{chunk: size / 2}); err != nil {
				t.Fatal(err)
			}
			return c
		}
		took := make(chan int64, clients*size)
		var wg sync.WaitGroup
		for range clients {
			c := begun()
			wg.Go(func() {
				defer c.Close()
				for n := int64(size / 2); n < size; n++ {
					c.waiting()
					c.pacing() // never ended, however slow
					time.Sleep(2 * lookEvery)
					c.busy(1)
					if err := c.Take(t.Context(), need{chunk: 1, begun: n, rest: size - n - 1}); err != nil {
						t.Errorf("take: %v", err)
					}
					took <- b.Used()
				}
			})
		}
		begin := time.Now()
		wg.Wait()
		close(took)
		peak := int64(0)
		for used := range took {
			peak = max(peak, used)
		}
		if peak != total+size {
			t.Errorf("at most %d bytes were in use, want %d", peak, total+size)
		}
		// Three fit at once: more than one by one.
		if took := time.Since(begin); took > 4*(size/2)*2*lookEvery {
			t.Errorf("all have ended after %v", took)
		}
	})
}

// What is beyond the total goes to a client that does not trickle, although others have waited for longer:
// to wait for memory does not make them quick. But once in trickleTurn it is their turn.
func TestSlowDoNotHoldUpQuick(t *testing.T) {
	for _, c := range []struct {
		took  time.Duration // until one that trickles has ended its part
		quick bool          // whether it is the quick one that is next
	}{{10 * lookEvery, true}, {trickleTurn + lookEvery, false}} {
		synctest.Test(t, func(t *testing.T) {
			const size, total, clients = 20, 80, 7
			b := NewBudget(total)
			ctx, cancel := context.WithCancel(t.Context())
			quick := b.Claim(nil)
			granted(t, taking(ctx, quick, need{chunk: 1, rest: size - 1, small: true, first: true}), "a beginning")
			var slow [clients]*Claim
			for i := range slow {
				slow[i] = b.Claim(func() { t.Error("one was ended") })
				granted(t, taking(ctx, slow[i], need{chunk: size / 2}), "half a part")
				slow[i].pacing()
			}
			taking(ctx, b.Claim(nil), part(total)) // so that somebody looks who is slow
			time.Sleep(2 * lookEvery)
			var rest [clients]<-chan error
			for i := range slow {
				slow[i].busy(1)
				rest[i] = taking(ctx, slow[i], need{chunk: 1, begun: size / 2, rest: size/2 - 1})
			}
			last := taking(ctx, quick, need{chunk: size - 1, begun: 1})
			granted(t, rest[0], "the first")
			granted(t, rest[1], "the second, which fits too")
			time.Sleep(c.took)
			waits(t, rest[2], "the third that trickles")
			waits(t, last, "the quick one")
			slow[1].Full()
			slow[0].Close()
			if c.quick {
				granted(t, last, "the quick one")
			} else {
				granted(t, rest[2], "the third that trickles")
				waits(t, last, "the quick one")
			}
			if used := b.Used(); used > total+size {
				t.Errorf("%d bytes are in use", used)
			}
			cancel()
		})
	}
}
