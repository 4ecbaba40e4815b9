package ftpclient_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestMisplacedReplies have the server be one reply ahead, when it is too late to notice before the command was sent.
func TestMisplacedReplies(t *testing.T) {
	ctx := t.Context()
	small := map[string]func(c *ftpclient.Conn) error{
		"NOOP": func(c *ftpclient.Conn) error { return c.Noop(ctx) },
		"DELE": func(c *ftpclient.Conn) error { return c.Delete(ctx, "/x") },
		"SIZE": func(c *ftpclient.Conn) error { _, err := c.Size(ctx, "/x"); return err },
		"MDTM": func(c *ftpclient.Conn) error { _, err := c.ModTime(ctx, "/x"); return err },
		"PWD":  func(c *ftpclient.Conn) error { _, err := c.WorkingDir(ctx); return err },
		"RNFR": func(c *ftpclient.Conn) error { return c.Rename(ctx, "/x", "/y") },
		"EPSV": func(c *ftpclient.Conn) error { _, err := c.Retrieve(ctx, "/x", 0); return err },
		"PASV": func(c *ftpclient.Conn) error { _, err := c.Retrieve(ctx, "/x", 0); return err },
		"EPRT": func(c *ftpclient.Conn) error { _, err := c.Retrieve(ctx, "/x", 0); return err },
		"STOR": func(c *ftpclient.Conn) error {
			u, err := c.Store(ctx, "/x", 0)
			if err != nil {
				return err
			}
			return u.Close()
		},
	}
	for verb, answers := range map[string][]string{
		"NOOP": {"226 done", "426 cut", "229 (|||21|)"},
		"DELE": {"226 done", "225 no transfer", "227 (127,0,0,1,0,21)"},
		"SIZE": {"226 done", "250 gone", "200 ok"},
		"MDTM": {"226 done", "250 gone"},
		"PWD":  {"226 done", "250 gone", "200 ok"},
		"RNFR": {"226 done", "250 gone"},
		"EPSV": {"226 done", "250 gone", "227 (127,0,0,1,0,21)", "426 cut"},
		"PASV": {"226 done", "250 gone", "229 (|||21|)", "425 cut"},
		"EPRT": {"226 done", "229 (|||21|)"},
		"STOR": {"200 ok", "229 (|||21|)", "213 5", "350 go on"},
	} {
		for _, answer := range answers {
			t.Run(verb+" "+answer[:3], func(t *testing.T) {
				f := startFake(t, func(p *peer) {
					p.say("220 ready")
					p.want(verb)
					p.say(answer)
					p.rest()
				})
				o := patient()
				o.NoEPSV, o.Active = verb == "PASV", verb == "EPRT"
				c := f.login(o)
				if err := small[verb](c); !errors.Is(err, ftpclient.ErrProtocol) {
					t.Error(err)
				}
				if c.Usable() {
					t.Error("the connection is still used, one reply behind")
				}
			})
		}
	}
}

// TestFinalReplyOfAnother has an upload end with what is the answer to something else.
func TestFinalReplyOfAnother(t *testing.T) {
	for _, answer := range []string{"200 ok", "213 5", "225 no transfer", "229 (|||21|)", "257 \"/\""} {
		f := startFake(t, func(p *peer) {
			p.say("220 ready")
			p.want("STOR")
			p.say("150 go")
			_, _ = p.accept().Read(make([]byte, 10))
			p.say(answer)
			p.rest()
		})
		c := f.login(patient())
		if _, err := c.StoreFrom(t.Context(), "/x", strings.NewReader("text")); !errors.Is(err, ftpclient.ErrIncomplete) || c.Usable() {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestCancelledCommand ends the context while a small command waits. The call returns at once. The
// connection goes on when the reply has come, which the next command must not take for its own.
func TestCancelledCommand(t *testing.T) {
	for name, test := range map[string]struct {
		do    func(ctx context.Context, c *ftpclient.Conn) error
		verb  string
		say   []string // when the context is over
		broke bool
	}{
		"MKD": {func(ctx context.Context, c *ftpclient.Conn) error { _, err := c.MakeDir(ctx, "/x"); return err }, "MKD", []string{`257 "/x"`}, false},
		"refused": {func(ctx context.Context, c *ftpclient.Conn) error { return c.Delete(ctx, "/x") }, "DELE",
			[]string{"550-no", "550 such file"}, false},
		"preliminary": {func(ctx context.Context, c *ftpclient.Conn) error { _, err := c.Hash(ctx, "/x", "SHA-256"); return err }, "XSHA256",
			[]string{"150 wait", "250 done"}, false},
		"first of two": {func(ctx context.Context, c *ftpclient.Conn) error { return c.Rename(ctx, "/x", "/y") }, "RNFR", []string{"350 go on"}, true},
		"batch": {func(ctx context.Context, c *ftpclient.Conn) error {
			return c.Batch(ctx, []ftp.Command{{Verb: "SIZE", Arg: "/x"}, {Verb: "DELE", Arg: "/y"}})[1].Err
		}, "SIZE", []string{"213 5", "250 gone"}, false},
		"never answered":   {func(ctx context.Context, c *ftpclient.Conn) error { return c.Delete(ctx, "/x") }, "DELE", nil, true},
		"421":              {func(ctx context.Context, c *ftpclient.Conn) error { return c.Delete(ctx, "/x") }, "DELE", []string{"421 enough"}, true},
		"moved or not":     {func(ctx context.Context, c *ftpclient.Conn) error { return c.ChangeDir(ctx, "/x") }, "CWD", []string{"250 ok"}, true},
		"nobody knows":     {func(ctx context.Context, c *ftpclient.Conn) error { _, err := c.Quote(ctx, "SITE X"); return err }, "SITE", []string{"200 ok"}, true},
		"within the login": {func(ctx context.Context, c *ftpclient.Conn) error { return c.Login(ctx, "u", "p", "") }, "PASS", []string{"230 in"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			over := errors.New("over")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			returned := make(chan bool)
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("FEAT")
				p.say("211-Features:", " XSHA256", "211 End")
				p.want(test.verb)
				if name == "batch" {
					p.hear()
				}
				cancel(over)
				<-returned
				if test.say == nil {
					p.silent()
				}
				p.say(test.say...)
				p.want("PWD")
				p.say(`257 "/right"`)
				p.rest()
			})
			c := f.login(limits(test.say == nil))
			err := test.do(ctx, c)
			close(returned)
			if !errors.Is(err, over) {
				t.Fatal(err)
			}
			dir, err := c.WorkingDir(t.Context())
			if (err != nil) != test.broke || err == nil && dir != "/right" {
				t.Errorf("afterwards: %q, %v", dir, err)
			}
			if c.Usable() == test.broke {
				t.Error("broken and usable at once, or neither")
			}
		})
	}
}

// TestCancelledTwice ends the context of the call, too, that waits for what the one before has left.
func TestCancelledTwice(t *testing.T) {
	over := errors.New("over")
	first, cancel := context.WithCancelCause(t.Context())
	second, cancelSecond := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, over)
	defer cancelSecond()
	said := make(chan bool)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("DELE")
		cancel(over)
		<-said
		p.say("250 gone")
		p.rest()
	})
	c := f.login(patient())
	if err := c.Delete(first, "/x"); !errors.Is(err, over) {
		t.Fatal(err)
	}
	if err := c.Noop(second); !errors.Is(err, over) {
		t.Fatal(err)
	}
	close(said)
	if dir, err := c.WorkingDir(t.Context()); dir != "/" || err != nil {
		t.Errorf("%q %v", dir, err)
	}
}

