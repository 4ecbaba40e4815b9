package pi_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestProtectedTransfers: each transfer, passive and active, has its handshake after the 150,
// the empty ones too.
func TestProtectedTransfers(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			fsys := tree(t, map[string]string{"/f": "text", "/empty": "", "/d/x": ""})
			s := startTLS(t, ftptest.Options{FS: fsys}, nil)
			c, config, _ := s.protected(t, version)
			if err := fsys.Mkdir("/none", 0o755); err != nil {
				t.Fatal(err)
			}
			for _, active := range []bool{false, true} {
				open := func(command string) *ftptest.Data {
					t.Helper()
					if active {
						l := c.Active()
						c.Send(command)
						d := l.Accept()
						c.Want(150)
						return d.StartTLS(config)
					}
					d := c.Passive()
					c.Cmd(150, command)
					return d.StartTLS(config)
				}
				for _, x := range []struct{ command, want string }{
					{"RETR f", "text"}, {"RETR empty", ""}, {"NLST none", ""}, {"NLST d", "d/x\r\n"},
				} {
					if got := open(x.command).Receive(); got != x.want {
						t.Errorf("%s: %q", x.command, got)
					}
					c.Want(226)
				}
				for _, text := range []string{"", "new text"} {
					d := open("STOR new")
					d.Send(text)
					d.Close()
					c.Want(226)
					if got := content(fsys, "/new"); got != text {
						t.Errorf("stored %q", got)
					}
				}
				d := open("APPE new")
				d.Send("+")
				d.Close()
				c.Want(226)
				if got := content(fsys, "/new"); got != "new text+" {
					t.Errorf("stored %q", got)
				}
			}
			c.Quit()
		})
	}
}

// TestLargeProtectedTransfers moves 64 MiB and an odd byte both ways.
func TestLargeProtectedTransfers(t *testing.T) {
	b := make([]byte, 64<<20+1)
	rand.NewChaCha8([32]byte{1}).Read(b)
	want := string(b)
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			s := startTLS(t, ftptest.Options{FS: memory.New(memory.Options{MaxSize: 1 << 30}).Open("rw", 0)}, nil)
			c, config, _ := s.protected(t, version)
			d := c.Passive()
			c.Cmd(150, "STOR f")
			d.StartTLS(config).Send(want)
			d.Close()
			c.Want(226)
			d = c.Passive()
			c.Cmd(150, "RETR f")
			if got := d.StartTLS(config).Receive(); got != want {
				t.Errorf("%d bytes came back, and they differ", len(got))
			}
			c.Want(226)
			if got := s.log.last().Bytes; got != int64(len(want)) {
				t.Errorf("reported %d bytes", got)
			}
			c.Quit()
		})
	}
}

// TestASCIIUnderTLS: conversion is the same.
func TestASCIIUnderTLS(t *testing.T) {
	fsys := tree(t, nil)
	s := startTLS(t, ftptest.Options{FS: fsys}, nil)
	c, config, _ := s.protected(t, 0)
	c.Cmd(200, "TYPE A")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.StartTLS(config)
	for _, piece := range []string{"one\r", "\ntwo\r\n", "\r"} { // records of their own
		d.Send(piece)
	}
	d.Close()
	c.Want(226)
	if got := content(fsys, "/f"); got != "one\ntwo\n\r" {
		t.Errorf("stored %q", got)
	}
	d = c.Passive()
	c.Cmd(150, "RETR f")
	if got := d.StartTLS(config).Receive(); got != "one\r\ntwo\r\n\r" {
		t.Errorf("got %q", got)
	}
	c.Want(226)
	c.Quit()
}

