package pi_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestAdmit: who is not admitted gets 421 and no greeting, takes no place, and is
// in no report; others are served.
func TestAdmit(t *testing.T) {
	l := newLog()
	trace := l.trace()
	trace.Refused = func(string, netip.AddrPort, string) { l.add("refused") }
	s := ftptest.Start(t, ftptest.Options{
		FS: tree(t, nil), Trace: trace, Endpoint: pi.Endpoint{Name: "main"}, Limits: pi.Limits{MaxConnections: 1},
		Admit: func(endpoint string, remote netip.Addr) string {
			if endpoint == "main" && remote == netip.MustParseAddr("127.0.0.2") {
				return "Not you."
			}
			return ""
		},
	})
	c := s.Login("rw")
	for range 10 {
		d := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
		if r := d.Want(421); r.String() != "421 Not you." {
			t.Errorf("got %s", r)
		}
		d.WantEnd()
	}
	c.Cmd(200, "NOOP")
	if n := s.SlotsTaken(); n != 1 {
		t.Errorf("%d places are taken", n)
	}
	if got := l.String(); strings.Contains(got, "refused") || strings.Count(got, "start") != 1 {
		t.Errorf("reported\n%s", got)
	}
}
