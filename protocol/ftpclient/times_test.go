package ftpclient_test

import (
	"testing"
	"time"
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
