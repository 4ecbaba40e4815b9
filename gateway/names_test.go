package gateway

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// dns answers look-ups in place of the network.
type dns struct {
	mu      sync.Mutex
	answers map[string]string // addresses with spaces between; "": an error
	slow    bool              // does not answer
	asked   int
}

func (d *dns) set(name, addresses string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[name] = addresses
}

func (d *dns) lookup(ctx context.Context, network, host string) (found []netip.Addr, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.slow {
		d.mu.Unlock()
		<-ctx.Done()
		d.mu.Lock()
		return nil, ctx.Err()
	}
	for a := range strings.FieldsSeq(d.answers[host]) {
		found = append(found, netip.MustParseAddr(a))
	}
	if found == nil || network != "ip4" {
		return nil, errors.New("no such host")
	}
	return found, nil
}

// TestNames: a name is resolved anew every minute; what is known stays when that fails, or
// when it comes in another order; the log tells of changes only.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logBuffer{}
		d := &dns{answers: map[string]string{"a": "192.0.2.1 192.0.2.2"}}
		n := newNames([]string{"a", "a"}, zerolog.New(log))
		n.lookup = d.lookup
		n.resolve(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { n.run(ctx); close(done) }()
		lines := 0
		for _, x := range []struct {
			answer, want string
			lines        int // new ones
		}{
			{"192.0.2.1 192.0.2.2", "192.0.2.1", 1}, // that of the start
			{"192.0.2.2 192.0.2.1", "192.0.2.1", 0},
			{"192.0.2.3", "192.0.2.3", 1},
			{"", "192.0.2.3", 1},
			{"", "192.0.2.3", 0},
			{"2001:db8::1 0.0.0.0 224.0.0.1", "192.0.2.3", 0},
			{"192.0.2.3", "192.0.2.3", 1}, // it can be resolved again
			{"::ffff:192.0.2.4", "192.0.2.4", 1},
		} {
			d.set("a", x.answer)
			time.Sleep(lookupEvery)
			synctest.Wait()
			if got := n.address("a"); got.String() != x.want {
				t.Errorf("with %q it is %s, not %s", x.answer, got, x.want)
			}
			lines += x.lines
			if got := strings.Count(log.String(), "\n"); got != lines {
				t.Fatalf("%d lines, not %d, after %q:\n%s", got, lines, x.answer, log)
			}
		}
		if want := 1 + 8; d.asked != want {
			t.Errorf("asked %d times, not %d", d.asked, want)
		}
		cancel()
		<-done
	})
}

// TestNamesThatCannotBeResolved: the start waits for a few seconds and not longer, nobody
// who asks for an address waits at all, and the name is tried more often until it is there.
func TestNamesThatCannotBeResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logBuffer{}
		d := &dns{answers: map[string]string{"good": "192.0.2.1"}, slow: true}
		n := newNames([]string{"good", "bad", "worse"}, zerolog.New(log))
		n.lookup = d.lookup
		start := time.Now()
		n.resolve(t.Context())
		if took := time.Since(start); took != lookupTimeout {
			t.Errorf("it took %s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { n.run(ctx); close(done) }()
		time.Sleep(lookupAgain + lookupTimeout/2) // a look-up is under way
		start = time.Now()
		if a := n.address("good"); a.IsValid() || time.Since(start) != 0 {
			t.Errorf("got %s after %s", a, time.Since(start))
		}
		d.mu.Lock()
		d.slow = false
		d.mu.Unlock()
		time.Sleep(lookupTimeout + lookupAgain)
		if a := n.address("good"); a.String() != "192.0.2.1" {
			t.Errorf("it is %s", a)
		}
		if got := log.String(); strings.Count(got, "\n") != 4 || strings.Count(got, "cannot be resolved") != 3 {
			t.Errorf("the log says\n%s", got)
		}
		// The end waits for no look-up, and blames no name for it.
		d.mu.Lock()
		d.slow = true
		d.mu.Unlock()
		time.Sleep(lookupAgain)
		start = time.Now()
		cancel()
		<-done
		if took := time.Since(start); took != 0 {
			t.Errorf("the end took %s", took)
		}
		if got := log.String(); strings.Count(got, "\n") != 4 {
			t.Errorf("the log says\n%s", got)
		}
	})
}
