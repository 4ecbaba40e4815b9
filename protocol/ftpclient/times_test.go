package ftpclient_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestTimeZones is a server in another zone, which is an hour further in summer: by LIST alone, or by everything that it says.
func TestTimeZones(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here:", err)
	}
	summer := time.Date(2020, 7, 3, 12, 0, 30, 0, time.UTC)
	for name, local := range map[string]bool{"LIST alone": false, "all": true} {
		t.Run(name, func(t *testing.T) {
			want := "20200703120030"
			if local {
				want = "20200703140030"
			}
			f := startFake(t, func(p *peer) {
				p.say("220 ready")
				p.want("FEAT")
				p.say("211-Features:", " MFMT", "211 End")
				if line := p.want("MFMT"); line != "MFMT "+want+" /x" {
					p.say("501 not " + line)
				}
				p.say("213 modify=" + want + "; /x")
				p.want("MDTM")
				p.say("213 " + want)
				p.want("LIST")
				p.say("150 here")
				send(p, "-rw-r--r-- 1 a b 12 2020-07-03 14:00 x\r\n-rw-r--r-- 1 a b 12 Jul 03 2020 y\r\n")
				p.say("226 done")
				p.rest()
			})
			o := patient()
			o.TimeZone, o.LocalTimes = zone, local
			c := f.login(o)
			if err := c.SetModTime(t.Context(), "/x", summer); err != nil {
				t.Error(err)
			}
			if got, err := c.ModTime(t.Context(), "/x"); err != nil || !got.Equal(summer) {
				t.Error(got, err)
			}
			for e, err := range c.List(t.Context(), "/") {
				switch {
				case err != nil:
					t.Error(err)
				case e.Name == "x" && !e.ModTime.Equal(summer.Truncate(time.Minute)),
					e.Name == "y" && !e.ModTime.Equal(time.Date(2020, 7, 2, 22, 0, 0, 0, time.UTC)):
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

// TestSetModTimes: the way is found with the first file, and all others go in one flight.
func TestSetModTimes(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	is := func(p *peer, want string) {
		verb, _, _ := strings.Cut(want, " ")
		if line := p.want(verb); line != want {
			t.Errorf("it says %q, not %q", line, want)
		}
	}
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("FEAT")
		p.say("211-Features:", " EPSV", "211 End")
		is(p, "MDTM 20260102030405 /a")
		p.say("550 /a is not there")
		is(p, "SITE UTIME 20260102030405 /a")
		p.say("500 what?")
		is(p, "SITE UTIME /a 20260102030405 20260102030405 20260102030405 UTC")
		p.say("500 what?")
		is(p, "MDTM 20260102030405 /b")
		p.say("213 fine")
		is(p, "MDTM 20260102030405 /c") // no reply before the next has come
		is(p, "MDTM 20260102030405 /d")
		p.say("213 fine", "550 no")
		p.rest()
	})
	errs := f.login(patient()).SetModTimes(t.Context(), []ftpclient.FileTime{{"/a", when}, {"/b", when}, {"/c", when}, {"/d", when}, {"/e\n", when}})
	var refused *ftp.Error
	if errs[0] == nil || errs[1] != nil || errs[2] != nil || !errors.As(errs[3], &refused) || !errors.Is(errs[4], ftpclient.ErrBadName) {
		t.Errorf("%q", errs)
	}
}
