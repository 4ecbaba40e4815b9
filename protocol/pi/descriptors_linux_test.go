package pi_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestDescriptorsRunOut (THREATS 24): without descriptors new clients are told so, sessions that stand go on
// as far as they can, and everything works again when there are some.
func TestDescriptorsRunOut(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})})
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "RETR f")
	d.Receive()
	c.Want(226)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 256, Max: before.Max}); err != nil {
		t.Skip(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	var hoard []*os.File
	release := func() {
		for _, f := range hoard {
			f.Close()
		}
		hoard = nil
	}
	defer release()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		hoard = append(hoard, f)
	}
	for range 3 {
		hoard[len(hoard)-1].Close() // for the client's end
		hoard = hoard[:len(hoard)-1]
		refused := s.Dial()
		if r := refused.Want(421); !strings.Contains(r.String(), "Too many connections") {
			t.Errorf("got %s", r)
		}
		refused.WantEnd()
		c.Cmd(213, "SIZE f")
		refused.Close()
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		hoard = append(hoard, f)
	}
	c.EPSV() // on the port that is open
	release()
	s.Login("rw").Quit()
	d = c.Passive()
	c.Cmd(150, "RETR f")
	d.Receive()
	c.Want(226)
}
