package gateway

import (
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway/config"
)

// One session too many is refused with a clear text and leaves no trace; when one ends there is room again.
func TestMaxSessions(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Users[0].MaxSessions = 2
		c.Throttle.Failures = 1 // it is no failed login either
	})
	login := func() (string, func()) {
		c, _ := r.dial("127.0.0.1")
		cmd(c, "USER alice")
		return cmd(c, "PASS secret words"), func() { cmd(c, "QUIT") }
	}
	first, quit := login()
	second, _ := login()
	if !strings.HasPrefix(first, "230") || !strings.HasPrefix(second, "230") {
		t.Fatalf("%q %q", first, second)
	}
	for range 3 {
		if third, _ := login(); third != "421 Too many sessions of this user, close one or try again later.\r\n" {
			t.Errorf("got %q", third)
		}
	}
	quit()
	eventually(t, "room for another", func() bool {
		got, _ := login()
		return strings.HasPrefix(got, "230")
	})
	if log := r.log.String(); !strings.Contains(log, "max_sessions") || strings.Contains(log, "login failed") || len(r.throttle.Bans()) > 0 {
		t.Errorf("logged\n%s", log)
	}
}

// Each session has its own limiter, those of a user share one, and all share one.
func TestLimitersAreShared(t *testing.T) {
	memory := config.Backend{Kind: "memory", Name: "m", Memory: &config.Memory{MaxSize: 1 << 20}}
	c := &config.Config{
		Limits: config.Limits{Rates: config.Rates{Download: 1 << 20, Upload: 2 << 20, SessionDownload: 3 << 20}},
		Users: []config.User{
			{Name: "a", Filesystem: memory, Rates: config.Rates{Download: 4 << 20, SessionDownload: 5 << 20, SessionUpload: 6 << 20}},
			{Name: "b", Filesystem: memory},
		},
		Anonymous: &config.Anonymous{Filesystem: memory},
	}
	realm := newRealm(c, &backends{})
	limits := func(id auth.Identity) (down, up []*rate.Limiter) {
		a, err := realm.Account(t.Context(), id, "")
		if err != nil {
			t.Fatal(err)
		}
		return a.Download, a.Upload
	}
	a1, up := limits(auth.Identity{User: "a"})
	a2, _ := limits(auth.Identity{User: "a"})
	b, bUp := limits(auth.Identity{User: "b"})
	guest, _ := limits(auth.Identity{User: "anonymous", Anonymous: true})
	if len(a1) != 3 || len(up) != 2 || len(b) != 1 || len(bUp) != 1 || len(guest) != 2 {
		t.Fatalf("%d %d %d %d %d limiters", len(a1), len(up), len(b), len(bUp), len(guest))
	}
	if a1[0] == a2[0] || a1[1] != a2[1] || a1[2] != a2[2] || a1[2] != b[0] || b[0] != guest[1] || up[1] != bUp[0] || up[1] == a1[2] {
		t.Error("the wrong ones are shared")
	}
	for i, want := range []rate.Limit{5 << 20, 4 << 20, 1 << 20} {
		if a1[i].Limit() != want || a1[i].Burst() != int(min(want/4, maxBurst)) {
			t.Errorf("limiter %d: %v, %d", i, a1[i].Limit(), a1[i].Burst())
		}
	}
	if guest[0].Limit() != 3<<20 {
		t.Errorf("a guest has %v", guest[0].Limit())
	}
}
