package ftp

import (
	"strings"
	"testing"
	"time"
)

func TestParseListLine(t *testing.T) {
	now := time.Date(2003, 2, 1, 0, 0, 0, 0, time.UTC)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	at := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, time.UTC) }
	recent := at(2003, 1, 29, 3, 26)
	file := func(name string) Entry {
		return Entry{Name: name, Size: 531, Modify: recent, Mode: 0o644, Links: 1, Owner: "root", Group: "other"}
	}
	link := func(name, target string) Entry {
		e := file(name)
		e.Type, e.Target = TypeLink, target
		return e
	}
	with := func(e Entry, change func(*Entry)) Entry { change(&e); return e }

	for _, test := range []struct {
		line string
		want Entry
	}{
		// SEED 1.11.
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 README", file("README")},
		{"drw-r--r--   2 root     other        531 Jan  9  2003 A",
			Entry{Name: "A", Type: TypeDir, Size: 531, Modify: day(2003, 1, 9), Mode: 0o644, Links: 2, Owner: "root", Group: "other"}},
		{"lrw-r--r--   1 root     other        531 Jan 29 03:26 B -> A", link("B", "A")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 A B", file("A B")},
		{`-rw-r--r--   1 root     other        531 Jan 29 03:26 A\ B`, file("A B")},
		{"lrw-r--r--   1 root     other        531 Jan 29 03:26 B A -> D C/A B", link("B A", "D C/A B")},
		{`lrw-r--r--   1 root     other        531 Jan 29 03:26 B\ A -> D\ C/A\ B`, link("B A", "D C/A B")},
		{"-rw-r--r--   1 root     other        531 Jan 29 2003 B", with(file("B"), func(e *Entry) { e.Modify = day(2003, 1, 29) })},
		{"-rw-r--r--   0 root     other        531 Oct 10 2006 A", with(file("A"), func(e *Entry) { e.Modify, e.Links = day(2006, 10, 10), 0 })},
		{"-rw-r--r--   3 root     other        531 Oct 10 2006 A", with(file("A"), func(e *Entry) { e.Modify, e.Links = day(2006, 10, 10), 3 })},
		{"-rw-r--r--   4 root     other        531 Oct 10 2006 A", with(file("A"), func(e *Entry) { e.Modify, e.Links = day(2006, 10, 10), 4 })},
		{"lrw-r--r--   1 root     other        531 Jan 29 03:26 x -> y -> z", link("x", "y -> z")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 -> t", file("-> t")},
		{"lrw-r--r--   1 root     other        531 Jan 29 03:26 -> t", link("-> t", "")},
		{"lrw-r--r--   1 root     other        531 Jan 29 03:26  -> t", link(" -> t", "")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 x -> y", file("x -> y")}, // not a link: a name
		{"-rw-r--r--     root     other        531 Jan 29 03:26 no nlink", with(file("no nlink"), func(e *Entry) { e.Links = 0 })},
		{"-rw-r--r--+  1 root     other        531 Jan 29 03:26 acl", file("acl")},
		{"-rw-r--r--.  1 root     other        531 Jan 29 03:26 selinux", file("selinux")},
		{"-rw-r--r--@  1 root     other        531 Jan 29 03:26 mac", file("mac")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26   leading", file("  leading")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 trailing  ", file("trailing  ")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 double  space", file("double  space")},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 README\r\n", file("README")},
		{"brw-r--r--   1 root     other       8, 0 Jan 29 03:26 sda", with(file("sda"), func(e *Entry) { e.Type, e.Size = TypeOther, 0 })},
		{"crw-r--r--   1 root     other     4,  64 Jan 29 03:26 ttyS0", with(file("ttyS0"), func(e *Entry) { e.Type, e.Size = TypeOther, 0 })},
		{"crw-r--r--   1 root     other       4,64 Jan 29 03:26 ttyS0", with(file("ttyS0"), func(e *Entry) { e.Type, e.Size = TypeOther, 0 })},
		{"prw-r--r--   1 root     other        531 Jan 29 03:26 fifo", with(file("fifo"), func(e *Entry) { e.Type = TypeOther })},
		{"srw-r--r--   1 root     other        531 Jan 29 03:26 socket", with(file("socket"), func(e *Entry) { e.Type = TypeOther })},
		{"-rw-r--r--   1 root     other        531 2003-01-29 03:26 iso", file("iso")},
		{"-rw-r--r--   1 root     other        531 2003-01-29 03:26:00.000000000 +0000 iso", file("iso")},
		{"-rw-r--r--   1 root     other        531 2003-01-29 05:26:00.000000000 +0200  iso", file(" iso")},
		{"-rw-r--r--   1 root     other        531 2003-01-29 03:26 +0000", file("+0000")},
		{"-rw-r--r--   1 John Q. Public Domain Users 531 Jan 29 03:26 x",
			with(file("x"), func(e *Entry) { e.Owner, e.Group = "John Q. Public Domain", "Users" })},
		{"-rw-r--r--   1 root other 531 29 Jan 03:26 day first", file("day first")},
		{"-rw-r--r--   1 root other 531 jan 29 3:26 case", file("case")},
		{"-rw-r--r--   1 root 531 Jan 29 03:26 no group", with(file("no group"), func(e *Entry) { e.Group = "" })},
		{"-rw-r--r-- 531 Jan 29 03:26 nothing", with(file("nothing"), func(e *Entry) { e.Links, e.Owner, e.Group = 0, "", "" })},
		{"-rw-r--r--   1 0 0 531 Jan 29 03:26 ids", with(file("ids"), func(e *Entry) { e.Owner, e.Group = "0", "0" })},
		{"-rw-r--r--12345 root other 531 Jan 29 03:26 touching", with(file("touching"), func(e *Entry) { e.Links = 12345 })},
		{"-rw-r--r--   1 root other 5497558138880 Jan 29 03:26 large", with(file("large"), func(e *Entry) { e.Size = 5 << 40 })},
		{"-rwsr-Sr-t   1 root other 531 Jan 29 03:26 bits", with(file("bits"), func(e *Entry) { e.Mode = 0o745 })},
		{"-rw-r--r--   1 root other 531 Jan 29 03:26 Jan 30 04:27 x", file("Jan 30 04:27 x")},
		{`-rw-r--r--   1 root     other        531 Jan 29 03:26 a\b c`, file(`a\b c`)},
		{`-rw-r--r--   1 root     other        531 Jan 29 03:26 a\ b c`, file(`a\ b c`)},
		{"-rw-r--r--   1 root     other        531 Jan 29 03:26 caf\xe9", file("caf\xe9")},
		// DOS.
		{"02-11-98  03:53PM       <DIR>          Archive", Entry{Name: "Archive", Type: TypeDir, Modify: at(1998, 2, 11, 15, 53)}},
		{"02-11-98  03:53PM       <DIR>           leading", Entry{Name: " leading", Type: TypeDir, Modify: at(1998, 2, 11, 15, 53)}},
		{"02-11-98  03:53PM       <DIR> x", Entry{Name: "x", Type: TypeDir, Modify: at(1998, 2, 11, 15, 53)}},
		{"02-11-98  03:53PM       <JUNCTION>     x", Entry{Name: "x", Type: TypeDir, Modify: at(1998, 2, 11, 15, 53)}},
		{"02-11-1998  12:53AM                 1234 a  b ", Entry{Name: "a  b ", Size: 1234, Modify: at(1998, 2, 11, 0, 53)}},
		{"02-11-69  12:53PM                 1,234  x", Entry{Name: " x", Size: 1234, Modify: at(2069, 2, 11, 12, 53)}},
		{"1998-02-11  15:53                 1234 x", Entry{Name: "x", Size: 1234, Modify: at(1998, 2, 11, 15, 53)}},
		// EPLF.
		{"+i8388621.44468,m839956783,r,s10376,\tRFC EPLF ", Entry{Name: "RFC EPLF ", Size: 10376, Modify: time.Unix(839956783, 0).UTC(), Unique: "8388621.44468"}},
		{"+i8388621.48594,m825718503,/,up755,\tdev", Entry{Name: "dev", Type: TypeDir, Modify: time.Unix(825718503, 0).UTC(), Mode: 0o755, Unique: "8388621.48594"}},
		{"+,\tx", Entry{Name: "x", Type: TypeOther}},
		{"+r\tx", Entry{Name: "x"}},
		// NetWare.
		{"d [R----F--] supervisor            512       Jan 16 18:53    login",
			Entry{Name: "login", Type: TypeDir, Size: 512, Modify: at(2003, 1, 16, 18, 53), Owner: "supervisor"}},
		{"- [R----F--] rhesus             214059       Oct 20  2002    cx a.exe",
			Entry{Name: "cx a.exe", Size: 214059, Modify: day(2002, 10, 20), Owner: "rhesus"}},
		{"-[RWCEAFMS] Admin 5 Oct 20 2002 x", Entry{Name: "x", Size: 5, Modify: day(2002, 10, 20), Owner: "Admin"}},
		// VMS.
		{"00README.TXT;1      2 30-DEC-1996 17:44 [SYSTEM] (RWED,RWED,RE,RE)",
			Entry{Name: "00README.TXT", Size: -1, Modify: at(1996, 12, 30, 17, 44), Owner: "SYSTEM"}},
		{"CORE.DIR;1          1  8-SEP-1996 16:09 [SYSTEM] (RWE,RWE,RE,RE)",
			Entry{Name: "CORE", Type: TypeDir, Size: -1, Modify: at(1996, 9, 8, 16, 9), Owner: "SYSTEM"}},
		{"CII-MANUAL.TEX;12  213/216  29-JAN-1996 03:33:12.75  [ANONYMOU,ANONYMOUS]   (RWED,RWED,,)",
			Entry{Name: "CII-MANUAL.TEX", Size: -1, Modify: at(1996, 1, 29, 3, 33).Add(12 * time.Second), Owner: "ANONYMOUS", Group: "ANONYMOU"}},
		{"LONG_NAME.LIS;1 8-SEP-1996 16:09", Entry{Name: "LONG_NAME.LIS", Size: -1, Modify: at(1996, 9, 8, 16, 9)}},
	} {
		got, err := ParseListLine(test.line, now)
		if err != nil || got != test.want {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", test.line, got, err, test.want)
		}
	}
}

func TestParseListLineRefuses(t *testing.T) {
	for _, line := range []string{
		"", "\r\n", "woohoo! ", "ABC", "not a file", "total 12", "Total of 3 files", // SEED 1.11
		"-rw-r--r--", "-rw-r--r-- ", "-rw-r--r--+", "drwx",
		"-rw-r--r--   1 root other 531 Jan 29 03:26", "-rw-r--r--   1 root other 531 Jan 29 03:26 ",
		"-rw-r--r--   1 root other 531 Foo 29 03:26 x", "-rw-r--r--   1 root other 531 Jan 32 03:26 x",
		"-rw-r--r--   1 root other 531 Feb 30 03:26 x", "-rw-r--r--   1 root other 531 Feb 29 2003 x",
		"-rw-r--r--   1 root other 531 Jan 29 24:00 x", "-rw-r--r--   1 root other 531 Jan 29 x",
		"-rw-r--r--   1 root other 531 2003-13-29 03:26 x", "-rw-r--r--   1 root other 531 2003-01-29 x",
		"-rw-r--r--   1 root other 531 2003-01-29 03:26:00.000 x",
		"-rw-r--r--   1 root other -531 Jan 29 03:26 x", "-rw-r--r--   1 root other x531 Jan 29 03:26 x",
		"-rw-r--r--   1 root other 99999999999999999999 Jan 29 03:26 x",
		"-rw-r--r--   99999999999999999999 root other 1 Jan 29 03:26 x",
		"-rw-r--r--x  1 root other 531 Jan 29 03:26 x", "-rw-r--q--   1 root other 531 Jan 29 03:26 x",
		"xrw-r--r--   1 root other 531 Jan 29 03:26 x", "-wr-r--r--   1 root other 531 Jan 29 03:26 x",
		"02-11-98  03:53PM       <DIR>", "02-11-98  03:53PM       <DIR>  ", "02-11-98  03:53PM 12", "02-11-98 03:53PM <FOO> x",
		"02-31-98  03:53PM 12 x", "13-11-98  03:53PM 12 x", "02-11-998  03:53PM 12 x", "02-11  03:53PM 12 x",
		"02-11-98  13:53PM 12 x", "02-11-98  00:53AM 12 x", "02-11-98  03:53PMAM 12 x", "02-11-98  0353 12 x", "02-11-98 03:53 -12 x",
		"226 Transfer complete.", "12345",
		"d [R----F--] supervisor 512 Jan 16 18:53", "x [R----F--] supervisor 512 Jan 16 18:53 x", "d [R----F-- supervisor 512 Jan 16 18:53 x",
		"X.TXT;1", "X.TXT;1 2", "X.TXT;x 2 30-DEC-1996 17:44", ";1 2 30-DEC-1996 17:44", "X.TXT;1 2 31-FEB-1996 17:44",
		"X.TXT;1 2 30-DEC-96 17:44", "X.TXT;1 2 30-DEC-1996 25:44", "X.TXT;1 2 30-DEC-1996 17:44.x", "X.TXT 2 30-DEC-1996 17:44",
		"Directory DISK$USER:[ANON]", "Total of 2 files, 3/4 blocks", "%RMS-E-PRV, insufficient privilege or file protection violation",
		"+r,s10", "+r,s10,\t", "+r,sx,\tx", "+r,s-1,\tx", "+m-1,\tx", "+up8,\tx", "+r,s10 x",
	} {
		if got, err := ParseListLine(line, listNow); err != ErrNotListing || got != (Entry{}) {
			t.Errorf("%q: got %+v, %v", line, got, err)
		}
	}
}

func TestParseListLineGuessesTheYear(t *testing.T) {
	utc := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, time.UTC) }
	for _, test := range []struct {
		date      string
		now, want time.Time
	}{
		{"Jan 15 12:00", utc(2026, 1, 15, 12, 0), utc(2026, 1, 15, 12, 0)},
		{"Dec 31 12:00", utc(2026, 1, 15, 12, 0), utc(2025, 12, 31, 12, 0)},
		{"Jan 16 12:00", utc(2026, 1, 15, 12, 0), utc(2026, 1, 16, 12, 0)}, // a server further east
		{"Jan 16 12:01", utc(2026, 1, 15, 12, 0), utc(2025, 1, 16, 12, 1)},
		{"Jan 01 05:00", utc(2025, 12, 31, 20, 0), utc(2026, 1, 1, 5, 0)},
		{"Feb 29 05:00", utc(2026, 1, 15, 12, 0), utc(2024, 2, 29, 5, 0)},
		{"Feb 29 05:00", utc(2104, 2, 1, 12, 0), utc(2096, 2, 29, 5, 0)},
		{"Jan 15 12:00", utc(2026, 1, 15, 12, 0).In(time.FixedZone("", 14*3600)), utc(2026, 1, 15, 12, 0)},
	} {
		e, err := ParseListLine("-rw-r--r-- 1 o g 1 "+test.date+" x", test.now)
		if err != nil || !e.Modify.Equal(test.want) {
			t.Errorf("%s at %v: got %v, %v, want %v", test.date, test.now, e.Modify, err, test.want)
		}
	}
}

