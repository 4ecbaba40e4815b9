package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestHostileReplies has a server answer what no server may, at a moment when the client expects
// one reply. The connection must be given up, soon, and without holding what came.
func TestHostileReplies(t *testing.T) {
	block := strings.Repeat("x", 64<<10)
	for name, test := range map[string]struct {
		answer func(p *peer)
		want   error
	}{
		"endless line": {func(p *peer) {
			p.raw("200 ")
			for {
				p.raw(block)
			}
		}, ftpclient.ErrTooLong},
		"endless reply": {func(p *peer) {
			p.raw("200-" + strings.Repeat("y", 100) + "\r\n")
			for {
				p.raw(strings.Repeat("zzzzzzzzzzzzzzz\r\n", 1000))
			}
		}, ftpclient.ErrTooLong},
		"endless empty lines": {func(p *peer) {
			for {
				p.raw(strings.Repeat("\r\n", 1000))
			}
		}, ftpclient.ErrProtocol},
		"endless preliminary replies": {func(p *peer) {
			for {
				p.say("150 soon")
			}
		}, ftpclient.ErrProtocol},
		"reply that never ends": {func(p *peer) { p.raw("200-begun\r\n"); p.silent() }, ftpclient.ErrTimeout},
		"slow drip": {func(p *peer) {
			for {
				p.raw("2")
				p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				if _, err := p.r.Peek(1); !isTimeout(err) {
					return
				}
			}
		}, ftpclient.ErrTimeout},
		"no code":          {func(p *peer) { p.say("hello"); p.silent() }, ftpclient.ErrProtocol},
		"code of 2 digits": {func(p *peer) { p.say("20 hello"); p.silent() }, ftpclient.ErrProtocol},
		"code 000":         {func(p *peer) { p.say("000 hello"); p.silent() }, ftpclient.ErrProtocol},
		"code 999":         {func(p *peer) { p.say("999 hello"); p.silent() }, ftpclient.ErrProtocol},
		"silence":          {func(p *peer) { p.silent() }, ftpclient.ErrTimeout},
		"end":              {func(p *peer) {}, io.ErrUnexpectedEOF},
		"end in a line":    {func(p *peer) { p.raw("20") }, io.ErrUnexpectedEOF},
		"end in a reply":   {func(p *peer) { p.raw("200-begun\r\n") }, io.ErrUnexpectedEOF},
		"421":              {func(p *peer) { p.say("421 enough"); p.silent() }, nil},
		"another end code": {func(p *peer) { p.say("211-features", "212 end", "211"); p.silent() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("SITE")
				test.answer(p)
			})
			o := impatient()
			o.MaxReply, o.MaxLine = 8<<10, 4<<10
			c := f.login(o)
			before := allocated()
			r, err := c.Quote(t.Context(), "SITE x")
			if grown := allocated() - before; grown > 4<<20 {
				t.Errorf("%d bytes were allocated", grown)
			}
			if name == "another end code" {
				if err != nil || len(r.Lines) != 3 {
					t.Fatal(r, err)
				}
				return
			}
			if c.Usable() {
				t.Error("the connection still counts as usable")
			}
			if test.want == nil {
				return
			}
			if !errors.Is(err, test.want) {
				t.Fatalf("%v is not %v", err, test.want)
			}
			if err := c.Noop(t.Context()); !errors.Is(err, ftpclient.ErrBroken) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

// TestHangs has a server fall silent at each moment, and the context end. The call must return
// with the context's error, without waiting for the server.
func TestHangs(t *testing.T) {
	for _, at := range []string{"greeting", "USER", "PASS", "FEAT", "TYPE", "EPSV", "connect", "RETR", "data", "226", "STOR", "stored", "MLSD"} {
		t.Run(at, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				if at == "greeting" {
					p.silent()
				}
				p.say("220 ready")
				switch at {
				case "data", "226":
					p.want("RETR")
					p.say("150 here")
					conn := p.accept()
					_, _ = io.WriteString(conn, "some")
					if at == "226" {
						conn.Close()
					}
					p.silent()
				case "stored":
					p.want("STOR")
					p.say("150 go")
					conn := p.accept()
					_, _ = io.Copy(io.Discard, conn)
					p.silent()
				case "connect":
					p.want("RETR")
				default:
					p.want(at)
				}
				p.silent()
			})
			// What is measured is that the client does not wait for its own limits.
			o := ftpclient.Options{ConnectTimeout: time.Hour, ReplyTimeout: time.Hour, StallTimeout: time.Hour}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			err := func() error {
				c, err := ftpclient.Dial(ctx, f.addr, o)
				if err != nil {
					return err
				}
				defer c.Close()
				if err := c.Login(ctx, "user", "secret", ""); err != nil {
					return err
				}
				switch at {
				case "STOR", "stored":
					_, err := c.StoreFrom(ctx, "/x", strings.NewReader("text"))
					return err
				case "MLSD":
					for _, err := range c.List(ctx, "/") {
						return err
					}
					return nil
				}
				d, err := c.Retrieve(ctx, "/x", 0)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, d)
				return err
			}()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%v", err)
			}
		})
	}
}