// TestNoDataHandshake: a client that connects and never begins the handshake, or says
// something else, costs a 522 and nothing else (CLIENTS 18).
func TestNoDataHandshake(t *testing.T) {
	fsys := tree(t, map[string]string{"/f": "old"})
	costs522 := func(limits pi.Limits, acts map[string]func(*ftptest.Data)) {
		s := startTLS(t, ftptest.Options{FS: fsys, Limits: limits}, nil)
		c, config, _ := s.protected(t, 0)
		for name, act := range acts {
			for _, command := range []string{"STOR f", "RETR f", "LIST"} {
				t.Run(name+" "+command, func(t *testing.T) {
					d := c.Passive()
					c.Cmd(150, command)
					act(d)
					c.Want(522)
					if name != "closes" && name != "resets" {
						d.Gone()
					}
					if got := content(fsys, "/f"); got != "old" {
						t.Errorf("the file holds %q", got)
					}
				})
			}
		}
		if c.Cmd(213, "SIZE f"); limits.DataTimeout == 0 {
			d := c.Passive()
			c.Cmd(150, "RETR f")
			if got := d.StartTLS(config).Receive(); got != "old" {
				t.Errorf("got %q", got)
			}
			c.Want(226)
		}
		c.Quit()
	}
	costs522(pi.Limits{DataTimeout: 50 * time.Millisecond}, map[string]func(*ftptest.Data){
		"waits": func(*ftptest.Data) {},
		"half":  func(d *ftptest.Data) { _, _ = d.Conn.Write([]byte("\x16\x03\x01\x02\x00\x01")) }, // the timeout may come first
	})
	costs522(pi.Limits{}, map[string]func(*ftptest.Data){
		"closes":    func(d *ftptest.Data) { d.Close() },
		"resets":    func(d *ftptest.Data) { d.Reset() },
		"ends":      func(d *ftptest.Data) { d.Conn.CloseWrite() },
		"clear":     func(d *ftptest.Data) { d.Send("text in the clear\r\n") },
		"truncated": func(d *ftptest.Data) { d.Send("\x16\x03\x01"); d.Conn.CloseWrite() },
	})
}

// TestNothingInClearUnderProtection: a data connection under PROT P carries no byte of a file before
// its handshake, nor one that a client sent ahead of it.
func TestNothingInClearUnderProtection(t *testing.T) {
	fsys := tree(t, map[string]string{"/f": "secret"})
	s := startTLS(t, ftptest.Options{FS: fsys}, nil)
	c, _, _ := s.protected(t, 0)
	d := c.Passive()
	d.Send("pre-sent")
	c.Cmd(150, "STOR g")
	c.Want(522)
	d.Gone()
	d = c.Passive()
	c.Cmd(150, "RETR f")
	d.Conn.CloseWrite()
	b, _ := io.ReadAll(d.Conn)
	if strings.Contains(string(b), "secret") {
		t.Errorf("got %q", b)
	}
	c.Want(522)
	if got := content(fsys, "/g"); got != "no file" {
		t.Errorf("stored %q", got)
	}
	c.Quit()
}

// TestTruncation is THREATS 20: an upload whose stream ends without close_notify may have been
// cut by anybody in between, and is not published.
func TestTruncation(t *testing.T) {
	for name, version := range versions {
		for _, x := range []struct {
			name            string
			allowed, window bool
			ends            func(*ftptest.Data)
			outcome         pi.Outcome
		}{
			{"cut", false, false, (*ftptest.Data).Cut, pi.Discarded},
			{"cut and held", false, true, (*ftptest.Data).Cut, pi.Held},
			{"cut and allowed", true, false, (*ftptest.Data).Cut, pi.Complete},
			{"in a record, allowed", true, false, inRecord, pi.Discarded},
			{"reset, allowed", true, false, (*ftptest.Data).Reset, pi.Discarded},
			{"whole", false, false, (*ftptest.Data).Close, pi.Complete},
		} {
			for _, text := range []string{"new text", ""} {
				t.Run(fmt.Sprintf("%s %s %d", name, x.name, len(text)), func(t *testing.T) {
					fsys := tree(t, map[string]string{"/f": "old"})
					o := ftptest.Options{FS: fsys}
					if x.window {
						o.Change = resumable
					}
					s := startTLS(t, o, func(p *pi.TLS) { p.Truncation = x.allowed })
					c, config, _ := s.protected(t, version)
					d := c.Passive()
					c.Cmd(150, "STOR f")
					d.StartTLS(config)
					if text != "" {
						d.Send(text)
						c.WaitStored(len(text))
					}
					x.ends(d)
					want, partial, outcome := "old", int64(-1), x.outcome
					switch {
					case outcome == pi.Complete:
						want = text
						c.Want(226)
					case outcome == pi.Held && text != "":
						partial = int64(len(text))
						c.Want(426)
					default:
						outcome = pi.Discarded
						c.Want(426)
					}
					if got := content(fsys, "/f"); got != want {
						t.Errorf("the file holds %q", got)
					}
					if got := held(fsys, "/f"); got != partial {
						t.Errorf("%d bytes are held", got)
					}
					r := s.log.last()
					if r.Outcome != outcome {
						t.Errorf("reported %+v", r)
					}
					if strings.HasPrefix(x.name, "cut") && r.Err != nil && !strings.Contains(r.Err.Error(), "close_notify") {
						t.Error(r.Err)
					}
					c.Quit()
				})
			}
		}
	}
}

// inRecord ends the stream in the middle of a record.
func inRecord(d *ftptest.Data) {
	d.Conn.Write([]byte{23, 3, 3, 0, 100, 1, 2, 3})
	d.Conn.Close()
}

