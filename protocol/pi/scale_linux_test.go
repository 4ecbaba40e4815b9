package pi_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestTenPortsForHundreds: ten passive ports carry hundreds of transfers of different
// clients at once. While all of them are under way, one more is served; the
// uploads end up in their own files.
func TestTenPortsForHundreds(t *testing.T) {
	const ports, clients = 10, 300
	pid := os.Getpid()
	base := tree(t, nil)
	s := ftptest.Start(t, ftptest.Options{
		FS:      base,
		Address: net.IPv4(127, 67, byte(pid>>8), byte(pid)).String(), // all of its ports are free
		Passive: dtp.PassiveOptions{FirstPort: 20000, LastPort: 20000 + ports - 1},
		Change:  func(_ string, a *pi.Account) { a.Commit = pi.CommitLenient }, // saves a wait for each
	})
	type running struct {
		c *ftptest.Client
		d *ftptest.Data
	}
	login := func(i int) *ftptest.Client {
		c := ftptest.DialFrom(t, from(i), s.Addr)
		c.Want(220)
		c.Login("rw")
		return c
	}
	var all []running
	for i := range clients { // every one has its port before the first connects
		c := login(i)
		all = append(all, running{c: c})
	}
	used := make(map[uint16]int)
	waiting := make([]uint16, clients)
	for i, x := range all {
		waiting[i] = x.c.EPSV()
		used[waiting[i]]++
	}
	if st := s.Passive.Stats(); st.Reservations != clients || st.Listeners > ports || len(used) != st.Used {
		t.Fatalf("%+v, ports %v", st, used)
	}
	for i := range all {
		x := &all[i]
		x.d = x.c.ConnectFrom(from(i), waiting[i])
		x.c.Cmd(150, "STOR %d", i)
		x.d.Send(fmt.Sprint("the file of ", i))
	}
	// All of them stand. Now one more, from an address that has a transfer, and from one that has none.
	for _, i := range []int{0, clients} {
		c := login(i)
		d := c.ConnectFrom(from(i), c.EPSV())
		c.Cmd(150, "NLST")
		d.Receive()
		c.Want(226)
	}
	for i, x := range all {
		x.d.Send(", all of it")
		x.d.Close()
		x.c.Want(226)
		if got, want := content(base, fmt.Sprint("/", i)), fmt.Sprintf("the file of %d, all of it", i); got != want {
			t.Errorf("%d: %q", i, got)
		}
	}
	if st := s.Passive.Stats(); st.Reservations != 0 || st.Rejected != 0 || st.Accepted != clients+2 {
		t.Errorf("%+v", st)
	}
}

// from is an address of this machine for each client.
func from(i int) string { return net.IPv4(127, 64, byte(i>>8), byte(i)).String() }

// TestPortsRunOut: sessions of one address get different ports; one too many is told so,
// and that it passes, and gets one when one is free.
func TestPortsRunOut(t *testing.T) {
	pid := os.Getpid()
	s := ftptest.Start(t, ftptest.Options{
		FS:      tree(t, map[string]string{"/f": "text"}),
		Address: net.IPv4(127, 67, byte(pid>>8), byte(pid)).String(),
		Passive: dtp.PassiveOptions{FirstPort: 20100, LastPort: 20101},
	})
	one, two, three := s.Login("rw"), s.Login("rw"), s.Login("rw")
	port := one.EPSV()
	if port == two.EPSV() {
		t.Fatal("two sessions of one address share a port")
	}
	for _, verb := range []string{"PASV", "EPSV"} {
		if r := three.Cmd(425, "%s", verb); !strings.Contains(r.String(), "No passive port is free for your address, try again") {
			t.Errorf("got %s", r)
		}
	}
	three.Cmd(425, "RETR f")
	d := one.Connect(port)
	one.Cmd(150, "RETR f")
	d.Receive()
	one.Want(226)
	d = three.Passive()
	three.Cmd(150, "RETR f")
	if got := d.Receive(); got != "text" {
		t.Errorf("received %q", got)
	}
	three.Want(226)
}