// TestHostileTransfers are about what comes on the data connection and around it.
func TestHostileTransfers(t *testing.T) {
	big := string(random(300_000))
	for name, test := range map[string]struct {
		serve func(p *peer) // after RETR
		want  error         // nil: the whole file
		broke bool          // the connection is of no more use
	}{
		"in good order": {func(p *peer) {
			p.say("150 here")
			send(p, big)
			p.say("226 done")
		}, nil, false},
		"226 before the data": {func(p *peer) {
			p.say("150 here", "226 done")
			send(p, big)
		}, nil, false},
		"226 without a 150": {func(p *peer) {
			p.say("226 done")
			send(p, big)
		}, nil, false},
		"data ends early, and 426": {func(p *peer) {
			p.say("150 here")
			send(p, big[:1000])
			p.say("426 cut")
		}, ftpclient.ErrIncomplete, false},
		"data ends early, reset": {func(p *peer) {
			p.say("150 here")
			conn := p.accept()
			_, _ = io.WriteString(conn, big[:1000])
			_ = conn.SetLinger(0)
			conn.Close()
			p.say("451 disk")
		}, ftpclient.ErrIncomplete, false},
		"no final reply": {func(p *peer) {
			p.say("150 here")
			send(p, big)
			p.silent()
		}, ftpclient.ErrIncomplete, true},
		"control lost": {func(p *peer) {
			p.say("150 here")
			send(p, big)
			panic(gone{})
		}, ftpclient.ErrIncomplete, true},
		"stall": {func(p *peer) {
			p.say("150 here")
			conn := p.accept()
			_, _ = io.WriteString(conn, big[:1000])
		}, ftpclient.ErrStalled, false},
		"more after the final reply": {func(p *peer) {
			p.say("150 here")
			send(p, big)
			p.say("226 done", "226 done again")
		}, nil, true},
		"3xx": {func(p *peer) { p.say("350 what?") }, ftpclient.ErrProtocol, true},
		"endless preliminary replies": {func(p *peer) {
			p.say("150 here")
			send(p, big)
			for {
				p.say("150 here")
			}
		}, ftpclient.ErrProtocol, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("RETR")
				test.serve(p)
				p.rest()
			})
			c := f.login(impatient())
			var got []byte
			d, err := c.Retrieve(t.Context(), "/x", 0)
			if err == nil {
				got, err = io.ReadAll(d)
				if closed := d.Close(); !errors.Is(closed, err) && closed != err {
					t.Errorf("Read: %v, but Close: %v", err, closed)
				}
			}
			if test.want == nil && (err != nil || string(got) != big) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if test.want != nil && (!errors.Is(err, test.want) || !errors.Is(err, ftpclient.ErrIncomplete)) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			if err := c.Noop(t.Context()); (err != nil) != test.broke {
				t.Errorf("afterwards NOOP gives %v", err)
			}
		})
	}
}

func send(p *peer, s string) {
	conn := p.accept()
	defer conn.Close()
	_, _ = io.WriteString(conn, s)
}

