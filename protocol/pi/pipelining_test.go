package pi_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestOrder: replies come in the order of the commands, whoever runs them.
func TestOrder(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})})
	c := s.Login("rw")
	lines := []struct {
		line string
		code ftp.Code
	}{{"NOOP", 200}, {"SIZE f", 213}, {"PWD", 257}, {"SIZE nope", 550}, {"SYST", 215}, {"nope", 500}, {"", 500}, {"MDTM f", 213}, {"TYPE I", 200}, {"CWD /", 250}, {"TYPE", 501}, {"HASH f", 213}, {"RANG f", 502}}
	const rounds = 500
	var all strings.Builder
	for i := range rounds * len(lines) {
		all.WriteString(lines[(i*7)%len(lines)].line + "\r\n")
	}
	go c.Conn.Write([]byte(all.String()))
	for i := range rounds * len(lines) {
		want := lines[(i*7)%len(lines)]
		if r := c.Reply(); r.Code != want.code {
			t.Fatalf("reply %d to %q is %s", i, want.line, r)
		}
	}
	c.Quit()
}

// TestOvertaking: NOOP behind a transfer may come before its end, and never before its 150.
func TestOvertaking(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})})
	c := s.Login("rw")
	for range 500 {
		d := c.Passive()
		c.Write("RETR f\r\nNOOP\r\nNOOP\r\n")
		c.Want(150)
		codes := map[ftp.Code]int{}
		for range 3 {
			codes[c.Reply().Code]++
		}
		if codes[226] != 1 || codes[200] != 2 {
			t.Fatalf("got %v", codes)
		}
		d.Receive()
	}
}

// TestFlood: 100,000 commands sent ahead of a slow one cost no memory: the reader stops reading
// (THREATS 23). Afterwards each has its reply.
func TestFlood(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	fsys, o := obstruct(t, tree(t, map[string]string{"/f": "text"}), "stat", "/f", true)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	c := s.Login("rw")
	c.Send("SIZE f")
	o.wait(t)
	before := heap()
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if _, err := fmt.Fprintf(c.Conn, "CWD /%0100d\r\n", i); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	ftptest.Eventually(t, "the queue to be full", func() bool { return s.Queued() >= 64 })
	// The client is stuck: what it has sent lies in the kernel.
	select {
	case err := <-sent:
		t.Fatalf("everything was read ahead: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if q := s.Queued(); q > 64 {
		t.Errorf("%d commands are queued", q)
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("%d bytes of memory for commands that wait", grown)
	}
	o.remove()
	c.Want(213)
	for range n {
		c.Want(550)
	}
	if err := await(t, sent, "everything to be sent"); err != nil {
		t.Error(err)
	}
	// Another client was served meanwhile, and is now.
	s.Login("rw").Quit()
}

// TestLongQueue: the bytes of arguments that wait are bounded as well as their number.
func TestLongQueue(t *testing.T) {
	fsys, o := obstruct(t, tree(t, map[string]string{"/f": "text"}), "stat", "/f", true)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	c := s.Login("rw")
	c.Send("SIZE f")
	o.wait(t)
	const n = 60
	go c.Conn.Write([]byte(strings.Repeat("CWD "+strings.Repeat("a", 4000)+"\r\n", n)))
	ftptest.Eventually(t, "the queue to be full", func() bool { return s.Queued() >= 4 })
	c2 := s.Login("rw") // time for more to be read, if it were
	c2.Quit()
	if q := s.Queued(); q > 5 {
		t.Errorf("%d commands of 4,000 bytes are queued", q)
	}
	o.remove()
	c.Want(213)
	for range n {
		c.Want(550)
	}
}

// TestLongLine: a line of 10 MiB is one 500, costs no memory, and nothing of it is run (THREATS 9).
func TestLongLine(t *testing.T) {
	base := tree(t, map[string]string{"/f": "text"})
	s := ftptest.Start(t, ftptest.Options{FS: base})
	c := s.Login("rw")
	before := heap()
	piece := strings.Repeat("x", 64<<10-8) + " DELE f "
	go func() {
		for range 160 {
			c.Conn.Write([]byte(piece))
		}
		c.Conn.Write([]byte("\nNOOP\r\n"))
	}()
	c.Want(500)
	c.Want(200)
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("%d bytes of memory for a line that was dropped", grown)
	}
	if content(base, "/f") != "text" {
		t.Error("DELE was run")
	}
}

// TestEmptyLines: a million of them have a million replies.
func TestEmptyLines(t *testing.T) {
	if testing.Short() {
		t.Skip("a million replies")
	}
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil)})
	c := s.Login("rw")
	const n = 1_000_000
	go func() {
		lines := []byte(strings.Repeat("\r\n", 10_000))
		for range n / 10_000 {
			c.Conn.Write(lines)
		}
	}()
	for range n {
		c.Want(500)
	}
}

// TestUnreadReplies: a client that sends and never reads holds up nobody else and stops being read
// itself. The reply timeout ends it in TestReplyTimeout; here it leaves.
func TestUnreadReplies(t *testing.T) {
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Trace: l.trace()})
	c := s.Login("rw")
	c.Conn.SetReadBuffer(4096)
	before := heap()
	lines := []byte(strings.Repeat("HELP\r\n", 10_000))
	for {
		c.Conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Conn.Write(lines); errors.Is(err, os.ErrDeadlineExceeded) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("%d bytes of memory for a client that does not read", grown)
	}
	s.Login("rw").Quit()
	await(t, l.ended, "the other session")
	c.Reset()
	await(t, l.ended, "the end of the session")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
