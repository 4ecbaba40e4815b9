package pi_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// pipes is a listener whose connections are pipes in memory, so that time in a test is synctest's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// onFakeTime runs a test with a server and one connection to it on synctest's clock.
func onFakeTime(t *testing.T, o ftptest.Options, test func(t *testing.T, p *pipes, c net.Conn, r *bufio.Reader)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		s, served := ftptest.NewServer(t, o), make(chan error)
		go func() { served <- s.Serve(p, o.Endpoint) }()
		c := p.dial()
		test(t, p, c, bufio.NewReader(c))
		c.Close()
		s.Close()
		if err := <-served; err != pi.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
}

func expect(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	line, err := r.ReadString('\n')
	if !strings.HasPrefix(line, want) {
		t.Fatalf("got %q, %v, want %q", line, err, want)
	}
}

func expectAfter(t *testing.T, r *bufio.Reader, want string, d time.Duration) {
	t.Helper()
	start := time.Now()
	expect(t, r, want)
	if took := time.Since(start); took != d {
		t.Errorf("%q came after %s, want %s", want, took, d)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after %q: %v, want the end", want, err)
	}
}

func send(t *testing.T, c net.Conn, r *bufio.Reader, line, want string) {
	t.Helper()
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		t.Fatal(err)
	}
	expect(t, r, want)
}

func login(t *testing.T, c net.Conn, r *bufio.Reader) {
	t.Helper()
	expect(t, r, "220")
	send(t, c, r, "USER rw", "331")
	send(t, c, r, "PASS rw", "230")
}

// TestLoginTimeout counts from the connection on, whatever is said meanwhile (RFC 2577 §5).
func TestLoginTimeout(t *testing.T) {
	onFakeTime(t, ftptest.Options{FS: tree(t, nil)}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		expect(t, r, "220")
		for range 5 {
			time.Sleep(10 * time.Second)
			send(t, c, r, "NOOP", "200")
		}
		expectAfter(t, r, "421 Login timeout", 10*time.Second)
	})
}

// TestLoginTimeoutAgain: after REIN it counts anew.
func TestLoginTimeoutAgain(t *testing.T) {
	onFakeTime(t, ftptest.Options{FS: tree(t, nil)}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		login(t, c, r)
		// Over every moment at which the server may have decided to look.
		for range 12 {
			time.Sleep(50 * time.Second)
			send(t, c, r, "USER rw", "331")
			time.Sleep(50 * time.Second)
			send(t, c, r, "PASS rw", "230")
		}
		send(t, c, r, "REIN", "220")
		start := time.Now()
		expect(t, r, "421 Login timeout")
		if took := time.Since(start); took < time.Minute || took > 10*time.Minute {
			t.Errorf("after %s", took)
		}
	})
}

// TestIdleTimeout counts from the end of the last command (SEED C3; RFC 1123 §4.1.3.2).
func TestIdleTimeout(t *testing.T) {
	onFakeTime(t, ftptest.Options{FS: tree(t, nil)}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		login(t, c, r)
		for range 3 {
			time.Sleep(9 * time.Minute)
			send(t, c, r, "NOOP", "200")
		}
		expectAfter(t, r, "421 Idle timeout", 10*time.Minute)
	})
}

// TestIdleWhileBusy: a command that takes longer than the idle timeout is no idleness, and what
// follows it has the whole time again.
func TestIdleWhileBusy(t *testing.T) {
	fsys := hooked(tree(t, map[string]string{"/f": "text"}), func(_ context.Context, op, _ string) error {
		if op == "stat" {
			time.Sleep(25 * time.Minute)
		}
		return nil
	})
	onFakeTime(t, ftptest.Options{FS: fsys}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		login(t, c, r)
		send(t, c, r, "SIZE f", "213")
		expectAfter(t, r, "421 Idle timeout", 10*time.Minute)
	})
}

// TestIdleUnfinishedLine: bytes that make no line are no activity (THREATS 18).
func TestIdleUnfinishedLine(t *testing.T) {
	onFakeTime(t, ftptest.Options{FS: tree(t, nil)}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		login(t, c, r)
		start := time.Now()
		stuck := make(chan struct{})
		go func() {
			defer close(stuck)
			for {
				time.Sleep(10 * time.Second)
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		expect(t, r, "421 Idle timeout")
		if took := time.Since(start); took != 10*time.Minute {
			t.Errorf("after %s", took)
		}
		<-stuck
	})
}

// TestReplyTimeout: a client that never reads its replies is given up.
func TestReplyTimeout(t *testing.T) {
	var ended chan string // of the bubble
	trace := &pi.Trace{SessionEnd: func(_ pi.SessionInfo, _ time.Duration, reason string) { ended <- reason }}
	onFakeTime(t, ftptest.Options{FS: tree(t, nil), Trace: trace}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		ended = make(chan string, 1)
		login(t, c, r)
		start := time.Now()
		io.WriteString(c, "NOOP\r\n") // a pipe holds nothing: the reply is stuck at once
		if reason := <-ended; reason != "connection lost" {
			t.Errorf("ended for %q", reason)
		}
		if took := time.Since(start); took < pi.ReplyTimeout/2 || took > pi.ReplyTimeout {
			t.Errorf("after %s", took)
		}
	})
}

// TestCloseDeaf: Close does not wait for a client that does not read.
func TestCloseDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ftptest.NewServer(t, ftptest.Options{FS: tree(t, nil)})
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		go s.Serve(p, pi.Endpoint{})
		c := p.dial()
		login(t, c, bufio.NewReader(c))
		io.WriteString(c, "NOOP\r\n")
		synctest.Wait() // the reply is on its way
		start := time.Now()
		s.Close()
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %s", took)
		}
		c.Close()
	})
}

// TestEndBeforeBeginning: Shutdown and Close reach a session that has not yet got its greeting out.
func TestEndBeforeBeginning(t *testing.T) {
	for name, end := range map[string]func(*pi.Server){
		"Shutdown": func(s *pi.Server) { s.Shutdown(context.Background()) },
		"Close":    func(s *pi.Server) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := ftptest.NewServer(t, ftptest.Options{FS: tree(t, nil)})
			synctest.Test(t, func(t *testing.T) {
				p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				go s.Serve(p, pi.Endpoint{})
				c := p.dial()
				synctest.Wait() // a pipe holds nothing: the greeting is stuck
				done := make(chan struct{})
				go func() {
					end(s)
					close(done)
				}()
				synctest.Wait()
				start := time.Now()
				rest, _ := io.ReadAll(c)
				<-done
				if took := time.Since(start); took != 0 {
					t.Errorf("it went on for %s", took)
				}
				if name == "Shutdown" && !strings.Contains(string(rest), "421") {
					t.Errorf("it said %q", rest)
				}
			})
		})
	}
}

// TestSlotPatience: at the limit a new connection waits a moment for a slot.
func TestSlotPatience(t *testing.T) {
	o := ftptest.Options{FS: tree(t, nil), Limits: pi.Limits{MaxConnections: 1}}
	onFakeTime(t, o, func(t *testing.T, p *pipes, c net.Conn, r *bufio.Reader) {
		login(t, c, r)
		second := p.dial()
		expectAfter(t, bufio.NewReader(second), "421 Too many users", 250*time.Millisecond)
		third := p.dial()
		time.Sleep(200 * time.Millisecond)
		send(t, c, r, "QUIT", "221")
		expect(t, bufio.NewReader(third), "220")
		third.Close()
	})
}
