package pi_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// shutdown runs Shutdown and returns where its result will be.
func shutdown(s *ftptest.Server, ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	return done
}

// TestShutdown: idle sessions are told goodbye, what runs comes to its end, nobody new is let in.
func TestShutdown(t *testing.T) {
	base := tree(t, map[string]string{"/f": "old"})
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: base, Trace: l.trace()})
	stranger, idle, busy := s.Dial(), s.Login("rw"), s.Login("rw")
	stranger.Want(220)
	d := busy.Passive()
	busy.Cmd(150, "STOR f")
	d.Send("n")
	done := shutdown(s, t.Context())
	for _, c := range []*ftptest.Client{stranger, idle} {
		c.Want(421)
		c.WantEnd()
	}
	if conn, err := net.Dial("tcp", s.Addr.String()); err == nil {
		conn.Close()
		t.Error("somebody new was let in")
	}
	busy.Cmd(200, "NOOP")
	busy.Send("PWD") // comes too late
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	d.Send("ew")
	d.Close()
	busy.Want(226)
	busy.Want(421)
	busy.WantEnd()
	if err := await(t, done, "Shutdown"); err != nil {
		t.Error(err)
	}
	if got := content(base, "/f"); got != "new" {
		t.Errorf("the file holds %q", got)
	}
	if err := s.Serve(listen(t), pi.Endpoint{}); err != pi.ErrServerClosed {
		t.Errorf("Serve after Shutdown: %v", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("a second Shutdown: %v", err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestShutdownBounded: what does not end in time is cut. It is held if it can be, and never published.
func TestShutdownBounded(t *testing.T) {
	base := tree(t, map[string]string{"/f": "old", "/big": strings.Repeat("x", 32<<20)})
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: base, Trace: l.trace(), Change: resumable})
	up, down, waiting, storage := s.Login("rw"), s.Login("rw"), s.Login("rw"), s.Login("rw")
	d := up.Passive()
	up.Cmd(150, "STOR f")
	d.Send("new")
	up.WaitStored(3)
	d2 := down.Passive()
	down.Cmd(150, "RETR big")
	d2.ReceiveSome(10)
	waiting.EPSV()
	waiting.Send("STOR g")
	storage.Cmd(350, "RNFR f")
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := shutdown(s, ctx)
	storage.Want(421)
	cancel(reason)
	if err := await(t, done, "Shutdown"); err != reason {
		t.Errorf("Shutdown: %v", err)
	}
	d.Gone()
	d2.Gone()
	for _, c := range []*ftptest.Client{up, down, waiting} {
		c.Want(426)
		c.Want(421)
		c.WantEnd()
	}
	for range 4 {
		await(t, l.ended, "the end of a session")
	}
	if got := content(base, "/f"); got != "old" {
		t.Errorf("the file holds %q", got)
	}
	if n := held(base, "/f"); n != 3 {
		t.Errorf("%d bytes are held", n)
	}
}

// TestClose: nothing is waited for but the storage's own end.
func TestClose(t *testing.T) {
	base := tree(t, map[string]string{"/f": "old"})
	fsys, o := obstruct(t, base, "rename", "/f", false)
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Trace: l.trace()})
	idle, busy := s.Login("rw"), s.Login("rw")
	busy.Cmd(350, "RNFR f")
	busy.Send("RNTO g")
	o.wait(t)
	start := time.Now()
	s.Close()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Close took %s", took)
	}
	for range 2 {
		await(t, l.ended, "the end of a session")
	}
	if _, err := idle.Next(); err == nil {
		t.Error("the idle session stands")
	}
	if got := content(base, "/f"); got != "old" {
		t.Errorf("the file holds %q", got)
	}
}

// TestCloseWhileConnecting: no session slips through, however young it is.
func TestCloseWhileConnecting(t *testing.T) {
	for range 30 {
		s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil)})
		stop := make(chan struct{})
		dialled := make(chan struct{})
		go func() {
			defer close(dialled)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if conn, err := net.Dial("tcp", s.Addr.String()); err == nil {
					defer conn.Close()
				} else {
					return
				}
			}
		}()
		ftptest.Eventually(t, "sessions", func() bool { return s.SlotsTaken() > 3 })
		start := time.Now()
		s.Close()
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("Close took %s", took)
		}
		close(stop)
		<-dialled
	}
}
