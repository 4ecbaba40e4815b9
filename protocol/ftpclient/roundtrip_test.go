package ftpclient_test

import (
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// turns is how often the client had to wait for the server, in the lines of a transcript: once for each run of commands.
func turns(lines []string) (n int) {
	was := ""
	for _, line := range lines {
		kind, _, _ := strings.Cut(line, " ")
		if kind == "C:" && was != "C:" {
			n++
		}
		was = kind
	}
	return n
}

// TestRoundTrips counts the turns of the control connection, each of which costs a round trip on a slow line. A
// data connection costs one more, to connect.
func TestRoundTrips(t *testing.T) {
	s := startOwn(t, nil)
	for _, test := range []struct {
		name              string
		do                func(c *ftpclient.Conn) error
		first, later, seq int // the first time on a connection, after that, and with Options.Sequential
	}{
		{"upload", func(c *ftpclient.Conn) error {
			_, err := c.StoreFrom(t.Context(), "/a", strings.NewReader("text"))
			return err
		}, 2, 1, 2},
		{"careful upload", func(c *ftpclient.Conn) error { store(t, c, "/b", []byte("text")); return nil }, 2, 1, 2},
		{"download", func(c *ftpclient.Conn) error { retrieve(t, c, "/a", 0); return nil }, 2, 1, 2},
		{"resumed download", func(c *ftpclient.Conn) error { retrieve(t, c, "/a", 2); return nil }, 3, 3, 3},
		{"listing", func(c *ftpclient.Conn) error { list(t, c, "/"); return nil }, 2, 1, 2},
		{"stat", func(c *ftpclient.Conn) error { _, err := c.Stat(t.Context(), "/a"); return err }, 1, 1, 1},
		{"rename", func(c *ftpclient.Conn) error { return c.Rename(t.Context(), "/b", "/b") }, 2, 2, 2},
		{"40 small commands", func(c *ftpclient.Conn) error {
			commands := make([]ftp.Command, 40)
			for i := range commands {
				commands[i] = ftp.Command{Verb: "SIZE", Arg: "/a"}
			}
			for _, r := range c.Batch(t.Context(), commands) {
				if r.Err != nil || r.Reply.Lines[0] != "4" {
					t.Error(r)
				}
			}
			return nil
		}, 2, 2, 40},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, sequential := range []bool{false, true} {
				r := &recorder{}
				c := s.dial(t, ftpclient.Options{Dialer: r, Sequential: sequential})
				want := 4 // USER, PASS, FEAT, all the rest
				if sequential {
					want = 5
				}
				if n := turns(r.lines); n != want {
					t.Errorf("login: %d turns, not %d:\n%s", n, want, strings.Join(r.lines, "\n"))
				}
				for i, want := range []int{test.first, test.later, test.later} {
					if sequential {
						want = test.seq
					}
					before := len(r.lines)
					if err := test.do(c); err != nil {
						t.Fatal(err)
					}
					if n := turns(r.lines[before:]); n != want {
						t.Errorf("time %d (sequential %v): %d turns, not %d:\n%s", i+1, sequential, n, want, strings.Join(r.lines[before:], "\n"))
					}
				}
			}
		})
	}
}
