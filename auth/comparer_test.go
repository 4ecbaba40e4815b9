package auth

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeHash takes a given time on the bubble's clock, up to a tenth more or less
// at random, and counts.
type fakeHash struct {
	params   Params
	password string
	takes    time.Duration
	rand     *rand.Rand
	compared *atomic.Int64
}

func (h *fakeHash) Params() Params { return h.params }

func (h *fakeHash) Match(password string) bool {
	h.compared.Add(1)
	d := h.takes
	if h.rand != nil {
		d += time.Duration(h.rand.Int64N(int64(h.takes)/5)) - h.takes/10
	}
	time.Sleep(d)
	return password == h.password
}

// THREATS 12: known, unknown, locked-out and cheaply hashed users, and names that
// are no names, cannot be told apart by the time of their refusal.
func TestFailuresTakeTheSameTime(t *testing.T) {
	const samples = 500
	synctest.Test(t, func(t *testing.T) {
		var compared atomic.Int64
		random := rand.New(rand.NewPCG(1, 2))
		dear := &fakeHash{Params{Algorithm: "dear"}, "right", 100 * time.Millisecond, random, &compared}
		cheap := &fakeHash{Params{Algorithm: "cheap"}, "right", 2 * time.Millisecond, random, &compared}
		c := NewComparer(2, 10)
		p := &Portal{Comparer: c, Checkers: []Checker{&Anonymous{}, NewUsers(c,
			User{Name: "dear", Hash: dear},
			User{Name: "cheap", Hash: cheap},
			User{Name: "locked", Hash: cheap, AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
			User{Name: "nohash"},
		)}}
		login := func(user, password string) time.Duration {
			before, start := compared.Load(), time.Now()
			_, err := p.Login(t.Context(), Credentials{User: user, Password: password, Remote: netip.MustParseAddr("192.0.2.1")})
			if err != ErrDenied || err.Error() != "login denied" {
				t.Fatalf("%s: %v", user, err)
			}
			if n := compared.Load() - before; n != 1 {
				t.Fatalf("%s: %d comparisons, want 1", user, n)
			}
			return time.Since(start)
		}
		tries := []struct{ user, password string }{
			{"dear", "wrong"}, {"cheap", "wrong"}, {"unknown", "wrong"}, {"locked", "wrong"}, {"locked", "right"},
			{"nohash", "wrong"}, {"cheap", ""}, {"dear", ""}, {"../etc", "right"}, {"", ""},
		}
		for range 20 { // until the first recent high is found
			login("unknown", "wrong")
		}
		took := make([][]time.Duration, len(tries))
		for range samples {
			for i, x := range tries {
				took[i] = append(took[i], login(x.user, x.password))
			}
		}
		for i, x := range tries {
			d := took[i]
			slices.Sort(d)
			low, median, high := d[samples/20], d[samples/2], d[samples-samples/20]
			if low < 100*time.Millisecond || high > 111*time.Millisecond || median < 104*time.Millisecond {
				t.Errorf("%v: 5%%, 50%%, 95%% of refusals took %v, %v, %v", x, low, median, high)
			}
		}
	})
}

func TestSuccessIsNotDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var compared atomic.Int64
		cheap := &fakeHash{Params{Algorithm: "cheap"}, "right", time.Millisecond, nil, &compared}
		c := NewComparer(1, 1)
		c.Learn(&fakeHash{Params{Algorithm: Bcrypt, Cost: 14}, "", time.Second, nil, &compared})
		c.Learn(cheap)
		start := time.Now()
		if err := c.Compare(t.Context(), cheap, "right"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

// The first guess of what a hash costs may be wrong either way.
func TestEstimateFollowsTheMachine(t *testing.T) {
	for _, actual := range []time.Duration{time.Millisecond, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var compared atomic.Int64
			h := &fakeHash{Params{Algorithm: Bcrypt, Cost: 10}, "", actual, nil, &compared}
			c := NewComparer(1, 1)
			c.Learn(h)
			var took time.Duration
			for range 300 {
				start := time.Now()
				c.Refuse(t.Context(), "x")
				took = time.Since(start)
			}
			if took < actual || took > actual+actual/10 {
				t.Errorf("a comparison of %v is answered after %v", actual, took)
			}
		})
	}
}

func TestComparisonsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const parallel, queue, logins = 2, 3, 10
		var compared atomic.Int64
		h := &fakeHash{Params{Algorithm: "x"}, "right", time.Second, nil, &compared}
		c := NewComparer(parallel, queue)
		c.Learn(h)
		var wg sync.WaitGroup
		var ok, busy atomic.Int64
		for range logins {
			wg.Go(func() {
				switch err := c.Compare(t.Context(), h, "right"); err {
				case nil:
					ok.Add(1)
				case ErrBusy:
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := compared.Load(); n != parallel {
			t.Errorf("%d comparisons at once, want %d", n, parallel)
		}
		if n := busy.Load(); n != logins-parallel-queue {
			t.Errorf("%d logins were refused at once, want %d", n, logins-parallel-queue)
		}
		wg.Wait()
		if n := ok.Load(); n != parallel+queue {
			t.Errorf("%d logins succeeded, want %d", n, parallel+queue)
		}
		if len(c.slots) != 0 || c.waiting.Load() != 0 {
			t.Errorf("left over: %d slots, %d waiting", len(c.slots), c.waiting.Load())
		}
	})
}

func TestLostClientLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("client gone")
		var compared atomic.Int64
		h := &fakeHash{Params{Algorithm: "x"}, "right", time.Hour, nil, &compared}
		c := NewComparer(1, 5)
		c.Learn(h)
		var wg sync.WaitGroup
		wg.Go(func() { c.Compare(t.Context(), h, "right") })
		synctest.Wait()

		ctx, cancel := context.WithCancelCause(t.Context())
		var err error
		done := make(chan struct{})
		go func() { err = c.Refuse(ctx, "x"); close(done) }()
		synctest.Wait()
		cancel(gone)
		<-done
		if err != gone || c.waiting.Load() != 0 {
			t.Errorf("in the queue: %v, %d still wait", err, c.waiting.Load())
		}
		if err := c.Refuse(ctx, "x"); err != gone {
			t.Errorf("before the queue: %v", err)
		}
		wg.Wait()

		ctx, cancel = context.WithCancelCause(t.Context())
		c.Learn(&fakeHash{Params{Algorithm: Bcrypt, Cost: 31}, "", time.Hour, nil, &compared})
		cheap := &fakeHash{Params{Algorithm: "cheap"}, "", time.Second, nil, &compared}
		start := time.Now()
		time.AfterFunc(time.Minute, func() { cancel(gone) })
		if err := c.Compare(ctx, cheap, "x"); err != gone || time.Since(start) != time.Minute {
			t.Errorf("waiting for the answer: %v after %v", err, time.Since(start))
		}
	})
}

// panicky stands for a hash that its library chokes on.
type panicky struct{}

func (panicky) Match(string) bool { panic("choked") }
func (panicky) Params() Params    { return Params{} }

func TestPanicFreesTheSlot(t *testing.T) {
	c := NewComparer(1, 1)
	func() {
		defer func() { recover() }()
		c.Compare(t.Context(), panicky{}, "x")
	}()
	if len(c.slots) != 0 {
		t.Error("the slot is lost")
	}
}
