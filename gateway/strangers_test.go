package gateway

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestUsersLookAlike (THREATS 12): with a wrong password nobody learns who there is: one text for users who are there or not, who may
// not come from here, whose directory is missing, who need a certificate, and for names that are none.
func TestUsersLookAlike(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Throttle.Failures = 0
		user := func(name string, change func(*config.User)) {
			u := c.Users[0]
			u.Name = name
			change(&u)
			c.Users = append(c.Users, u)
		}
		user("elsewhere", func(u *config.User) { u.AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
		user("homeless", func(u *config.User) {
			u.Filesystem = config.Backend{Kind: "local", Name: "gone", Local: &config.Local{Root: t.TempDir() + "/gone"}}
		})
		user("certificate", func(u *config.User) { u.PasswordHash, u.ClientName = "", "certificate" })
	})
	texts := make(map[string][]string)
	for _, x := range []struct{ user, password string }{
		{"alice", "wrong"}, {"nobody", "wrong"}, {"elsewhere", "wrong"}, {"elsewhere", "secret words"}, {"homeless", "wrong"}, {"certificate", "wrong"},
		{"Alice", "secret words"}, {"../alice", "secret words"}, {"alice", ""}, {"certificate", ""}, {strings.Repeat("x", 300), "wrong"},
		{"*", "wrong"}, {"alice)(|(x=*", "secret words"}, {"alice' or '1'='1", "secret words"}, {"${user.name}", "secret words"}, {"%s", "secret words"},
	} {
		c := r.client()
		user := c.Cmd(331, "USER %s", x.user)
		pass := c.Cmd(530, "PASS %s", x.password)
		key := user.String() + " / " + pass.String()
		texts[key] = append(texts[key], x.user)
		c.Close()
	}
	if len(texts) != 1 {
		t.Errorf("they can be told apart: %q", texts)
	}
}

// TestNoLookupsInTheLogin (THREATS 19): no name server is asked about a client, or it could keep everybody waiting.
func TestNoLookupsInTheLogin(t *testing.T) {
	var asked atomic.Int32
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.Limits.MaxConnectionsPerIP = 5 })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, net.ErrClosed
	}}
	if _, err := net.LookupAddr("192.0.2.1"); err == nil || asked.Load() == 0 {
		t.Fatal("this test sees no lookups")
	}
	asked.Store(0)
	c := ftptest.DialFrom(t, "127.9.9.9", netip.MustParseAddrPort(r.Addrs()[0].String()))
	c.Want(220)
	c.Cmd(331, "USER nobody.example.org")
	c.Cmd(530, "PASS x")
	c.Cmd(331, "USER alice")
	c.Cmd(230, "PASS secret words")
	c.Quit()
	if n := asked.Load(); n != 0 {
		t.Errorf("%d questions to name servers", n)
	}
}
