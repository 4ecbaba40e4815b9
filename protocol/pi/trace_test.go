package pi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestTrace: everything that the log needs is told, in order, and no secret is.
func TestTrace(t *testing.T) {
	l := newLog()
	fsys := hooked(tree(t, map[string]string{"/f": "text"}), func(_ context.Context, op, path string) error {
		if path == "/bad" && op == "stat" {
			return errors.New("the backend's own words")
		}
		return nil
	})
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Trace: l.trace(), Change: resumable})
	c := s.Dial()
	c.Want(220)
	c.Cmd(331, "USER rw")
	c.Cmd(530, "PASS hunter2")
	c.Login("rw")
	c.Cmd(202, "ACCT hunter2")
	c.Cmd(550, "SIZE nope")
	c.Cmd(451, "SIZE bad")
	c.Cmd(550, "RMD f")
	c.Cmd(200, "TYPE I")
	d := c.Passive()
	c.Cmd(150, "RETR f")
	d.Receive()
	c.Want(226)
	d = c.Passive()
	c.Cmd(150, "STOR g")
	d.Send("x")
	c.WaitStored(1)
	d.Reset()
	c.Want(426)
	c.Cmd(350, "REST 5")
	d = c.Passive()
	c.Cmd(554, "STOR f")
	d.Gone()
	c.Quit()
	await(t, l.ended, "the end of the session")
	want := strings.Split(`start
command USER "rw" 331
login rw login denied
command PASS "***" 530
command USER "rw" 331
login rw <nil>
command PASS "***" 230
command ACCT "***" 202
failure SIZE 550 stat /nope: file does not exist
command SIZE "nope" 550
failure SIZE 451 stat /bad: the backend's own words
command SIZE "bad" 451
failure RMD 550 not a directory
command RMD "f" 550
command TYPE "I" 200
command EPSV "" 229
transfer RETR /f complete 226
command RETR "f" 226
command EPSV "" 229
transfer STOR /g held 426
command STOR "g" 426
command REST "5" 350
command EPSV "" 229
transfer STOR /f discarded 554
command STOR "f" 554
command QUIT "" 221
end 221 Goodbye.`, "\n")
	got := strings.Split(l.String(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got\n%s", l)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	if r := l.last(); r.Offset != 5 || r.Err == nil || r.Duration <= 0 {
		t.Errorf("reported %+v", r)
	}
}

// TestPanic: a backend that panics is told of with its stack, and its upload is discarded exactly once.
func TestPanic(t *testing.T) {
	for _, op := range []string{"open", "write", "close", "seek"} {
		t.Run(op, func(t *testing.T) {
			base := tree(t, map[string]string{"/f": "old"})
			var discarded atomic.Int32
			fsys := hooked(base, func(_ context.Context, did, path string) error {
				switch did {
				case op:
					panic("a defect")
				case "abort", "keep":
					discarded.Add(1)
				}
				return nil
			})
			l := newLog()
			s := ftptest.Start(t, ftptest.Options{FS: fsys, Trace: l.trace(), Panics: true, Change: resumable})
			c := s.Login("rw")
			c.Cmd(200, "TYPE I")
			c.Cmd(350, "REST 1")
			d := c.Passive()
			c.Send("STOR f")
			d.Conn.Write([]byte("new")) // it may have been closed by now
			d.Conn.CloseWrite()
			r := c.Reply()
			if r.Code == 150 {
				r = c.Reply()
			}
			if r.Code != 451 || strings.Contains(r.String(), "defect") {
				t.Errorf("got %s", r)
			}
			d.Gone()
			if got := content(base, "/f"); got != "old" {
				t.Errorf("the file holds %q", got)
			}
			if held(base, "/f") >= 0 {
				t.Error("a partial is held")
			}
			want := int32(1)
			if op == "open" || op == "close" {
				want = 0
			}
			if n := discarded.Load(); n != want {
				t.Errorf("discarded %d times, want %d", n, want)
			}
			c.Quit()
			await(t, l.ended, "the end of the session")
			if !strings.Contains(l.String(), "panic STOR a defect true") {
				t.Errorf("told\n%s", l)
			}
		})
	}
}

// TestPanicLogin: a checker that panics lets nobody in.
func TestPanicLogin(t *testing.T) {
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{Panics: true, Trace: l.trace(), Login: func(_ context.Context, c auth.Credentials) (*pi.Account, error) {
		if c.Password == "nil" {
			return nil, nil
		}
		panic("a defect")
	}})
	c := s.Dial()
	c.Want(220)
	for _, password := range []string{"x", "nil"} {
		c.Cmd(331, "USER x")
		c.Cmd(451, "PASS %s", password)
		c.Cmd(530, "PWD")
	}
	if got := l.String(); strings.Contains(got, "login x <nil>") {
		t.Errorf("told\n%s", got)
	}
}

