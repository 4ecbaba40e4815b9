package pi_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestProbe: who hangs up without a line is no session in the log, with or without having
// read the greeting; who says something, or is sent away, is.
func TestProbe(t *testing.T) {
	for name, x := range map[string]struct {
		client func(*ftptest.Client)
		want   string
	}{
		"close":          {func(c *ftptest.Client) { c.Close() }, "probe"},
		"greeting":       {func(c *ftptest.Client) { c.Want(220); c.Close() }, "probe"},
		"reset":          {func(c *ftptest.Client) { c.Want(220); c.Reset() }, "probe"},
		"half close":     {func(c *ftptest.Client) { c.Conn.CloseWrite(); c.Want(220); c.WantEnd() }, "probe"},
		"a line":         {func(c *ftptest.Client) { c.Cmd(220, "NOOP"); c.Want(200); c.Close() }, "start\nend closed by the client"},
		"an empty line":  {func(c *ftptest.Client) { c.Cmd(220, ""); c.Want(500); c.Close() }, "start\nend closed by the client"},
		"never anything": {func(c *ftptest.Client) { c.Want(220); c.Want(421) }, "start\nend 421 Login timeout, closing control connection."},
	} {
		t.Run(name, func(t *testing.T) {
			limits := pi.Limits{}
			if name == "never anything" {
				limits.LoginTimeout = 10 * time.Millisecond
			}
			l := newLog()
			s := ftptest.Start(t, ftptest.Options{FS: tree(t, nil), Trace: l.trace(), Limits: limits})
			x.client(s.Dial())
			await(t, l.ended, "the end of the session")
			got := slices.DeleteFunc(strings.Split(l.String(), "\n"), func(line string) bool {
				kind, _, _ := strings.Cut(line, " ")
				return kind == "command" || kind == "failure"
			})
			if got := strings.Join(got, "\n"); got != x.want {
				t.Errorf("reported\n%s\nwant\n%s", got, x.want)
			}
		})
	}
}

// TestProbeOfImplicitTLS: the same where a handshake comes first. One that fails is told of: somebody may
// look for the reason why a device does not get in.
func TestProbeOfImplicitTLS(t *testing.T) {
	authority := ftptest.NewAuthority(t)
	trusting, _ := authority.TrustTLS(0)
	strange, _ := ftptest.NewAuthority(t).TrustTLS(0)
	for name, x := range map[string]struct {
		client func(*ftptest.Client)
		want   string
	}{
		"close":          {func(c *ftptest.Client) { c.Close() }, "probe"},
		"reset":          {func(c *ftptest.Client) { c.Reset() }, "probe"},
		"handshake":      {func(c *ftptest.Client) { c.StartTLS(trusting); c.Want(220); c.Close() }, "probe"},
		"never anything": {func(c *ftptest.Client) { c.WantEnd() }, "start end TLS handshake failed: "},
		"clear text":     {func(c *ftptest.Client) { c.Write("USER rw\r\n") }, "start end TLS handshake failed: "},
		"distrust":       {func(c *ftptest.Client) { c.TryTLS(strange); c.Close() }, "start end TLS handshake failed: remote error"},
		"a line":         {func(c *ftptest.Client) { c.StartTLS(trusting); c.Cmd(220, "NOOP"); c.Want(200); c.Close() }, "start command NOOP \"\" 200 end closed"},
	} {
		t.Run(name, func(t *testing.T) {
			limits := pi.Limits{}
			if name == "never anything" {
				limits.LoginTimeout = 10 * time.Millisecond
			}
			s := startTLS(t, ftptest.Options{Limits: limits}, func(p *pi.TLS) {
				*p = *authority.TLS(nil)
				p.Implicit = true
			})
			x.client(s.Dial())
			await(t, s.log.ended, "the end of the session")
			if got := strings.ReplaceAll(s.log.String(), "\n", " "); !strings.HasPrefix(got, x.want) {
				t.Errorf("reported\n%s\nwant\n%s", got, x.want)
			}
		})
	}
}
