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
