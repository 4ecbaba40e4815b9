package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestHostileReplies has a server answer what no server may, at a moment when the client expects
// one reply. The connection must be given up, soon, and without holding what came.
func TestHostileReplies(t *testing.T) {
	line := bytes.Repeat([]byte("x"), 64<<10)
	lines := bytes.Repeat([]byte("zzzzzzzzzzzzzzz\r\n"), 1000)
	empty := bytes.Repeat([]byte("\r\n"), 1000)
	for name, test := range map[string]struct {
		answer func(p *peer)
		want   error
	}{
		"endless line": {func(p *peer) {
			p.raw("200 ")
			p.flood(line)
		}, ftpclient.ErrTooLong},
		"endless reply": {func(p *peer) {
			p.raw("200-" + strings.Repeat("y", 100) + "\r\n")
			p.flood(lines)
		}, ftpclient.ErrTooLong},
		"endless empty lines": {func(p *peer) { p.flood(empty) }, ftpclient.ErrProtocol},
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
			o := limits(test.want == ftpclient.ErrTimeout)
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
			c := f.login(limits(test.want == ftpclient.ErrStalled || name == "no final reply"))
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

// TestWaitsForTheEndOfData is a server that sends its 226 when the client has closed its end, as proftpd does.
func TestWaitsForTheEndOfData(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("RETR")
		p.say("150 here")
		conn := p.accept()
		defer conn.Close()
		_, _ = io.WriteString(conn, "text")
		_ = conn.CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		p.say("226 done")
		p.rest()
	})
	c := f.login(patient())
	if got := retrieve(t, c, "/x", 0); string(got) != "text" {
		t.Errorf("%q", got)
	}
}

// TestRefusedBeforeConnecting is a server that closes the port when it refuses the command, which
// the client has sent along: it may come too late to connect.
func TestRefusedBeforeConnecting(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("RETR")
		p.say("150 here")
		send(p, "text")
		p.say("226 done")
		p.want("EPSV")
		port := p.listen()
		p.data.Close()
		p.data = nil
		p.want("RETR")
		p.say("229 (|||"+strconv.Itoa(port)+"|)", "550 No such file.")
		p.rest()
	})
	c := f.login(patient())
	retrieve(t, c, "/x", 0)
	if _, err := c.Retrieve(t.Context(), "/y", 0); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ftpclient.ErrIncomplete) {
		t.Error(err)
	}
	if heard := f.heard(); strings.Contains(heard, "ABOR") || !c.Usable() {
		t.Errorf("it sent %q", heard)
	}
}

// TestRestRefused has a server that cannot begin in the middle: the command after REST would replace, or
// fetch, the whole file.
func TestRestRefused(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("REST")
		p.say("502 not here")
		p.want("REST")
		p.say("200 what?")
		p.rest()
	})
	c := f.login(patient())
	if _, err := c.Store(t.Context(), "/x", 5); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := c.Retrieve(t.Context(), "/x", 5); err == nil {
		t.Error("the offset was ignored")
	}
	if _, err := c.Retrieve(t.Context(), "/x", -1); err == nil {
		t.Error("a negative offset")
	}
	if heard := f.heard(); strings.Contains(heard, "STOR") || strings.Contains(heard, "RETR") || !c.Usable() {
		t.Errorf("it sent %q", heard)
	}
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
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	d, err := c.Retrieve(ctx, "/x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, d, 3); err != nil {
		t.Fatal(err)
	}
	cancel(over)
	if _, err := io.Copy(io.Discard, d); !errors.Is(err, over) {
		t.Fatal(err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error("the connection was lost:", err)
	}
}
