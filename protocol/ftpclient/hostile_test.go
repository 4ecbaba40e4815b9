package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
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
