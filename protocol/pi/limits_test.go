package pi_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestSlotFreedBeforeGoodbye: who reads 221 or 421, or hangs up, finds room at once (SEED C2).
func TestSlotFreedBeforeGoodbye(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Limits: pi.Limits{MaxConnections: 1, LoginAttempts: 1}})
	for i := range 150 {
		c := s.Dial()
		c.Want(220)
		switch i % 3 {
		case 0:
			c.Cmd(221, "QUIT")
		case 1:
			c.Cmd(331, "USER rw")
			c.Cmd(421, "PASS wrong")
		case 2:
			c.Close()
		}
		if i%3 < 2 && s.SlotsTaken() != 0 {
			t.Fatal("the goodbye came before the slot was free")
		}
	}
}

// TestSlotFreedWhileCleaningUp: a session that has lost its client counts no longer, however long
// its storage takes.
func TestSlotFreedWhileCleaningUp(t *testing.T) {
	fsys, o := obstruct(t, tree(t, map[string]string{"/f": "text"}), "stat", "/f", true)
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Limits: pi.Limits{MaxConnectionsPerIP: 1}})
	for range 5 {
		c := s.Login("rw")
		c.Send("SIZE f")
		o.wait(t)
		c.Close()
	}
	o.remove()
}

// TestFull: at the limit everybody else is told 421, and whoever comes after somebody left is served.
func TestFull(t *testing.T) {
	var mu sync.Mutex
	var refused []string
	trace := &pi.Trace{Refused: func(endpoint string, remote netip.AddrPort, reason string) {
		mu.Lock()
		defer mu.Unlock()
		refused = append(refused, endpoint+" "+remote.Addr().String()+" "+reason)
	}}
	s := ftptest.Start(t, ftptest.Options{
		FS: tree(t, nil), Limits: pi.Limits{MaxConnections: 3, MaxConnectionsPerIP: 2}, Trace: trace, Endpoint: pi.Endpoint{Name: "main"},
	})
	a, b := s.Login("rw"), s.Dial() // not logged in counts as well
	b.Want(220)
	more := make([]*ftptest.Client, 5)
	for i := range more {
		more[i] = s.Dial()
	}
	for _, c := range more {
		if r := c.Want(421); !strings.Contains(r.String(), "your address") {
			t.Errorf("got %s", r)
		}
		c.WantEnd()
	}
	other := ftptest.DialFrom(t, "127.0.0.2", s.Addr)
	other.Want(220)
	third := ftptest.DialFrom(t, "127.0.0.3", s.Addr)
	if r := third.Want(421); !strings.Contains(r.String(), "Too many users") {
		t.Errorf("got %s", r)
	}
	a.Cmd(200, "NOOP")
	a.Quit()
	c := s.Login("rw")
	b.Close()
	s.Login("rw")
	c.Cmd(200, "NOOP")
	mu.Lock()
	defer mu.Unlock()
	if len(refused) != 6 || refused[0] != "main 127.0.0.1 Too many connections from your address, try again in a few minutes." {
		t.Errorf("reported %q", refused)
	}
}

// TestNoPassivePort: when all ports are taken PASV is 425, and works again when one is free (SEED D6).
func TestNoPassivePort(t *testing.T) {
	port := freePort(t)
	s := ftptest.Start(t, ftptest.Options{
		FS:      tree(t, map[string]string{"/f": "text"}),
		Passive: dtp.PassiveOptions{FirstPort: port, LastPort: port},
	})
	a, b := s.Login("rw"), s.Login("rw")
	if got := a.EPSV(); got != port {
		t.Fatalf("port %d, not %d", got, port)
	}
	b.Cmd(425, "EPSV")
	b.Cmd(425, "PASV")
	b.Cmd(425, "RETR f")
	d := a.Connect(port)
	a.Cmd(150, "RETR f")
	if got := d.Receive(); got != "text" {
		t.Errorf("received %q", got)
	}
	a.Want(226)
	d = b.Passive()
	b.Cmd(150, "RETR f")
	d.Receive()
	b.Want(226)
	// What is set up and not used ends with the session.
	a.EPSV()
	b.Cmd(425, "EPSV")
	a.Quit()
	ftptest.Eventually(t, "the port to be free", func() bool {
		b.Send("EPSV")
		return b.Reply().Code == 229
	})
}

// freePort finds a port that nobody uses, and that the kernel does not give to others by itself.
func freePort(t *testing.T) uint16 {
	t.Helper()
	for range 1000 {
		port := uint16(20000 + rand.IntN(10000))
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
