package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestHostileUploads are about servers that do not want what they are sent.
func TestHostileUploads(t *testing.T) {
	big := random(30_000_000)
	reset := func(conn *net.TCPConn) {
		_ = conn.SetLinger(0)
		conn.Close()
	}
	for name, test := range map[string]struct {
		serve func(p *peer) // after STOR
		want  error
		code  ftp.Code // of the refusal
		broke bool
	}{
		"refused at once": {func(p *peer) { p.say("553 Not that name.") }, fs.ErrPermission, 553, false},
		"refused in the middle": {func(p *peer) {
			p.say("150 go")
			conn := p.accept()
			_, _ = io.CopyN(io.Discard, conn, 100_000)
			p.say("552 Quota exceeded.")
			reset(conn)
		}, ftpclient.ErrQuota, 552, false},
		"refused in the middle, open": {func(p *peer) {
			p.say("150 go")
			conn := p.accept()
			_, _ = io.CopyN(io.Discard, conn, 100_000)
			p.say("452 Disk full.")
			p.rest()
		}, ftpclient.ErrStalled, 452, false},
		"refused at the end": {func(p *peer) {
			p.say("150 go")
			_, _ = io.Copy(io.Discard, p.accept())
			p.say("451 Could not be stored.")
		}, ftpclient.ErrIncomplete, 451, false},
		"reset without a word": {func(p *peer) {
			p.say("150 go")
			reset(p.accept())
		}, ftpclient.ErrIncomplete, 0, false},
		"not read": {func(p *peer) {
			p.say("150 go")
			p.accept()
			p.rest()
		}, ftpclient.ErrStalled, 0, false},
		"no final reply": {func(p *peer) {
			p.say("150 go")
			_, _ = io.Copy(io.Discard, p.accept())
			p.silent()
		}, ftpclient.ErrTimeout, 0, true},
		"control lost at the end": {func(p *peer) {
			p.say("150 go")
			_, _ = io.Copy(io.Discard, p.accept())
			panic(gone{})
		}, io.ErrUnexpectedEOF, 0, true},
	} {
		for way, upload := range map[string]func(c *ftpclient.Conn) error{
			"Write": func(c *ftpclient.Conn) error {
				u, err := c.Store(t.Context(), "/x", 0)
				if err != nil {
					return err
				}
				if _, err = u.Write(big); err != nil {
					if closed := u.Close(); closed != err { //nolint:errorlint // the very same
						t.Errorf("Write: %v, but Close: %v", err, closed)
					}
					return err
				}
				return u.Close()
			},
			"StoreFrom": func(c *ftpclient.Conn) error {
				_, err := c.StoreFrom(t.Context(), "/x", bytes.NewReader(big))
				return err
			},
		} {
			if test.want == ftpclient.ErrStalled && way == "Write" {
				continue // it takes seconds, and is the same
			}
			t.Run(name+"/"+way, func(t *testing.T) {
				f := startFake(t, func(p *peer) {
					p.say("220 ready")
					p.want("STOR")
					test.serve(p)
					p.rest()
				})
				c := f.login(limits(test.want == ftpclient.ErrStalled || test.want == ftpclient.ErrTimeout))
				err := upload(c)
				if stalled := errors.Is(err, ftpclient.ErrStalled); !errors.Is(err, test.want) || stalled && test.want != ftpclient.ErrStalled {
					t.Fatal(err)
				}
				var refused *ftp.Error
				if errors.As(err, &refused) != (test.code != 0) || refused != nil && refused.Reply.Code != test.code {
					t.Errorf("%v does not tell %d", err, test.code)
				}
				if err := c.Noop(t.Context()); (err != nil) != test.broke {
					t.Errorf("afterwards NOOP gives %v", err)
				}
			})
		}
	}
}