// TestLoginErrors: whatever goes wrong with a login, nobody is logged in.
func TestLoginErrors(t *testing.T) {
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{Trace: l.trace(), Login: func(_ context.Context, c auth.Credentials) (*pi.Account, error) {
		switch c.Password {
		case "denied":
			return nil, auth.ErrDenied
		case "busy":
			return nil, auth.ErrBusy
		case "banned":
			return nil, auth.ErrBanned
		case "transient":
			return nil, vfs.ErrTransient
		}
		return nil, &fs.PathError{Op: "open", Path: "/etc/secret", Err: errors.New("directory server down")}
	}})
	for password, code := range map[string]int{"denied": 530, "busy": 421, "banned": 421, "transient": 421, "other": 451} {
		c := s.Dial()
		c.Want(220)
		c.Cmd(331, "USER x")
		c.Send("PASS " + password)
		if r := c.Reply(); int(r.Code) != code || strings.Contains(r.String(), "secret") {
			t.Errorf("%s: %s", password, r)
		}
		if code == 421 {
			c.WantEnd()
			continue
		}
		c.Cmd(530, "PWD")
		c.Close()
	}
	if got := l.String(); strings.Count(got, "login x ") != 5 || strings.Contains(got, "failure PASS") {
		t.Errorf("each is not told once:\n%s", got)
	}
}

// TestAccountClose: each account is closed once, when its login ends.
func TestAccountClose(t *testing.T) {
	var opened, closed atomic.Int32
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Trace: l.trace(), Change: func(_ string, a *pi.Account) {
		opened.Add(1)
		once := false
		a.Close = func() {
			if once {
				t.Error("closed twice")
			}
			once = true
			closed.Add(1)
		}
	}})
	c := s.Login("rw")
	for _, step := range []string{"USER rw", "REIN"} {
		c.Send(step)
		c.Reply()
		if opened.Load() != closed.Load() {
			t.Errorf("after %s %d are open", step, opened.Load()-closed.Load())
		}
		c.Login("rw")
	}
	c.Quit()
	await(t, l.ended, "the end of the session")
	c = s.Login("rw")
	c.Reset()
	await(t, l.ended, "the end of the session")
	if opened.Load() != 4 || closed.Load() != 4 {
		t.Errorf("%d opened, %d closed", opened.Load(), closed.Load())
	}
}

// TestPanicOutsideHandlers: whatever panics besides a handler, on the reader, on the worker, or
// while a session ends, ends that session only, and its place is free.
func TestPanicOutsideHandlers(t *testing.T) {
	defect := func(hit bool) {
		if hit {
			panic("a defect")
		}
	}
	for _, x := range []struct {
		name  string
		line  string // what the victim sends; it is dropped for it
		trace pi.Trace
		close bool // its account panics
	}{
		{name: "reader", line: "SYST", trace: pi.Trace{Command: func(_ pi.SessionInfo, c ftp.Command, _ ftp.Reply) { defect(c.Verb == "SYST") }}},
		{name: "worker", line: "SIZE f", trace: pi.Trace{Command: func(_ pi.SessionInfo, c ftp.Command, _ ftp.Reply) { defect(c.Verb == "SIZE") }}},
		{name: "queue", line: "SIZE nope\r\nSIZE f\r\nDELE f", trace: pi.Trace{Command: func(_ pi.SessionInfo, c ftp.Command, _ ftp.Reply) { defect(c.Arg == "f") }}},
		{name: "end", line: "QUIT", trace: pi.Trace{SessionEnd: func(i pi.SessionInfo, _ time.Duration, _ string) { defect(i.User == "rw") }}},
		{name: "account", line: "QUIT", close: true},
		{name: "lost", line: "", close: true},
	} {
		t.Run(x.name, func(t *testing.T) {
			base := tree(t, map[string]string{"/f": "text"})
			panics := make(chan any, 10)
			x.trace.Panic = func(_ pi.SessionInfo, _ ftp.Command, v any, _ []byte) { panics <- v }
			s := ftptest.Start(t, ftptest.Options{FS: base, Panics: true, Trace: &x.trace, Change: func(user string, a *pi.Account) {
				if x.close && user == "rw" {
					a.Close = func() { panic("a defect") }
				}
			}})
			other, victim := s.Login("readonly"), s.Login("rw")
			if x.line == "" {
				victim.Reset()
			} else {
				victim.Send(x.line)
				for _, err := victim.Next(); err == nil; {
					_, err = victim.Next()
				}
			}
			if v := await(t, panics, "the report"); v != "a defect" {
				t.Errorf("reported %v", v)
			}
			ftptest.Eventually(t, "its place to be free", func() bool { return s.SlotsTaken() == 1 })
			other.Cmd(257, "PWD")
			s.Login("readonly").Quit()
			if got := content(base, "/f"); got != "text" {
				t.Errorf("the file holds %q", got)
			}
		})
	}
}

// TestPanicWhileBusy: a reader that panics takes its worker along.
func TestPanicWhileBusy(t *testing.T) {
	fsys, o := obstruct(t, tree(t, map[string]string{"/f": "text"}), "stat", "/f", false)
	l := newLog()
	s := ftptest.NewServer(t, ftptest.Options{FS: fsys, Panics: true, Trace: l.trace()})
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(p, pi.Endpoint{}) }()
	client, server := net.Pipe()
	p.conns <- panickyConn{server}
	r := bufio.NewReader(client)
	login(t, client, r)
	io.WriteString(client, "SIZE f\r\n")
	o.wait(t)
	io.WriteString(client, "boom\r\n")
	if reason := await(t, l.ended, "the end of the session"); reason != "internal error" {
		t.Errorf("reason %q", reason)
	}
	client.Close()
	s.Close()
	<-served
}

// panickyConn panics when it reads a certain word.
type panickyConn struct{ net.Conn }

func (c panickyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if strings.Contains(string(b[:n]), "boom") {
		panic("a defect")
	}
	return n, err
}
