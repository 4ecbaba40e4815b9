package pi_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// ahead sends lines in one segment, without waiting for anybody to read them.
func ahead(c net.Conn, lines ...string) {
	go io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n")
}

// repeated is n times the same line.
func repeated(line string, n int) []string {
	return strings.Split(strings.Repeat(line+"\n", n)[:n*(len(line)+1)-1], "\n")
}

// TestCommandRate: as many commands as a second allows are taken at once, and the rest as fast as it
// allows, with nothing lost; after a while in silence it begins anew. Lines that are no
// commands and an ABOR of nothing count as well.
func TestCommandRate(t *testing.T) {
	for line, want := range map[string]string{
		"NOOP": "200 ", "nonsense": "500 ", "ABOR": "225 ", "PWD": "257 ", strings.Repeat("x", 600): "500 Command line too long",
	} {
		o := ftptest.Options{FS: tree(t, nil), Limits: pi.Limits{CommandRate: 10, CommandLine: 512}}
		onFakeTime(t, o, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
			login(t, c, r)
			for range 2 {
				time.Sleep(time.Minute)
				start := time.Now()
				ahead(c, repeated(line, 35)...)
				for i := range 35 {
					expect(t, r, want)
					if took, due := time.Since(start), time.Duration(max(0, i-9))*100*time.Millisecond; took != due {
						t.Fatalf("%.20s: answer %d came after %s, want %s", line, i, took, due)
					}
				}
			}
		})
	}
}

// TestNoCommandRate: without a limit nothing waits.
func TestNoCommandRate(t *testing.T) {
	onFakeTime(t, ftptest.Options{FS: tree(t, nil)}, func(t *testing.T, _ *pipes, c net.Conn, r *bufio.Reader) {
		login(t, c, r)
		start := time.Now()
		ahead(c, repeated("NOOP", 5000)...)
		for range 5000 {
			expect(t, r, "200 ")
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %s", took)
		}
	})
}

// TestCommandRateSparesTheEnd: QUIT, and ABOR of something that runs, do not wait.
func TestCommandRateSparesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys, obstacle := obstruct(t, tree(t, map[string]string{"/f": "text"}), "stat", "/f", false)
		o := ftptest.Options{FS: fsys, Limits: pi.Limits{CommandRate: 2}}
		p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		s, served := ftptest.NewServer(t, o), make(chan error)
		go func() { served <- s.Serve(p, o.Endpoint) }()
		c := p.dial()
		r := bufio.NewReader(c)
		login(t, c, r) // takes what a second allows
		send(t, c, r, "NOOP", "200 ")
		ahead(c, "SIZE f")
		obstacle.wait(t)
		start := time.Now()
		ahead(c, "ABOR")
		expect(t, r, "426 ")
		expect(t, r, "226 ")
		ahead(c, "QUIT")
		expect(t, r, "221 ")
		if took := time.Since(start); took != 0 {
			t.Errorf("they took %s", took)
		}
		c.Close()
		s.Close()
		<-served
	})
}

// TestCommandRateAndTimeouts: while commands wait, the login timeout and the end of the server
// take effect with the next of them, and Close at once.
func TestCommandRateAndTimeouts(t *testing.T) {
	for _, how := range []string{"login timeout", "shutdown", "close"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := ftptest.Options{FS: tree(t, nil), Limits: pi.Limits{CommandRate: 1, LoginTimeout: 5 * time.Second}}
				p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				s, served := ftptest.NewServer(t, o), make(chan error)
				go func() { served <- s.Serve(p, o.Endpoint) }()
				c := p.dial()
				r := bufio.NewReader(c)
				expect(t, r, "220 ")
				start := time.Now()
				fmt.Fprint(c, strings.Repeat("NOOP\r\n", 40)) // are all in the server's buffer
				expect(t, r, "200 ")
				expect(t, r, "200 ")
				synctest.Wait() // the third is held back
				ended := make(chan time.Duration, 1)
				want := 5 * time.Second
				switch how {
				case "shutdown":
					want = 2 * time.Second
					go func() { s.Shutdown(t.Context()); ended <- time.Since(start) }()
					expect(t, r, "421 Server is shutting down")
				case "close":
					want = time.Second
					s.Close()
					ended <- time.Since(start)
				default:
					for range 3 {
						expect(t, r, "200 ")
					}
					expect(t, r, "421 Login timeout")
					ended <- time.Since(start)
				}
				if took := <-ended; took != want {
					t.Errorf("it ended after %s, want %s", took, want)
				}
				c.Close()
				s.Close()
				<-served
			})
		})
	}
}
