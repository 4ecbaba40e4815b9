package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// event is what these tests look at in a line of the log.
type event struct {
	Level, Message, Session, Verb string
	NotShown                      int `json:"not_shown"`
}

func (r *running) events() (all []event) {
	r.t.Helper()
	for line := range strings.Lines(r.log.String()) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("%v: %q", err, line)
		}
		all = append(all, e)
	}
	return all
}

// TestFailuresAreBounded (THREATS 23): whoever may log in cannot fill the log: of 10,000 failing commands a few are
// shown and the others counted, whatever they fail of, and one that somebody has to look into is still seen.
func TestFailuresAreBounded(t *testing.T) {
	const rounds, burst, most = 2000, 100, 100
	r := run(t, zerolog.InfoLevel, nil)
	c := r.client()
	c.Cmd(331, "USER alice")
	c.Cmd(230, "PASS secret words")
	for range rounds / burst {
		c.Send("%s", strings.Repeat("RETR nope\r\nLIST\r\nSIZE nope\r\nCWD nope\r\nXYZZY\r\n", burst-1)+"RETR nope\r\nLIST\r\nSIZE nope\r\nCWD nope\r\nXYZZY")
		for range burst * 5 {
			if got := c.Reply(); got.Code/100 < 4 {
				t.Fatalf("got %s", got)
			}
		}
	}
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.Reset()
	c.Want(426)
	c.Quit()
	r.stop()
	lines, counted, transfers := 0, 0, 0
	for _, e := range r.events() {
		switch {
		case e.Session == "":
		case e.Message == "transfer" && e.Level == "warn":
			transfers++
		case e.Message == "command failed" && e.Verb != "STOR":
			lines++
			counted += 1 + e.NotShown
		default:
			counted += e.NotShown
		}
	}
	if lines < failureBurst || lines > most || counted != 5*rounds || transfers != 1 {
		t.Errorf("%d lines about %d failures, and %d about failed transfers", lines, counted, transfers)
	}
	if n := r.log.String(); len(n) > 50<<10 {
		t.Errorf("%d bytes of log", len(n))
	}
}

// TestFailedTransfersAreCounted: of failed transfers, too, no more than so many are shown, and all are counted.
func TestFailedTransfersAreCounted(t *testing.T) {
	const n = 200
	r := run(t, zerolog.WarnLevel, nil)
	c := r.client()
	c.Cmd(331, "USER alice")
	c.Cmd(230, "PASS secret words")
	c.Cmd(257, "MKD d")
	for range n {
		d := c.Passive()
		c.Cmd(550, "STOR d")
		d.Gone()
	}
	c.Quit()
	r.stop()
	lines, counted := 0, 0
	for _, e := range r.events() {
		if e.Message == "transfer" {
			lines++
			counted++
		}
		counted += e.NotShown
	}
	if lines < failureBurst || lines > n/2 || counted != n {
		t.Errorf("%d lines about %d of %d failed transfers", lines, counted, n)
	}
}

// TestVisitsAreBounded: nor can the log be filled with sessions that send one line and go.
func TestVisitsAreBounded(t *testing.T) {
	const n = 1500
	start := time.Now()
	r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.Limits.MaxConnections, c.Limits.MaxConnectionsPerIP = n, n })
	visits := make([]*ftptest.Client, n)
	for i := range visits {
		visits[i] = r.client()
	}
	for _, c := range visits {
		c.Quit()
	}
	r.stop()
	lines := 0
	for _, e := range r.events() {
		if e.Session != "" {
			lines++
		}
	}
	most := visitsBurst + int(time.Since(start).Seconds()*visitsPerSecond) + 1
	if lines == 0 || lines > most {
		t.Errorf("%d lines about %d sessions, at most %d", lines, n, most)
	}
}