// TestAbortUnderTLS: ABOR, a stall and a lost client end a protected transfer as they do a clear one.
func TestAbortUnderTLS(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			fsys := tree(t, map[string]string{"/large": strings.Repeat("x", 32<<20)})
			s := startTLS(t, ftptest.Options{FS: fsys, Change: resumable}, nil)
			c, config, _ := s.protected(t, version)

			d := c.Passive()
			c.Cmd(150, "STOR f")
			d.StartTLS(config).Send("some")
			c.WaitStored(4)
			c.Cmd(200, "NOOP")
			c.Send("ABOR")
			c.Want(426)
			c.Want(226)
			d.Gone()
			if n := held(fsys, "/f"); n != 4 {
				t.Errorf("%d bytes are held", n)
			}

			d = c.Passive()
			c.Cmd(150, "RETR large")
			d.StartTLS(config).ReceiveSome(100)
			c.Send("ABOR")
			c.Want(426)
			c.Want(226)
			if n := d.Gone(); n >= 32<<20 {
				t.Errorf("%d bytes came", n)
			}

			// ABOR in the handshake.
			d = c.Passive()
			c.Cmd(150, "RETR large")
			c.Send("ABOR")
			c.Want(426)
			c.Want(226)
			d.Gone()

			// The client closes its data connection, which is what a client that aborts may do.
			d = c.Passive()
			c.Cmd(150, "RETR large")
			d.StartTLS(config).ReceiveSome(100)
			d.Reset()
			c.Want(426)

			d = c.Passive()
			c.Cmd(150, "STOR g")
			d.StartTLS(config).Send("some")
			c.WaitStored(4)
			c.Reset()
			d.Gone()
			await(t, s.log.ended, "the end")
			if got := content(fsys, "/g"); got != "no file" {
				t.Errorf("stored %q", got)
			}
			if r := s.log.last(); r.Outcome != pi.Held {
				t.Errorf("reported %+v", r)
			}
		})
	}
}

// TestStrictCommitUnderTLS: an upload that ended well, of a client that is gone, is not published.
func TestStrictCommitUnderTLS(t *testing.T) {
	fsys := tree(t, nil)
	s := startTLS(t, ftptest.Options{FS: fsys}, nil)
	c, config, _ := s.protected(t, 0)
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.StartTLS(config).Send("text")
	c.WaitStored(4)
	c.Close()
	d.Close()
	await(t, s.log.ended, "the end")
	if got := content(fsys, "/f"); got != "no file" {
		t.Errorf("stored %q", got)
	}
}

// TestStallUnderTLS: no byte for an interval, in the middle of a record too, ends a transfer.
func TestStallUnderTLS(t *testing.T) {
	fsys := tree(t, map[string]string{"/large": strings.Repeat("x", 32<<20)})
	s := startTLS(t, ftptest.Options{FS: fsys, Limits: pi.Limits{StallTimeout: 50 * time.Millisecond}}, nil)
	c, config, _ := s.protected(t, 0)
	for _, send := range []func(*ftptest.Data){
		func(*ftptest.Data) {},
		func(d *ftptest.Data) { _, _ = d.TLS.Write([]byte("text")) }, // the stall may come first
		func(d *ftptest.Data) { _, _ = d.Conn.Write([]byte{23, 3, 3, 0, 100, 1, 2, 3}) },
	} {
		d := c.Passive()
		c.Cmd(150, "STOR f")
		send(d.StartTLS(config))
		c.Want(426)
		d.Gone()
		if r := s.log.last(); !errors.Is(r.Err, dtp.ErrStalled) {
			t.Error(r.Err)
		}
	}
	d := c.Passive()
	c.Cmd(150, "RETR large")
	d.StartTLS(config)
	c.Want(426)
	if r := s.log.last(); !errors.Is(r.Err, dtp.ErrStalled) {
		t.Error(r.Err)
	}
	d.Gone()
	c.Quit()
}

// TestClearDataUnderTLS: PROT C, and back.
func TestClearDataUnderTLS(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, nil)
	c, config, _ := s.protected(t, tls.VersionTLS13)
	c.Cmd(200, "PROT C")
	d := c.Passive()
	c.Cmd(150, "RETR f")
	if got := d.Receive(); got != "text" {
		t.Errorf("got %q", got)
	}
	c.Want(226)
	c.Cmd(200, "PROT P")
	d = c.Passive()
	c.Cmd(150, "RETR f")
	if got := d.StartTLS(config).Receive(); got != "text" {
		t.Errorf("got %q", got)
	}
	c.Want(226)
	c.Quit()
}
