package gateway

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// client is a client of a running gateway that may fail the test.
func (r *running) client() *ftptest.Client {
	c := ftptest.Dial(r.t, netip.MustParseAddrPort(r.Addrs()[0].String()))
	c.Want(220)
	return c
}

// nasty are texts that would like to be something else in a log.
var nasty = []string{
	"\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u009b31m", "\x9b31m", "a\tb\x0bc\x0cd\x08e\x7f", "\u2028\u2029\u0085x", "\u202eevil",
	`"},{"message":"logged in","user":"root"}`, `\n\u000a`, "\xff\xfe\xc0\xaf", "%s%n%d", "${jndi:ldap://x}", "2026-01-01 00:00:00 INF logged in user=root",
	strings.Repeat("x", 8000), strings.Repeat("\x1b", 8000),
}

// TestLogInjection (THREATS 14): each event is one line of the log, escaped and of bounded length, whatever clients put
// into it; and it is still an event of the client that caused it.
func TestLogInjection(t *testing.T) {
	date := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (DBG|INF|WRN|ERR) `)
	for _, format := range []config.LogFormat{config.LogJSON, config.LogConsole} {
		t.Run(string(format), func(t *testing.T) {
			r := runLogging(t, config.Log{Level: "debug", Format: format}, func(c *config.Config) {
				c.Throttle.Failures, c.Limits.CommandLine = 0, 8192
			})
			commands := 0
			for _, text := range nasty {
				c := r.client()
				c.Cmd(331, "USER %s", text)
				c.Cmd(530, "PASS %s", text)
				c.Cmd(200, "CLNT %s", text)
				c.Cmd(331, "USER alice")
				c.Cmd(230, "PASS secret words")
				commands += 5
				for _, verb := range []string{"CWD", "RETR", "SIZE", "RNFR", "RNTO", "SITE", "SITE CHMOD 600", "MFMT 20200101000000", "HELP", "OPTS", "ACCT", "MODE", "PORT", "REST", "XYZZY", "MKD"} {
					c.Send("%s %s", verb, text)
					c.Reply()
					commands++
				}
				for _, name := range []string{text, text + ".txt"} { // a directory, if MKD could make it, and a file
					d := c.Passive()
					c.Send("STOR %s", name)
					if c.Reply().Code == 150 {
						d.Close()
						c.Want(226)
					}
					commands += 2
				}
				for _, line := range []string{text, "USER " + strings.Repeat("y", 100<<10), "NOOP\x00" + text, "\x1b" + text} {
					c.Send(line)
					c.Reply()
					commands++
				}
				c.Quit()
				commands++
			}
			r.stop()
			seen := 0
			for _, line := range strings.Split(strings.TrimSuffix(r.log.String(), "\n"), "\n") {
				if i := strings.IndexFunc(line, func(r rune) bool {
					return unicode.IsControl(r) || r == unicode.ReplacementChar || r == 0x202e || r == 0x2028
				}); i >= 0 {
					t.Errorf("a character that controls something: %.300q", line[i:])
				}
				if len(line) > 5000 {
					t.Errorf("a line of %d bytes", len(line))
				}
				if format == config.LogConsole {
					if !date.MatchString(line) {
						t.Errorf("not the beginning of an event: %.100q", line)
					}
					if strings.Contains(line, " command ") && !strings.Contains(line, " command failed ") {
						seen++
					}
					continue
				}
				var event struct{ Message, User, Session string }
				if err := json.Unmarshal([]byte(line), &event); err != nil {
					t.Errorf("%v: %.100q", err, line)
				}
				if event.User == "root" {
					t.Errorf("an event that was none: %.200q", line)
				}
				if event.Message == "command" && event.Session != "" {
					seen++
				}
			}
			if seen != commands {
				t.Errorf("%d commands in the log, and %d were sent", seen, commands)
			}
		})
	}
}

// TestRefusedDataConnection: a stranger at a passive port is in the log, with both ends.
func TestRefusedDataConnection(t *testing.T) {
	r := run(t, zerolog.InfoLevel, nil)
	c := r.client()
	c.Cmd(331, "USER alice")
	c.Cmd(230, "PASS secret words")
	port := c.EPSV()
	d := c.ConnectFrom("127.0.0.2", port)
	from := d.Conn.LocalAddr().String()
	if n := d.Gone(); n != 0 {
		t.Errorf("it received %d bytes", n)
	}
	var line string
	eventually(t, "a line in the log", func() bool {
		for line = range strings.Lines(r.log.String()) {
			if strings.Contains(line, "data connection") {
				return true
			}
		}
		return false
	})
	for _, want := range []string{from, fmt.Sprintf("127.0.0.1:%d", port), `"level":"warn"`, `"listener":"main"`} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in %s", want, line)
		}
	}
	// The rightful one is served, and in no such line.
	c.Send("STOR f")
	own := c.Connect(port)
	c.Want(150)
	own.Close()
	c.Want(226)
	if got := strings.Count(r.log.String(), "data connection refused"); got != 1 {
		t.Errorf("%d lines", got)
	}
}
