package ftpclient_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

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
			c := f.login(patient())
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
	c := f.login(patient())
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
			o := patient()
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
			c := f.login(patient())
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
			o := patient()
			o.NoEPSV, o.TrustPASV = true, trust
			c := f.login(o)
			d, err := c.Retrieve(t.Context(), "/x", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
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
			_ = victim.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := victim.Accept(); err == nil {
				t.Fatal("a connection was made to another machine")
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
		c, err := ftpclient.Dial(ctx, f.addr, patient())
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
