//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestBan fails to log in until the address is banned, over a restart too, and lifts the ban.
func TestBan(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin")
	l := newSmallLab(t, "", "", `
state_dir = "`+t.TempDir()+`"
admin { address = "unix:`+socket+`" }
throttle {
  failures  = 4
  max_delay = "0s"
}
anonymous { filesystem = backend.local.home }
`)
	put(t, l.home, "file", []byte("text"))
	served := func(more ...string) {
		t.Helper()
		for _, user := range []string{"owner", ""} {
			if got := l.curl(t, append(more, l.url("main", user, "/file"))...); got != "text" {
				t.Errorf("%q: got %q", user, got)
			}
		}
	}
	banned := func() {
		t.Helper()
		for _, user := range []string{"owner", ""} {
			l.turnedAway(t, l.url("main", user, "/file"))
		}
		served("--interface", "127.0.0.2")
		if out, code := l.order(t, "ban", "list"); code != 0 || strings.Count(out, "\n") != 2 || !strings.Contains(out, "\n127.0.0.1 ") {
			t.Errorf("ban list ended with %d and says\n%s", code, out)
		}
	}
	restart := func() {
		t.Helper()
		l.stop(t)
		l.gateway = startFile(t, l.config, 1)
	}

	for _, who := range []string{"owner:wrong", "nobody:" + password, "owner:"} {
		l.curlFails(t, []int{curlLoginDenied}, "-u", who, l.url("main", "", "/file"))
	}
	served() // forgives nothing
	if out, _ := l.order(t, "ban", "list"); out != "Nobody is banned.\n" {
		t.Errorf("ban list says\n%s", out)
	}
	l.curlFails(t, []int{curlLoginDenied}, "-u", "owner:wrong", l.url("main", "", "/file"))
	banned()
	restart()
	banned()

	if out, code := l.order(t, "ban", "lift", "127.0.0.9"); code == 0 {
		t.Errorf("lifted a ban that there is not: %s", out)
	}
	if out, code := l.order(t, "ban", "lift", "127.0.0.1"); code != 0 || out != "Lifted 1 ban.\n" {
		t.Errorf("ban lift ended with %d and says\n%s", code, out)
	}
	served()
	restart()
	served()
	if strings.Contains(l.log.text(), "wrong") || strings.Contains(l.log.text(), password) {
		t.Errorf("a password in the log:\n%s", l.log.text())
	}
}

// TestNetworks: listeners and users are for the networks that they are for.
func TestNetworks(t *testing.T) {
	l := newSmallLab(t, "", `allow_from = ["127.0.0.2/31"]`, `
throttle { max_delay = "0s" }
listener "near" {
  address    = "127.0.0.1:0"
  allow_from = ["127.0.0.0/30"]
  deny_from  = ["127.0.0.1"]
}
anonymous { filesystem = backend.local.home }
`)
	put(t, l.home, "file", []byte("text"))
	for _, x := range []struct {
		listener, user, from string
		code                 int // of curl, or 421
	}{
		{"main", "owner", "127.0.0.1", curlLoginDenied},
		{"main", "owner", "127.0.0.2", 0},
		{"main", "owner", "127.0.0.3", 0},
		{"main", "owner", "127.0.0.4", curlLoginDenied},
		{"main", "", "127.0.0.1", 0},
		{"near", "owner", "127.0.0.2", 0},
		{"near", "", "127.0.0.2", 0},
		{"near", "", "127.0.0.1", 421},
		{"near", "", "127.0.0.4", 421},
	} {
		args := []string{"--interface", x.from, l.url(x.listener, x.user, "/file")}
		switch x.code {
		case 0:
			if got := l.curl(t, args...); got != "text" {
				t.Errorf("%v: got %q", x, got)
			}
		case 421:
			l.turnedAway(t, args...)
		default:
			l.curlFails(t, []int{x.code}, args...)
		}
	}
}

// TestConnectRate: one connection too many in a minute is refused, others' are not.
func TestConnectRate(t *testing.T) {
	l := newSmallLab(t, "", "", "limits { connect_rate = 3 }")
	for range 3 {
		l.curl(t, l.url("main", "owner", "/"))
	}
	l.turnedAway(t, l.url("main", "owner", "/"))
	l.curl(t, "--interface", "127.0.0.2", l.url("main", "owner", "/"))
}

// TestMaxSessions: a second session has to wait for the end of the first.
func TestMaxSessions(t *testing.T) {
	l := newSmallLab(t, "", "max_sessions = 1", "")
	c := login(t, l.at("main"), "owner")
	l.turnedAway(t, l.url("main", "owner", "/"))
	c.quit()
	l.curl(t, l.url("main", "owner", "/"))
}
