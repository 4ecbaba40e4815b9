package pi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestDenyNames: a name that a pattern matches, in whatever case, is made by no verb; what is there can be
// read, removed, and renamed away.
func TestDenyNames(t *testing.T) {
	fsys := tree(t, map[string]string{"/old.php": "text", "/ok.txt": "text", "/.hidden/f": "text"})
	s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(user string, a *pi.Account) {
		a.DenyNames = []string{"*.PhP", ".*", "con"}
		a.OnConflict = pi.OnConflictRename
	}})
	c := s.Login("rw")
	c.Cmd(200, "TYPE I")
	for _, line := range []string{
		"STOR x.php", "STOR X.PHP", "STOR /.hidden/../x.Php", "STOR .ftpaccess", "STOR old.php", "STOR CON", "APPE x.php", "APPE old.php",
		"STOU x.php", "STOU .x", "MKD x.php", "MKD .git", "XMKD .git", "STOR /.hidden/.x",
	} {
		before := snapshot(t, fsys)
		c.EPSV()
		if r := c.Cmd(553, line); !strings.Contains(r.String(), "File name not allowed.") {
			t.Errorf("%s: %s", line, r)
		}
		if got := snapshot(t, fsys); got != before {
			t.Errorf("%s changed something:\n%s", line, got)
		}
	}
	c.Cmd(350, "RNFR ok.txt")
	c.Cmd(553, "RNTO ok.php")
	c.Cmd(350, "RNFR old.php")
	c.Cmd(250, "RNTO old.txt")
	for _, line := range []string{"STOR x.php5", "STOR php", "STOR .hidden/f", "STOU", "STOR ok.txt", "STOR ok.txt"} {
		d := c.Passive()
		c.Cmd(150, line)
		d.Send("x")
		d.Conn.Close()
		c.Want(226)
	}
}

// TestMaxUpload: a file that would grow larger than allowed is 552, is not published, and is not
// held either, by whatever verb; one of exactly that size is fine.
func TestMaxUpload(t *testing.T) {
	const limit = 300_000 // more than any buffer of the copying
	for _, x := range []struct {
		name   string
		before string // already there
		lines  []string
		bytes  int
		code   int
	}{
		{"exact", "", []string{"STOR f"}, limit, 226},
		{"one more", "", []string{"STOR f"}, limit + 1, 552},
		{"far more", "", []string{"STOR f"}, 10 * limit, 552},
		{"replace", "old", []string{"STOR f"}, limit + 1, 552},
		{"append", strings.Repeat("x", 10), []string{"APPE f"}, limit - 10, 226},
		{"append more", strings.Repeat("x", 10), []string{"APPE f"}, limit - 9, 552},
		{"restart", strings.Repeat("x", 10), []string{"REST 5", "STOR f"}, limit - 5, 226},
		{"restart more", strings.Repeat("x", 10), []string{"REST 5", "STOR f"}, limit - 4, 552},
		{"unique", "", []string{"STOU f"}, limit + 1, 552},
	} {
		t.Run(x.name, func(t *testing.T) {
			files := map[string]string{}
			if x.before != "" {
				files["/f"] = x.before
			}
			b, err := local.New(local.Options{Root: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			fsys := b.Open("rw", time.Hour)
			setup := ftptest.Setup{}
			for path, text := range files {
				setup.File(path, text)
			}
			if err := setup.Populate(fsys); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, fsys)
			s := ftptest.Start(t, ftptest.Options{FS: fsys, Change: func(_ string, a *pi.Account) {
				a.MaxUpload, a.ResumeWindow = limit, time.Hour
			}})
			c := s.Login("rw")
			c.Cmd(200, "TYPE I")
			d := c.Passive()
			for i, line := range x.lines {
				if i < len(x.lines)-1 {
					c.Cmd(350, line)
				} else {
					c.Cmd(150, line)
				}
			}
			go func() { // the server may well hang up in the middle
				d.Conn.Write([]byte(strings.Repeat("y", x.bytes)))
				d.Conn.CloseWrite()
			}()
			r := c.Reply()
			if int(r.Code) != x.code {
				t.Errorf("got %s", r)
			}
			if got := snapshot(t, fsys); (got == before) != (x.code == 552) {
				t.Errorf("afterwards\n%s", got)
			}
			if n := held(fsys, "/f"); n >= 0 {
				t.Errorf("%d bytes are held", n)
			}
		})
	}
}

// TestMaxUploadBeforehand: where nothing more fits, nobody need send it.
func TestMaxUploadBeforehand(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{FS: tree(t, map[string]string{"/f": "0123456789"}), Change: func(_ string, a *pi.Account) { a.MaxUpload = 5 }})
	c := s.Login("rw")
	c.Cmd(200, "TYPE I")
	d := c.Passive()
	c.Cmd(552, "APPE f")
	d.Gone()
}
