package pi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestResetWhileNotRead: a reader that waits for room in the queue, or to begin a handshake, notices
// all the same that the client has reset the connection, and what runs is cancelled.
func TestResetWhileNotRead(t *testing.T) {
	for name, ahead := range map[string]string{"queue": strings.Repeat("PWD\r\n", 100), "handshake": "AUTH TLS\r\n"} {
		t.Run(name, func(t *testing.T) {
			fsys := tree(t, map[string]string{"/f": "old"})
			s := startTLS(t, ftptest.Options{FS: fsys}, nil)
			c := s.Login("rw")
			d := c.Passive()
			c.Cmd(150, "STOR f")
			d.Send("text")
			c.WaitStored(4)
			c.Write(ahead)
			if name == "queue" {
				ftptest.Eventually(t, "the queue to be full", func() bool { return s.Queued() >= 64 })
			}
			c.Reset()
			if reason := await(t, s.log.ended, "the end of the session"); reason != "connection lost" {
				t.Errorf("reason %q", reason)
			}
			d.Gone()
			if got := content(fsys, "/f"); got != "old" {
				t.Errorf("the file holds %q", got)
			}
		})
	}
}

// TestHalfClosedWhileNotRead: who has sent everything, QUIT included, and closes that direction, is served to the end.
func TestHalfClosedWhileNotRead(t *testing.T) {
	fsys, o := obstruct(t, tree(t, map[string]string{"/f": "text"}), "stat", "/f", false)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	c := s.Login("rw")
	c.Send("SIZE f")
	o.wait(t)
	c.Write(strings.Repeat("PWD\r\n", 100) + "QUIT\r\n")
	c.Conn.CloseWrite()
	ftptest.Eventually(t, "the queue to be full", func() bool { return s.Queued() >= 64 })
	<-time.After(3 * pi.ResetCheck)
	o.remove()
	c.Want(213)
	for range 100 {
		c.Want(257)
	}
	c.Want(221)
	c.WantEnd()
}
