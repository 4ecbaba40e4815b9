package pi_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestPace: transfers take as long as the tightest of their limiters wants, whose pauses are
// no stalls, and arrive whole.
func TestPace(t *testing.T) {
	const perSecond, burst, size = 200_000, 10_000, 60_000 // 250 ms in pauses of 50 ms
	text := strings.Repeat("0123456789", size/10)
	limited := func(_ string, a *pi.Account) {
		wide, tight := rate.NewLimiter(1e9, 1e9), rate.NewLimiter(perSecond, burst)
		a.Download, a.Upload = []*rate.Limiter{wide, tight}, []*rate.Limiter{tight, wide}
	}
	fsys := tree(t, map[string]string{"/f": text})
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: limited, Limits: pi.Limits{StallTimeout: 20 * time.Millisecond}})
	for _, typ := range []string{"I", "A"} {
		c := s.Login("rw")
		c.Cmd(200, "TYPE %s", typ)
		for _, line := range []string{"RETR f", "STOR g"} {
			c.Cmd(200, "NOOP")
			start := time.Now()
			d := c.Passive()
			if line == "STOR g" { // before the command: a busy machine may take longer than the stall timeout to send
				d.Conn.SetWriteBuffer(4 * size)
				d.Send(text)
				d.Conn.Close()
			}
			c.Cmd(150, line)
			if line == "RETR f" {
				if got := d.Receive(); got != text {
					t.Errorf("TYPE %s: received %d bytes", typ, len(got))
				}
			}
			c.Want(226)
			if took := time.Since(start); took < 200*time.Millisecond {
				t.Errorf("TYPE %s: %s took %v", typ, line, took)
			}
		}
		if got := content(fsys, "/g"); got != text {
			t.Errorf("TYPE %s: stored %d bytes", typ, len(got))
		}
		c.Quit()
	}
}

// TestPaceOfRawFiles: the kernel's own copying, which no limiter sees, is left alone.
func TestPaceOfRawFiles(t *testing.T) {
	b, err := local.New(local.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const burst, size = 100_000, 500_000 // more than any buffer of the copying
	text := strings.Repeat("0123456789", size/10)
	s := ftptest.Start(t, ftptest.Options{FS: b.Open("rw", 0), Change: func(_ string, a *pi.Account) {
		a.Download = []*rate.Limiter{rate.NewLimiter(2_000_000, burst)}
		a.Upload = []*rate.Limiter{rate.NewLimiter(2_000_000, burst)}
	}})
	c := s.Login("rw")
	c.Cmd(200, "TYPE I")
	for _, line := range []string{"STOR f", "RETR f"} {
		start := time.Now()
		d := c.Passive()
		c.Cmd(150, line)
		if line == "RETR f" {
			if got := d.Receive(); got != text {
				t.Errorf("received %d bytes", len(got))
			}
		} else {
			d.Send(text)
			d.Conn.Close()
		}
		c.Want(226)
		if took := time.Since(start); took < 180*time.Millisecond { // 400,000 bytes beyond the burst
			t.Errorf("%s took %v", line, took)
		}
	}
}

// TestPaceIsShared: who shares a limiter shares what it allows.
func TestPaceIsShared(t *testing.T) {
	shared := rate.NewLimiter(200_000, 10_000)
	fsys := tree(t, map[string]string{"/f": strings.Repeat("x", 40_000)})
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(_ string, a *pi.Account) { a.Download = []*rate.Limiter{shared} }})
	a, b := s.Login("rw"), s.Login("rw")
	x, y := a.Passive(), b.Passive()
	start := time.Now()
	a.Cmd(150, "RETR f")
	b.Cmd(150, "RETR f")
	x.Receive()
	y.Receive()
	if took := time.Since(start); took < 300*time.Millisecond { // 70,000 bytes beyond the burst
		t.Errorf("took %v", took)
	}
}

// TestPaceAbort: an ABOR does not wait for the limiter, in either direction.
func TestPaceAbort(t *testing.T) {
	fsys := tree(t, map[string]string{"/f": strings.Repeat("x", 100_000)})
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(_ string, a *pi.Account) {
		a.Download = []*rate.Limiter{rate.NewLimiter(0.001, 1000)}
		a.Upload = a.Download
	}})
	for _, line := range []string{"RETR f", "STOR g"} {
		c := s.Login("rw")
		d := c.Passive()
		c.Cmd(150, line)
		if line == "STOR g" {
			d.Send(strings.Repeat("x", 5000))
		}
		c.Cmd(426, "ABOR")
		c.Want(226)
	}
	if got := content(fsys, "/g"); got != "no file" {
		t.Errorf("stored %d bytes", len(got))
	}
}

// TestPaceIsTold: storage hears before every Write that the wait for it was ours, and without a
// limit nothing.
func TestPaceIsTold(t *testing.T) {
	for _, limited := range []bool{true, false} {
		var mu sync.Mutex
		var ops []string
		fsys := hooked(tree(t, nil), func(_ context.Context, op, _ string) error {
			if op == "paced" || op == "write" {
				mu.Lock()
				defer mu.Unlock()
				ops = append(ops, op)
			}
			return nil
		})
		s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(_ string, a *pi.Account) {
			a.MaxUpload = 1 << 20 // another Writer in between
			if limited {
				a.Upload = []*rate.Limiter{rate.NewLimiter(1e6, 1000)}
			}
		}})
		c := s.Login("rw")
		d := c.Passive()
		c.Cmd(150, "STOR f")
		d.Send(strings.Repeat("x", 5000))
		d.Conn.Close()
		c.Want(226)
		c.Quit()
		mu.Lock()
		if limited && !slices.Equal(ops, slices.Repeat([]string{"paced", "write"}, 5)) || !limited && slices.Contains(ops, "paced") {
			t.Errorf("limited %v: %q", limited, ops)
		}
		mu.Unlock()
	}
}
