package pi_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestAnnouncedSize: what ALLO says reaches the file of the next upload, if nothing comes in
// between but what sets up a transfer, and only once.
func TestAnnouncedSize(t *testing.T) {
	var mu sync.Mutex
	var hints []string
	s := ftptest.Start(t, ftptest.Options{FS: hooked(tree(t, map[string]string{"/f": "0123"}), func(_ context.Context, op, path string) error {
		if n, ok := strings.CutPrefix(op, "hint "); ok {
			mu.Lock()
			hints = append(hints, n+" "+path)
			mu.Unlock()
		}
		return nil
	})})
	take := func() (all []string) {
		mu.Lock()
		defer mu.Unlock()
		all, hints = hints, nil
		return all
	}
	c := s.Login("rw")
	c.Cmd(200, "TYPE I")
	for _, x := range []struct {
		lines string
		want  []string
	}{
		{"ALLO 100, STOR f", []string{"100 /f"}},
		{"ALLO 100 R 10, STOR f", []string{"100 /f"}},
		{"ALLO 9223372036854775807, STOR f", []string{"9223372036854775807 /f"}},
		{"ALLO 5, APPE f", []string{"5 /f"}},
		{"ALLO 5, STOU f", []string{"5 /f."}},
		{"ALLO 5, REST 2, STOR f", []string{"5 /f"}},
		{"REST 2, ALLO 5, STOR f", []string{"5 /f"}},
		{"ALLO 5, TYPE I, MODE S, STRU F, NOOP, STOR f", []string{"5 /f"}},
		{"ALLO 5, ALLO 6, STOR f", []string{"6 /f"}},
		{"ALLO 5, ALLO 0, STOR f", nil},
		{"ALLO 5, ALLO x, STOR f", nil},
		{"ALLO 5, ALLO 5 R x, STOR f", nil},
		{"ALLO 0, STOR f", nil},
		{"ALLO 5, PWD, STOR f", nil},
		{"ALLO 5, SIZE f, STOR f", nil},
		{"ALLO 5, RETR f, STOR f", nil},
		{"ALLO 5, STOR nowhere/f, STOR f", nil},
		{"ALLO 5, STOR f, STOR f", []string{"5 /f"}},
	} {
		for line := range strings.SplitSeq(x.lines, ", ") {
			verb, _, _ := strings.Cut(line, " ")
			if !slices.Contains([]string{"STOR", "APPE", "STOU", "RETR"}, verb) {
				c.Send(line)
				c.Reply()
				continue
			}
			d := c.Passive()
			c.Send(line)
			if r := c.Reply(); r.Code == 150 {
				d.Conn.CloseWrite()
				c.Want(226)
			}
			d.Conn.Close()
		}
		if got := take(); !slices.EqualFunc(got, x.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", x.lines, got, x.want)
		}
	}
	// The next login begins with nothing.
	c.Cmd(202, "ALLO 5")
	c.Login("rw")
	d := c.Passive()
	c.Cmd(150, "STOR f")
	d.Close()
	c.Want(226)
	if got := take(); len(got) != 0 {
		t.Errorf("after another login: %q", got)
	}
}
