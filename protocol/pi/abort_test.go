package pi_test

import (
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestAbortBeforeBegun: an ABOR in the same segment as the transfer finds it, whether the worker
// has begun or not, and is not left waiting for a data connection that nobody makes.
func TestAbortBeforeBegun(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})})
	c := s.Login("rw")
	for range 200 {
		c.EPSV()
		c.Write("RETR f\r\nABOR\r\n")
		c.Want(426)
		c.Want(226)
	}
}

// TestAbortStorage (THREATS 17): ABOR ends a storage call that listens to its context, in whatever phase of a
// command it is, and nothing has changed.
func TestAbortStorage(t *testing.T) {
	for _, c := range []struct {
		op, path string
		before   string
		line     string
		data     string // "", "upload" or "download"
		begun    bool   // 150 has been said
	}{
		{op: "rename", path: "/f", before: "RNFR f", line: "RNTO g"},
		{op: "stat", path: "/f", line: "SIZE f"},
		{op: "remove", path: "/f", line: "DELE f"},
		{op: "mkdir", path: "/d", line: "MKD d"},
		{op: "open", path: "/f", line: "RETR f", data: "download"},
		{op: "open", path: "/f", line: "STOR f", data: "upload"},
		{op: "seek", path: "/f", before: "REST 2", line: "STOR f", data: "upload"},
		{op: "seek", path: "/f", before: "REST 2", line: "RETR f", data: "download"},
		{op: "readdir", path: "/", line: "LIST", data: "download"},
		{op: "read", path: "/f", line: "RETR f", data: "download", begun: true},
		{op: "write", path: "/f", line: "STOR f", data: "upload", begun: true},
	} {
		t.Run(c.line+" in "+c.op, func(t *testing.T) {
			base := tree(t, map[string]string{"/f": "text"})
			fsys, o := obstruct(t, base, c.op, c.path, false)
			s := ftptest.Start(t, ftptest.Options{FS: fsys})
			cl := s.Login("rw")
			cl.Cmd(200, "TYPE I")
			var d *ftptest.Data
			if c.data != "" {
				d = cl.Passive()
			}
			if c.before != "" {
				cl.Cmd(350, c.before)
			}
			before := snapshot(t, base)
			cl.Send(c.line)
			if c.begun {
				cl.Want(150)
			}
			if c.data == "upload" {
				d.Send("new")
			}
			o.wait(t)
			// A reply to NOOP must not overtake one that is still to come.
			if !c.begun {
				cl.Send("NOOP")
			}
			cl.Send("ABOR")
			cl.Want(426)
			if !c.begun {
				cl.Want(200)
			}
			cl.Want(226)
			if d != nil {
				d.Gone()
			}
			o.remove()
			if after := snapshot(t, base); after != before {
				t.Errorf("left\n%s\nof\n%s", after, before)
			}
			cl.Cmd(257, "PWD")
		})
	}
}

// TestAbortStubborn: a filesystem that knows no contexts is waited for, and 226 comes after it.
func TestAbortStubborn(t *testing.T) {
	base := tree(t, map[string]string{"/f": "text"})
	fsys, o := obstruct(t, base, "rename", "/f", true)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	c := s.Login("rw")
	c.Cmd(350, "RNFR f")
	c.Send("RNTO g")
	o.wait(t)
	c.Send("ABOR")
	c.Send("PWD")
	ftptest.Eventually(t, "both to be read", func() bool { return s.Queued() == 2 })
	o.remove()
	if r := c.Reply(); r.Code != 426 && r.Code != 250 {
		t.Errorf("RNTO: %s", r)
	}
	c.Want(226)
	c.Want(257)
}

// TestAbortTooLate: when publishing has begun, ABOR waits for it and says 226 to what is done.
func TestAbortTooLate(t *testing.T) {
	base := tree(t, map[string]string{"/f": "old"})
	fsys, o := obstruct(t, base, "close", "/f", false)
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.Send("new")
	d.Close()
	o.wait(t)
	c.Cmd(200, "NOOP")
	c.Send("ABOR")
	c.Send("NOOP") // behind the ABOR, it waits
	ftptest.Eventually(t, "both to be read", func() bool { return s.Queued() == 2 })
	o.remove()
	c.Want(226)
	c.Want(226)
	c.Want(200)
	if got := content(base, "/f"); got != "new" {
		t.Errorf("the file holds %q", got)
	}
}

// TestAbortDownload: the data connection is reset in the middle, so that nobody takes it for a whole file.
func TestAbortDownload(t *testing.T) {
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": strings.Repeat("x", 32<<20)}), Trace: l.trace()})
	c := s.Login("rw")
	for range 5 {
		d := c.Passive()
		c.Cmd(150, "RETR f")
		d.ReceiveSome(1000)
		c.Send("ABOR")
		c.Want(426)
		c.Want(226)
		if n := d.Gone(); n >= 32<<20-1000 {
			t.Errorf("all of it came")
		}
		if got := l.last(); got.Outcome != pi.Failed || got.Reply != 426 {
			t.Errorf("reported %+v", got)
		}
	}
}

// TestAbortFlood: however many ABORs come, each has its reply (THREATS 23).
func TestAbortFlood(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil)})
	c := s.Login("rw")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.Send("x")
	const n = 1000
	go func() { c.Conn.Write([]byte(strings.Repeat("ABOR\r\n", n))) }()
	c.Want(426)
	for range n {
		if r := c.Reply(); r.Code != 225 && r.Code != 226 {
			t.Fatalf("got %s", r)
		}
	}
	d.Gone()
	c.Cmd(200, "NOOP")
}