func FuzzParseListLine(f *testing.F) {
	f.Add("-rw-r--r--   1 root     other        531 Jan 29 03:26 README")
	f.Add("lrw-r--r--+12 o 531 2003-01-29 03:26:00.000000000 +0000  x -> y")
	f.Add("brw-r--r--   1 root     other       8, 0 29 Feb 2004 sda")
	f.Add("02-11-98  03:53PM       <DIR>          Archive")
	f.Add("CII-MANUAL.TEX;1  213/216  29-JAN-1996 03:33:12  [ANONYMOU,ANONYMOUS]   (RWED,RWED,,)")
	f.Add("d [R----F--] supervisor            512       Jan 16 18:53    login")
	f.Add("+i8388621.44468,m839956783,r,s10376,up644,\tRFCEPLF")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ParseListLine(line, listNow)
		if err != nil {
			if err != ErrNotListing || e != (Entry{}) {
				t.Fatalf("%q: %+v, %v", line, e, err)
			}
			return
		}
		vms := e.Size == -1 && strings.Contains(line, ";")
		if e.Name == "" || e.Size < 0 && !vms || e.Links < 0 || e.Mode != e.Mode.Perm() || e.Type > TypeOther {
			t.Fatalf("%q: %+v", line, e)
		}
		if !strings.Contains(line, e.Name) && !strings.Contains(line, `\ `) {
			t.Fatalf("%q: name %q", line, e.Name)
		}
		if !e.Modify.IsZero() && (e.Modify.Year() < 0 || e.Modify.Year() > 10000) {
			t.Fatalf("%q: %v", line, e.Modify)
		}
	})
}