// TestDataDrip is a server that sends a byte now and then, which is no stall: the context ends it.
func TestDataDrip(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("RETR")
		p.say("150 here")
		conn := p.accept()
		defer conn.Close()
		for {
			if _, err := conn.Write([]byte("x")); err != nil {
				break
			}
			conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			_, _ = conn.Read(make([]byte, 1))
		}
		p.rest()
	})
	c := f.login(ftpclient.Options{StallTimeout: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	d, err := c.Retrieve(ctx, "/x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, d); n == 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(n, err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error("the connection was lost:", err)
	}
}

// TestAnnouncedAddress has servers announce the address of another machine, where somebody listens.
func TestAnnouncedAddress(t *testing.T) {
	victim, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("no second loopback address:", err)
	}
	defer victim.Close()
	port := uint16(victim.Addr().(*net.TCPAddr).Port)
	for name, trust := range map[string]bool{"ignored": false, "trusted": true} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("PASV")
				own := uint16(p.listen())
				if trust {
					own = port
				}
				p.say(ftp.PassiveReply(netipAddrPort("127.0.0.2", own)).String())
				p.want("RETR")
				p.say("150 here")
				if !trust {
					send(p, "mine")
				}
				p.say("226 done")
				p.rest()
			})
			o := impatient()
			o.NoEPSV, o.TrustPASV = true, trust
			c := f.login(o)
			d, err := c.Retrieve(t.Context(), "/x", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			_ = victim.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
			if trust {
				_ = victim.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second))
				conn, err := victim.Accept()
				if err != nil {
					t.Fatal("the trusted address was not used:", err)
				}
				conn.Close()
				return
			}
			if b, err := io.ReadAll(d); string(b) != "mine" || err != nil {
				t.Fatalf("%q %v", b, err)
			}
			if _, err := victim.Accept(); err == nil {
				t.Fatal("a connection was made to another machine")
			}
		})
	}
}

// TestHostileListing has names that would lead elsewhere, and lines that are none.
func TestHostileListing(t *testing.T) {
	const mlsd = "type=file;size=1; good\r\n" +
		"type=file;size=1; ../evil\r\ntype=file;size=1; /etc/passwd\r\ntype=dir; ..\r\ntype=dir; .\r\ntype=cdir; x\r\n" +
		"type=file;size=1; a\rb\r\ntype=file;size=1; nul\x00\r\ntype=file;size=1;\r\n; \r\n\r\n\r\r\nrubbish\r\n" +
		"type=file;size=-5; minus\r\ntype=file;size=99999999999999999999999; huge\r\ntype=file;size=2; fine"
	const list = "total 5\r\n-rw-r--r-- 1 a b 1 Jan 01 2020 good\r\n-rw-r--r-- 1 a b 1 Jan 01 2020 ../evil\r\n" +
		"-rw-r--r-- 1 a b 1 Jan 01 2020 a\rb\r\nlrwxrwxrwx 1 a b 1 Jan 01 2020 link -> /etc\r\n" +
		"drwxr-xr-x 1 a b 1 Jan 01 2020 ..\r\n-rw-r--r-- 1 a b 2 Jan 01 2020 fine\r\n"
	for verb, lines := range map[string]string{"MLSD": mlsd, "LIST": list, "NLST": "good\r\n/etc/..\r\n..\r\n.\r\nx\ry\r\nfine\r\n"} {
		t.Run(verb, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				if verb == "LIST" {
					p.want("FEAT")
					p.say("211-Features:", " SIZE", "211 End")
				}
				p.want(verb)
				p.say("150 here")
				send(p, lines)
				p.say("226 done")
				p.rest()
			})
			c := f.login(impatient())
			var names []string
			if verb == "NLST" {
				for name, err := range c.NameList(t.Context(), "/") {
					if err != nil {
						t.Fatal(err)
					}
					names = append(names, name)
				}
			} else {
				for e, err := range c.List(t.Context(), "/") {
					if err != nil {
						t.Fatal(err)
					}
					names = append(names, e.Name)
				}
			}
			want := []string{"good", "fine"}
			if verb == "LIST" {
				want = []string{"good", "link", "fine"}
			}
			if !slices.Equal(names, want) {
				t.Errorf("%q", names)
			}
		})
	}
}

// TestVMS lists a server whose long names are wrapped, and whose sizes are in blocks.
func TestVMS(t *testing.T) {
	const lines = "Directory DISK$USER:[ANON]\r\n\r\nCORE.DIR;1          1  8-SEP-1996 16:09 [SYSTEM] (RWE,RWE,RE,RE)\r\n" +
		"A_LONG_NAME_THAT_IS_ALONE.TXT;3\r\n                    213/216  29-JAN-1996 03:33:12  [ANONYMOU,ANONYMOUS]   (RWED,RWED,,)\r\n" +
		"\r\nTotal of 2 files, 214/217 blocks\r\n"
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("FEAT")
		p.say("500 what?")
		p.want("LIST")
		p.say("150 here")
		send(p, lines)
		p.say("226 done")
		p.rest()
	})
	c := f.login(impatient())
	var got []string
	for e, err := range c.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Name)
		if e.Size != -1 || e.ModTime.Year() != 1996 || e.HasMode {
			t.Errorf("%+v", e)
		}
	}
	if !slices.Equal(got, []string{"CORE", "A_LONG_NAME_THAT_IS_ALONE.TXT"}) {
		t.Errorf("%q", got)
	}
}

