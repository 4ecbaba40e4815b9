package pi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestLost (SEED C23; THREATS 17): the control connection goes away at every step of an upload. Before publishing has
// begun the old file stands and what came is held; afterwards the new one is there, whole.
func TestLost(t *testing.T) {
	leave := map[string]func(c *ftptest.Client){"FIN": (*ftptest.Client).Close, "RST": (*ftptest.Client).Reset}
	for name, leave := range leave {
		for _, phase := range []struct {
			op        string // what the storage is held up in; "": nothing
			bytes     bool   // the upload has sent its bytes, and not its end
			end       bool   // ... and its end
			published bool
			held      int64
		}{
			{op: "open", held: -1},
			{op: "", held: -1}, // waiting for the data connection
			{op: "write", bytes: true, held: -1},
			{bytes: true, held: 3},
			{op: "close", end: true, published: true, held: -1},
		} {
			t.Run(name+" in "+phase.op+map[bool]string{true: " with bytes"}[phase.bytes], func(t *testing.T) {
				base := tree(t, map[string]string{"/f": "old"})
				fsys, o := obstruct(t, base, phase.op, "/f", phase.op == "close")
				l := newLog()
				s := ftptest.Start(t, ftptest.Options{FS: fsys, Trace: l.trace(), Change: resumable})
				c := s.Login("rw")
				port := c.EPSV()
				c.Send("STOR f")
				if phase.bytes || phase.end {
					d := c.Connect(port)
					c.Want(150)
					d.Send("new")
					if phase.end {
						d.Close()
					} else if phase.op == "" {
						c.WaitStored(3)
					}
				}
				if phase.op != "" {
					o.wait(t)
				}
				leave(c)
				if phase.published {
					// Nothing but itself ends the publishing.
					ftptest.Eventually(t, "the session to know", func() bool { return s.SlotsTaken() == 0 })
					o.remove()
				}
				await(t, l.ended, "the end of the session")
				o.remove()
				want := "old"
				if phase.published {
					want = "new"
				}
				if got := content(base, "/f"); got != want {
					t.Errorf("the file holds %q", got)
				}
				if got := held(base, "/f"); got != phase.held {
					t.Errorf("%d bytes are held, want %d", got, phase.held)
				}
			})
		}
	}
}

// TestLostQueue: what waited behind the running command is not run for a client that has gone.
func TestLostQueue(t *testing.T) {
	base := tree(t, map[string]string{"/f": "text", "/g": "text"})
	fsys, o := obstruct(t, base, "stat", "/f", true)
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Trace: l.trace()})
	c := s.Login("rw")
	c.Write("SIZE f\r\nDELE g\r\n")
	o.wait(t)
	c.Close()
	// A slot is free when the end is seen, not when the storage has come back.
	ftptest.Eventually(t, "the slot to be free", func() bool { return s.SlotsTaken() == 0 })
	o.remove()
	await(t, l.ended, "the end of the session")
	if got := content(base, "/g"); got != "text" {
		t.Errorf("DELE was run")
	}
}

// TestLostDownload: nobody reads on, and the transfer ends.
func TestLostDownload(t *testing.T) {
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": strings.Repeat("x", 32<<20)}), Trace: l.trace()})
	for _, leave := range []func(*ftptest.Client, *ftptest.Data){
		func(c *ftptest.Client, d *ftptest.Data) { c.Close() },
		func(c *ftptest.Client, d *ftptest.Data) { c.Reset() },
		func(c *ftptest.Client, d *ftptest.Data) { d.Reset(); c.Want(426); c.Close() },
		func(c *ftptest.Client, d *ftptest.Data) { d.Close(); c.Want(426); c.Close() },
	} {
		c := s.Login("rw")
		d := c.Passive()
		c.Cmd(150, "RETR f")
		d.ReceiveSome(10)
		leave(c, d)
		await(t, l.ended, "the end of the session")
		if got := l.last(); got.Outcome != pi.Failed || got.Err == nil || got.Reply != 426 {
			t.Errorf("reported %+v", got)
		}
	}
}

// TestStrictCommit: an upload whose client has gone before its data ended is not published; one whose
// client has said QUIT is.
func TestStrictCommit(t *testing.T) {
	base := tree(t, nil)
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: base, Trace: l.trace()})
	big := strings.Repeat("x", 3<<20)
	for _, text := range []string{"", "small", big} {
		for range 10 {
			c := s.Login("rw")
			d := c.Passive()
			c.Cmd(150, "STOR first-control")
			d.Send(text)
			c.Close()
			d.Close()
			await(t, l.ended, "the end of the session")
			if got := content(base, "/first-control"); got != "no file" {
				t.Fatalf("published %d bytes for nobody", len(got))
			}

			c = s.Login("rw")
			d = c.Passive()
			c.Cmd(150, "STOR quit")
			d.Send(text)
			c.Write("QUIT\r\n")
			c.Close()
			d.Close()
			await(t, l.ended, "the end of the session")
			if got := content(base, "/quit"); got != text {
				t.Fatalf("QUIT was sent, and the file holds %d bytes of %d", len(got), len(text))
			}
			base.Remove("/quit")
		}
	}
	// A killed client's data ends first, its control connection an instant later.
	for range 10 {
		c := s.Login("rw")
		d := c.Passive()
		c.Cmd(150, "STOR killed")
		d.Send(big)
		start := time.Now()
		d.Close()
		c.Close()
		apart := time.Since(start)
		await(t, l.ended, "the end of the session")
		if got := content(base, "/killed"); got != "no file" && apart < time.Millisecond {
			t.Errorf("published %d bytes for a client that was gone %s later", len(got), apart)
		}
		base.Remove("/killed")
	}
}

// TestStrictCommitUnread: a reader that waits for room in the queue sees no end of the connection; the
// kernel does.
func TestStrictCommitUnread(t *testing.T) {
	base := tree(t, nil)
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: base, Trace: l.trace()})
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.Send("text")
	c.WaitStored(4)
	c.Write(strings.Repeat("PWD\r\n", 100))
	ftptest.Eventually(t, "the queue to be full", func() bool { return s.Queued() >= 64 })
	c.Close()
	d.Close()
	await(t, l.ended, "the end of the session")
	if got := content(base, "/f"); got != "no file" {
		t.Errorf("published %q for nobody", got)
	}
}

// TestLenientCommit: the end of data is enough.
func TestLenientCommit(t *testing.T) {
	base := tree(t, nil)
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: base, Trace: l.trace(), Change: func(_ string, a *pi.Account) { a.Commit = pi.CommitLenient }})
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.Send("te")
	c.WaitStored(2)
	c.Close()
	ftptest.Eventually(t, "the slot to be free", func() bool { return s.SlotsTaken() == 0 })
	d.Send("xt")
	d.Close()
	await(t, l.ended, "the end of the session")
	if got := content(base, "/f"); got != "text" {
		t.Errorf("the file holds %q", got)
	}
	// A reset is no end of data.
	c = s.Login("rw")
	d = c.Passive()
	c.Cmd(150, "STOR g")
	d.Send("te")
	c.WaitStored(2)
	c.Close()
	d.Reset()
	await(t, l.ended, "the end of the session")
	if got := content(base, "/g"); got != "no file" {
		t.Errorf("the file holds %q", got)
	}
}