// TestPoolSettles has a connection in the pool whose last command was cancelled and is never answered: Get must not give it
// to the next, who would wait for it.
func TestPoolSettles(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conns := make(chan int, 2)
	conns <- 0
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		if n := <-conns; n == 0 {
			conns <- 1
			p.want("DELE")
			cancel()
			p.silent()
		}
		p.rest()
	})
	o := patient()
	o.ReplyTimeout = time.Second
	dials := 0
	p := &ftpclient.Pool{Dial: func(context.Context) (*ftpclient.Conn, error) { dials++; return f.dial(o) }}
	defer p.Close()
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, "/x"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	p.Put(c)
	if c, err = p.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Noop(t.Context()); err != nil || dials != 2 {
		t.Errorf("%d dials, %v", dials, err)
	}
	p.Put(c)
}

// TestCancelledLogin ends the context between the login and TYPE I, without which files would be changed on their way.
func TestCancelledLogin(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("FEAT")
		cancel()
		p.want("PWD")
		p.say("211-Features:", "211 End", `257 "/"`)
		p.rest()
	})
	c, err := ftpclient.Dial(t.Context(), f.addr, patient())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(ctx, "u", "p", ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if c.Usable() {
		t.Error("it counts as usable")
	}
}

// TestLookingForADirectory has two callers share a connection: one whose Stat tries CWD, and one with a relative path.
func TestLookingForADirectory(t *testing.T) {
	looking, over := make(chan bool), make(chan bool)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("FEAT")
		p.say("211-Features:", "211 End")
		p.want("SIZE")
		p.hear() // MDTM
		p.say("550 no", "550 no")
		p.want("PWD")
		close(looking)
		p.say(`257 "/home"`)
		p.rest()
	})
	c := f.login(patient())
	var other sync.WaitGroup
	other.Go(func() {
		select {
		case <-looking:
		case <-over:
			return // which Stat tells about
		}
		if err := c.Delete(t.Context(), "x"); err == nil {
			t.Error("the fake deleted something")
		}
	})
	if e, err := c.Stat(t.Context(), "/x"); err != nil || !e.IsDir() {
		t.Errorf("%+v %v", e, err)
	}
	close(over)
	other.Wait()
	if lines := strings.Join(f.heardLines(), ", "); !strings.Contains(lines, "CWD /x, CWD /home, DELE x") {
		t.Errorf("it sent %q", lines)
	}
}

// TestCancelledBetweenTwo ends the context when the answer to RNFR has come. proftpd would refuse everything but RNTO then
// ("501 Bad sequence of commands", NOOP excepted): the connection must not be given to the next.
func TestCancelledBetweenTwo(t *testing.T) {
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("RNFR")
		p.say("350 go on")
		for {
			p.hear()
			p.say("501 Bad sequence of commands")
		}
	})
	o := patient()
	o.Trace = &ftpclient.Trace{Received: func(r ftp.Reply) {
		if r.Code == 350 {
			cancel(over)
		}
	}}
	c := f.login(o)
	if err := c.Rename(ctx, "/x", "/y"); !errors.Is(err, over) {
		t.Error(err)
	}
	if c.Usable() {
		t.Error("it counts as usable")
	}
}