// TestAborAnswers are what servers answer to ABOR in the middle of a download. The client must be in step afterwards.
func TestAborAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		broke bool
	}{
		"426, 226":           {[]string{"426 cut", "226 aborted"}, false},
		"226, 225":           {[]string{"226 done", "225 nothing to abort"}, false},
		"226":                {[]string{"226 aborted"}, false},
		"225":                {[]string{"225 aborted"}, false},
		"426":                {[]string{"426 cut"}, false},
		"not known":          {[]string{"426 cut", "502 what?"}, false},
		"451, 226, 200, 200": {[]string{"451 error", "226 aborted", "200 and", "200 more"}, false},
		"nothing":            {nil, true},
		"250 without end":    {[]string{"end"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("RETR")
				p.say("150 here")
				conn := p.accept()
				defer conn.Close()
				_, _ = io.WriteString(conn, "some")
				p.hear() // ABOR
				if name == "250 without end" {
					for {
						p.say("250 again")
					}
				}
				if test.lines != nil {
					p.say(test.lines...)
					p.rest()
				}
				p.silent()
			})
			c := f.login(limits(name == "nothing"))
			d, err := c.Retrieve(t.Context(), "/x", 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(d, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
			if err := d.Abort(); (err != nil) != test.broke {
				t.Errorf("Abort: %v", err)
			}
			if _, err := c.WorkingDir(t.Context()); (err != nil) != test.broke {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestCloseCutsAnUpload closes the connection in the middle of one. The server must not take what it has for the file.
func TestCloseCutsAnUpload(t *testing.T) {
	end := make(chan error, 1)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("STOR")
		p.say("150 go")
		_, err := io.Copy(io.Discard, p.accept())
		end <- err
		p.rest()
	})
	c := f.login(patient())
	u, err := c.Store(t.Context(), "/x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, "half of it"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-end; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the data ended with %v", err)
	}
	if err := u.Close(); !errors.Is(err, ftpclient.ErrIncomplete) {
		t.Error(err)
	}
}

// TestResetAndYet226 is a server that throws away what it has not read when the client has sent all, and says that it has it.
func TestResetAndYet226(t *testing.T) {
	k := &finDialer{fin: make(chan bool)}
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("STOR")
		conn := p.accept()
		<-k.fin
		conn.Close()
		p.say("150 go", "226 done")
		p.rest()
	})
	o := patient()
	o.Dialer = k
	c := f.login(o)
	if _, err := c.StoreFrom(t.Context(), "/x", strings.NewReader("text")); !errors.Is(err, ftpclient.ErrIncomplete) {
		t.Errorf("%v", err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

// finDialer is a Dialer that tells when the client has ended the data of its first upload.
type finDialer struct{ fin chan bool }

func (f *finDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &finConn{conn.(*net.TCPConn), f.fin}, nil
}

type finConn struct {
	*net.TCPConn
	fin chan bool
}

func (f *finConn) CloseWrite() error {
	defer close(f.fin)
	return f.TCPConn.CloseWrite()
}

// TestFailingSource has the caller's own reader fail: the upload must be aborted, not ended.
func TestFailingSource(t *testing.T) {
	end := make(chan error, 1)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("STOR")
		p.say("150 go")
		_, err := io.Copy(io.Discard, p.accept())
		end <- err
		p.say("426 cut")
		p.rest()
	})
	c := f.login(patient())
	bad := errors.New("bad sector")
	r := io.MultiReader(strings.NewReader("half of it"), failing{bad})
	if _, err := c.StoreFrom(t.Context(), "/x", r); !errors.Is(err, bad) {
		t.Error(err)
	}
	if err := <-end; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the data ended with %v", err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestPortForOldServers does without EPRT.
func TestPortForOldServers(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("EPRT")
		p.say("500 what?")
		for {
			at, err := ftp.ParseHostPort(strings.TrimPrefix(p.want("PORT"), "PORT "))
			if err != nil {
				return
			}
			p.say("200 ok")
			p.want("RETR")
			conn, err := net.Dial("tcp", at.String())
			if err != nil {
				return
			}
			p.say("150 here")
			_, _ = io.WriteString(conn, "text")
			conn.Close()
			p.say("226 done")
		}
	})
	o := patient()
	o.Active = true
	c := f.login(o)
	for range 2 {
		if got := retrieve(t, c, "/x", 0); string(got) != "text" {
			t.Errorf("%q", got)
		}
	}
}
