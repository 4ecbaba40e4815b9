package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

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
