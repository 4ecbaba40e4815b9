package pi_test

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestTickets: over TLS 1.3 an upload connection never carries a session ticket, resumed or
// not, since a client that does not read would have it turn its close into a reset
// (CLIENTS 1); downloads and listings carry one each.
func TestTickets(t *testing.T) {
	s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, nil)
	c, config, tickets := s.protected(t, tls.VersionTLS13)
	if tickets.Given != 1 {
		t.Errorf("%d tickets on the control connection", tickets.Given)
	}
	_, _, others := s.protected(t, tls.VersionTLS13)
	fresh, _ := s.authority.TrustTLS(tls.VersionTLS13)
	foreign := config.Clone()
	foreign.ClientSessionCache = others
	for _, x := range []struct {
		name    string
		config  *tls.Config
		resumes bool
	}{{"resumed", config, true}, {"fresh", fresh, false}, {"foreign", foreign, false}} {
		for _, command := range []string{"STOR g", "APPE g", "STOU"} {
			counted := x.config.Clone()
			count := &counter{ClientSessionCache: x.config.ClientSessionCache}
			counted.ClientSessionCache = count
			d := c.Passive()
			c.Cmd(150, command)
			d.StartTLS(counted).Send("text")
			if d.Resumed() != x.resumes {
				t.Errorf("%s %s: resumed %v", x.name, command, d.Resumed())
			}
			d.TLS.CloseWrite()
			if b, err := io.ReadAll(d.TLS); len(b) > 0 || err != nil { // up to close_notify: nothing was missed
				t.Errorf("%s %s: %q, %v", x.name, command, b, err)
			}
			c.Want(226)
			if count.n != 0 {
				t.Errorf("%s %s carries %d tickets", x.name, command, count.n)
			}
		}
		for _, command := range []string{"RETR f", "LIST", "NLST", "MLSD"} {
			counted := x.config.Clone()
			count := &counter{ClientSessionCache: x.config.ClientSessionCache}
			counted.ClientSessionCache = count
			d := c.Passive()
			c.Cmd(150, command)
			d.StartTLS(counted)
			if d.Resumed() != x.resumes && command == "RETR f" {
				t.Errorf("%s %s: resumed %v", x.name, command, d.Resumed())
			}
			d.Receive()
			c.Want(226)
			if count.n != 1 {
				t.Errorf("%s %s carries %d tickets", x.name, command, count.n)
			}
		}
	}
	c.Quit()
}

// counter counts tickets on their way into a cache.
type counter struct {
	tls.ClientSessionCache
	n int
}

func (c *counter) Put(key string, s *tls.ClientSessionState) {
	if s != nil {
		c.n++
	}
	c.ClientSessionCache.Put(key, s)
}

// first keeps the first ticket and gives it out again and again.
type first struct{ *ftptest.Tickets }

func (c first) Put(key string, s *tls.ClientSessionState) {
	if c.Given == 0 {
		c.Tickets.Put(key, s)
	}
}

// TestReuseRequired is THREATS 3: under "require" only a data connection that resumes this
// very session's TLS is served, any number of times, whether the client uses each ticket once
// or one for ever.
func TestReuseRequired(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			fsys := tree(t, map[string]string{"/f": "text"})
			s := startTLS(t, ftptest.Options{FS: fsys}, func(x *pi.TLS) { x.Reuse = pi.ReuseRequire })
			_, _, others := s.protected(t, version)

			for _, keeps := range []bool{false, true} {
				config, tickets := s.authority.TrustTLS(version)
				if keeps {
					config.ClientSessionCache = first{tickets}
				}
				c := s.Dial()
				c.Want(220)
				c.AuthTLS(config)
				c.Login("rw")
				c.Private()
				c.Cmd(200, "TYPE I")
				for range 12 {
					for _, command := range []string{"RETR f", "STOR g", "LIST"} {
						d := c.Passive()
						c.Cmd(150, command)
						d.StartTLS(config)
						if command == "STOR g" {
							d.Send("text")
							d.Close()
						} else {
							d.Receive()
						}
						c.Want(226)
						if !d.Resumed() {
							t.Fatalf("%s was not resumed", command)
						}
					}
				}
				// A stranger whose first connection was refused has the ticket of that one.
				fresh, _ := s.authority.TrustTLS(version)
				foreign := config.Clone()
				foreign.ClientSessionCache = others
				for name, wrong := range map[string]*tls.Config{"fresh": fresh, "foreign": foreign} {
					for _, command := range []string{"RETR f", "STOR refused", "LIST", "RETR f"} {
						d := c.Passive()
						c.Cmd(150, command)
						if d.TryTLS(wrong) == nil { // the client may be done before the server has looked
							if b, _ := io.ReadAll(d.TLS); len(b) > 0 { // a ticket, and no more
								t.Errorf("%s %s: %q came", name, command, b)
							}
						}
						if d.Resumed() {
							t.Errorf("%s %s: resumed", name, command)
						}
						c.Want(522)
					}
				}
				if got := content(fsys, "/refused"); got != "no file" {
					t.Errorf("stored %q", got)
				}
				// The session goes on.
				d := c.Passive()
				c.Cmd(150, "RETR f")
				if got := d.StartTLS(config).Receive(); got != "text" {
					t.Errorf("got %q", got)
				}
				c.Want(226)
				c.Quit()
			}
		})
	}
}

