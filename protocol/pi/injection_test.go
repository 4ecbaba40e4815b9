package pi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestNothingIsReflected: before login no reply repeats what was sent (THREATS 8), so that
// nobody can put words into the server's mouth through a victim's browser.
func TestNothingIsReflected(t *testing.T) {
	s := startTLS(t, ftptest.Options{}, nil)
	const words = "SCRIPT"
	lines := []string{words, words + " x", "GET /" + words + " HTTP/1.0", "HELP " + words, "OPTS " + words, "OPTS MLST " + words + ";"}
	for verb := range pi.Verbs() {
		lines = append(lines, verb+" "+words, verb+" x "+words)
	}
	for _, line := range lines {
		c := s.Dial()
		c.Want(220)
		c.Send(line)
		if r := c.Reply(); strings.Contains(strings.ToUpper(r.String()), words) {
			t.Errorf("%q: %s", line, r)
		}
		c.Close()
	}
}

// TestNoControlCharacters: whatever a client puts into names and arguments, the replies have
// no control character of ASCII or UTF-8, nor, outside of paths that are to be sent
// back, a byte that an old terminal takes for one (THREATS 14). The client of
// these tests looks for them in every reply.
func TestNoControlCharacters(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil)})
	c := s.Login("rw")
	const bad = "\x1b[31m\u009b31m\x07\x7f\u0085\x9b1m"
	returned := []string{"MKD", "XMKD", "MLST", "MFMT", "STAT"} // paths, as they are
	var verbs []string
	for verb := range pi.Verbs() {
		if !slices.Contains([]string{"QUIT", "USER", "REIN"}, verb) {
			verbs = append(verbs, verb, verb+" 20200101000000")
		}
	}
	verbs = append(verbs, "SITE CHMOD 600", "SITE UTIME 20200101000000", "NO\u009bOP", "\x9b", "\x1b")
	slices.Sort(verbs) // else DELE makes room for MKD, or does not
	for _, there := range []bool{false, true} {
		if there {
			c.Cmd(257, "MKD d"+bad)
			noRawC1(t, c.Cmd(250, "CWD d"+bad))
			d := c.Passive()
			c.Cmd(150, "STOR "+bad)
			d.Send("x")
			d.Close()
			c.Want(226)
			c.Cmd(257, "PWD")
			noRawC1(t, c.Cmd(211, "STAT"))
			c.Cmd(212, "STAT /")
		}
		for _, verb := range verbs {
			c.Send("%s %s", verb, bad)
			r := c.Reply()
			if verb == "STAT" {
				r.Lines = r.Lines[:1] // the others show files
			}
			if verb == "STAT" || !slices.Contains(returned, strings.Fields(verb)[0]) {
				noRawC1(t, r)
			}
		}
	}
	// The 150 and the 226, and a status while it runs.
	for _, line := range []string{"STOR u" + bad, "APPE u" + bad, "STOU " + bad} {
		d := c.Passive()
		noRawC1(t, c.Cmd(150, line))
		noRawC1(t, c.Cmd(211, "STAT"))
		d.Close()
		noRawC1(t, c.Want(226))
	}
}

func noRawC1(t *testing.T, r ftptest.Reply) {
	t.Helper()
	if strings.Contains(r.String(), "\x9b") {
		t.Errorf("a raw control byte: %q", r)
	}
}

// TestMisspeltPasswords: a password behind a slip of the finger is in no log.
func TestMisspeltPasswords(t *testing.T) {
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Trace: l.trace()})
	for _, line := range []string{
		"PAS hunter2", "PASSS hunter2", "PASSHUNTER2", "pasHunter2", "PASSHUNTER2 x", "PSS hunter2", "ASS hunter2", "PPASS hunter2", "pass  hunter2",
		"PASS hunter2 and more", "PASS\thunter2", " PASS hunter2", "PASS:hunter2", "PASS=hunter2", "ACCT hunter2", "PASSWORDHUNTER2IS hunter2",
		"PASS hunter2\x00", "PASS " + strings.Repeat("hunter2", 2000),
		"PASV hunter2", "PWD hunter2", "SITE PSWD old hunter2", "SITE pswd hunter2 new", "site PASS  hunter2", "SITE  hunter2",
	} {
		for _, before := range []string{"", "USER rw", "in"} {
			c := s.Dial()
			c.Want(220)
			switch before {
			case "in":
				c.Login("rw")
			case "":
			default:
				c.Cmd(331, before)
			}
			c.Send(line)
			c.Reply()
			c.Quit()
			await(t, l.ended, "the end of the session")
		}
	}
	if got := l.String(); strings.Contains(strings.ToLower(got), "hunter2") {
		t.Errorf("told\n%s", got)
	}
}