// TestListingBounds are a line and a listing without end.
func TestListingBounds(t *testing.T) {
	for name, piece := range map[string]string{
		"line":    strings.Repeat("x", 10_000),
		"entries": strings.Repeat("type=file;size=1; x\r\n", 500),
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("MLSD")
				p.say("150 here")
				conn := p.accept()
				for {
					if _, err := io.WriteString(conn, piece); err != nil {
						break
					}
				}
				conn.Close()
				p.say("426 cut")
				p.rest()
			})
			o := impatient()
			o.MaxLine, o.MaxEntries = 64<<10, 50_000
			c := f.login(o)
			n := 0
			var last error
			for _, err := range c.List(t.Context(), "/") {
				last = err
				n++
			}
			if !errors.Is(last, ftpclient.ErrTooLong) || !errors.Is(last, ftpclient.ErrIncomplete) || n > 50_001 {
				t.Fatalf("%d entries, %v", n, last)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEndlessTree is a directory that contains itself under another name.
func TestEndlessTree(t *testing.T) {
	for name, unique := range map[string]string{"by depth": "", "by its unique fact": "unique=7;"} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				for {
					p.want("MLSD")
					p.say("150 here")
					send(p, "type=dir;"+unique+" again\r\n")
					p.say("226 done")
				}
			})
			c := f.login(impatient())
			n, failures := 0, 0
			for _, err := range c.Walk(t.Context(), "/") {
				if n++; n > 1000 {
					t.Fatal("the walk does not end")
				}
				if err != nil {
					failures++
				}
			}
			if unique == "" && failures != 1 || unique != "" && n > 2 {
				t.Errorf("%d entries, %d failures", n, failures)
			}
		})
	}
}

// TestInjection has credentials and names with ends of line. Nothing of them may be sent.
func TestInjection(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.rest()
	})
	ctx := t.Context()
	for _, evil := range []string{"a\r\nDELE b", "a\nb", "a\rb", "a\x00b"} {
		c, err := ftpclient.Dial(ctx, f.addr, impatient())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i := range 3 {
			args := [3]string{"u", "p", "a"}
			args[i] = evil
			if err := c.Login(ctx, args[0], args[1], args[2]); !errors.Is(err, ftpclient.ErrBadName) || strings.Contains(err.Error(), "DELE") {
				t.Errorf("%q: %v", args, err)
			}
		}
		if err := c.Login(ctx, "u", "p", ""); err != nil {
			t.Fatal(err)
		}
		for name, call := range map[string]func() error{
			"Delete":   func() error { return c.Delete(ctx, evil) },
			"Rename":   func() error { return c.Rename(ctx, "x", evil) },
			"Retrieve": func() error { _, err := c.Retrieve(ctx, evil, 0); return err },
			"Store":    func() error { _, err := c.Store(ctx, evil, 0); return err },
			"List": func() error {
				for _, err := range c.List(ctx, evil) {
					return err
				}
				return nil
			},
			"Quote":      func() error { _, err := c.Quote(ctx, "NOOP "+evil); return err },
			"QuoteVerb":  func() error { _, err := c.Quote(ctx, evil); return err },
			"Batch":      func() error { return c.Batch(ctx, []ftp.Command{{Verb: "DELE", Arg: evil}})[0].Err },
			"SetModTime": func() error { return c.SetModTime(ctx, evil, time.Now()) },
			"Stat":       func() error { _, err := c.Stat(ctx, evil); return err },
		} {
			if err := call(); !errors.Is(err, ftpclient.ErrBadName) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !c.Usable() {
			t.Error("the connection is not usable")
		}
	}
	for _, line := range f.heardLines() {
		if verb, _, _ := strings.Cut(line, " "); !slices.Contains([]string{"USER", "PASS", "FEAT", "TYPE", "OPTS", "EPSV", "QUIT"}, verb) {
			t.Errorf("it sent %q", line)
		}
	}
}

func (f *fake) heardLines() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}