// TestReuseRequiredOfClearData: nor does a client get around it by asking for clear data connections, or
// for no TLS at all, whatever else the endpoint needs.
func TestReuseRequiredOfClearData(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		for _, require := range []pi.Protection{pi.ProtectNothing, pi.ProtectLogin, pi.ProtectData} {
			fsys := tree(t, map[string]string{"/f": "text"})
			s := startTLS(t, ftptest.Options{FS: fsys}, func(x *pi.TLS) {
				x.Reuse, x.Require, x.Implicit = pi.ReuseRequire, require, implicit
			})
			config, _ := s.authority.TrustTLS(0)
			c := s.Dial()
			if implicit {
				c.StartTLS(config)
				c.Want(220)
			} else {
				c.Want(220)
				c.Cmd(530, "USER rw")
				c.AuthTLS(config)
			}
			c.Login("rw")
			if implicit {
				c.Cmd(534, "PROT C")
			} else {
				for _, command := range []string{"RETR f", "STOR g", "LIST"} {
					d := c.Passive()
					c.Cmd(521, command)
					if d.Gone() != 0 {
						t.Errorf("%s: something came", command)
					}
				}
				c.Private()
			}
			d := c.Passive()
			c.Cmd(150, "RETR f")
			if got := d.StartTLS(config).Receive(); got != "text" {
				t.Errorf("got %q", got)
			}
			c.Want(226)
			c.Cmd(534, "PROT C")
			c.Quit()
			if got := content(fsys, "/g"); got != "no file" {
				t.Errorf("stored %q", got)
			}
		}
	}
}

// TestReuseReported: "log" tells once of a session whose data connections do not resume, "off" never.
func TestReuseReported(t *testing.T) {
	for name, version := range versions {
		for _, x := range []struct {
			reuse  pi.Reuse
			resume bool
			want   int
		}{{pi.ReuseLog, false, 1}, {pi.ReuseLog, true, 0}, {pi.ReuseOff, false, 0}} {
			s := startTLS(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "text"})}, func(p *pi.TLS) { p.Reuse = x.reuse })
			c, config, _ := s.protected(t, version)
			if !x.resume {
				config = config.Clone()
				config.ClientSessionCache = nil
			}
			for range 3 {
				d := c.Passive()
				c.Cmd(150, "RETR f")
				d.StartTLS(config).Receive()
				c.Want(226)
			}
			c.Quit()
			if got := strings.Count(s.log.String(), "not resumed"); got != x.want {
				t.Errorf("%s %+v: reported %d times", name, x, got)
			}
		}
	}
}

// TestControlDoesNotResume: the tickets of one FTP session are of no use for another control connection either.
func TestControlDoesNotResume(t *testing.T) {
	for _, version := range versions {
		s := startTLS(t, ftptest.Options{}, nil)
		c, config, _ := s.protected(t, version)
		c.Quit()
		c = s.Dial()
		c.Want(220)
		c.AuthTLS(config)
		if c.TLS.ConnectionState().DidResume {
			t.Error("resumed")
		}
		c.Quit()
	}
}
