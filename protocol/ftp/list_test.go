package ftp

import (
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"
)

var listNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestAppendList(t *testing.T) {
	old := time.Unix(0, 0)
	for _, test := range []struct {
		entry Entry
		want  string
	}{
		// SEED L3.
		{Entry{Name: "my resumé", Type: TypeDir, Mode: 0o777, Owner: "user", Group: "group", Modify: old},
			"drwxrwxrwx   0 user      group                   0 Jan 01  1970 my resumé"},
		{Entry{Name: "sub", Type: TypeDir, Mode: 0o755, Links: 2, Owner: "root", Group: "root", Size: 4096, Modify: time.Date(2026, 11, 22, 10, 12, 59, 0, time.UTC)},
			"drwxr-xr-x   2 root      root                 4096 Nov 22 10:12 sub"},
		// CLIENTS 6: exact names, sizes beyond 4 GiB.
		{Entry{Name: `  two  "q" \ -> ☺`, Size: 5 << 40, Mode: 0o641, Links: 1, Modify: old},
			`-rw-r----x   1 ftp       ftp         5497558138880 Jan 01  1970   two  "q" \ -> ☺`},
		{Entry{Name: "-l", Size: math.MaxInt64, Links: 9999, Modify: old},
			"---------- 9999 ftp       ftp       9223372036854775807 Jan 01  1970 -l"},
		{Entry{Name: "caf\xe9\xff", Size: -1, Links: -1, Modify: old},
			"----------   0 ftp       ftp                     0 Jan 01  1970 caf\xe9\xff"},
		{Entry{Name: "n", Owner: "longerthaneight", Group: "Domain Users", Links: 123456, Modify: old},
			"---------- 123456 longerth  Domain_U                0 Jan 01  1970 n"},
		{Entry{Name: "n", Owner: "müllerßß", Group: "a\r\nb", Modify: old},
			"----------   0 müller   a__b                    0 Jan 01  1970 n"},
		{Entry{Name: "n", Owner: "\x80\x80\x80\x80\x80\x80\x80\x80\x80", Modify: old},
			"----------   0           ftp                     0 Jan 01  1970 n"},
		{Entry{Name: "x", Type: TypeLink, Mode: 0o777, Target: "y -> z", Modify: old},
			"lrwxrwxrwx   0 ftp       ftp                     0 Jan 01  1970 x -> y -> z"},
		{Entry{Name: "x", Type: TypeLink, Mode: 0o777, Modify: old},
			"lrwxrwxrwx   0 ftp       ftp                     0 Jan 01  1970 x"},
		{Entry{Name: "x", Target: "never", Modify: old},
			"----------   0 ftp       ftp                     0 Jan 01  1970 x"},
		{Entry{Name: ".", Type: TypeCurrentDir}, "d---------   0 ftp       ftp                     0 Jan 01  1970 ."},
		{Entry{Name: "..", Type: TypeParentDir}, "d---------   0 ftp       ftp                     0 Jan 01  1970 .."},
		{Entry{Name: "fifo", Type: TypeOther}, "p---------   0 ftp       ftp                     0 Jan 01  1970 fifo"},
		{Entry{Name: "sticky", Type: TypeDir, Mode: fs.ModeDir | fs.ModeSticky | 0o777}, "drwxrwxrwx   0 ftp       ftp                     0 Jan 01  1970 sticky"},
		// SEED C22: no name ends a line.
		{Entry{Name: "nl\r\n226 x\x00"}, "----------   0 ftp       ftp                     0 Jan 01  1970 nl??226 x?"},
	} {
		if got := string(AppendList([]byte("before|"), &test.entry, listNow)); got != "before|"+test.want+"\r\n" {
			t.Errorf("%+v:\n got %q\nwant %q", test.entry, got, test.want)
		}
	}
}

// SEED L4: six months, not the calendar year; UTC.
func TestAppendListTime(t *testing.T) {
	jan := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		modify, now time.Time
		want        string
	}{
		{jan, jan, "Jan 15 12:00"},
		{jan.AddDate(0, -2, 0), jan, "Nov 15 12:00"}, // another year, but recent
		{jan, jan.AddDate(0, 10, 0), "Jan 15  2026"}, // the same year, but old
		{jan, jan.Add(sixMonths*time.Second - time.Second), "Jan 15 12:00"},
		{jan, jan.Add(sixMonths * time.Second), "Jan 15  2026"},
		{jan.Add(time.Minute), jan, "Jan 15 12:01"},
		{jan.Add(time.Minute + time.Second), jan, "Jan 15  2026"}, // the future
		{jan.In(time.FixedZone("", -13*3600)), jan.In(time.FixedZone("", 5*3600)), "Jan 15 12:00"},
		{time.Date(2026, 1, 9, 3, 4, 59, 0, time.UTC), jan, "Jan 09 03:04"},
		{time.Date(1969, 7, 20, 20, 17, 0, 0, time.UTC), jan, "Jul 20  1969"},
		{time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC), jan, "Feb 29  2000"},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), jan, "Dec 31  9999"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), jan, "Dec 31  9999"},
		{time.Time{}, jan, "Jan 01  1970"},
	} {
		line := string(AppendList(nil, &Entry{Name: "x", Modify: test.modify}, test.now))
		if got := line[len(line)-len("Mon dd  YYYY x\r\n") : len(line)-len(" x\r\n")]; got != test.want {
			t.Errorf("%v at %v: got %q, want %q", test.modify, test.now, got, test.want)
		}
	}
}

func listEntry() *Entry {
	return &Entry{
		Name: "some-file-name.txt", Size: 123456, Modify: listNow.Add(-time.Hour - time.Millisecond), Mode: 0o644, Perm: "adfrw",
		Unique: "fd00g1a2b3c4", Links: 1, Owner: "user", Group: "group", Target: "t",
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	b := make([]byte, 0, 1024)
	for typ := TypeFile; typ <= TypeOther; typ++ {
		e := listEntry()
		e.Type = typ
		if n := testing.AllocsPerRun(100, func() { b = AppendList(b[:0], e, listNow) }); n != 0 {
			t.Errorf("AppendList, type %d: %v allocations", typ, n)
		}
		if n := testing.AllocsPerRun(100, func() { b = AppendFacts(b[:0], e, AllFacts) }); n != 0 {
			t.Errorf("AppendFacts, type %d: %v allocations", typ, n)
		}
	}
}

// What AppendList shows, ParseListLine reads.
func FuzzListRoundTrip(f *testing.F) {
	f.Add("a", uint8(TypeFile), int64(1), int64(1), uint16(0o644), 1, "root", "root", "")
	f.Add("  two  spaces ", uint8(TypeDir), int64(0), int64(0), uint16(0o755), 12345, "", "Jan 29", "")
	f.Add(`x`, uint8(TypeLink), int64(5<<40), int64(-99999999), uint16(0o777), 0, "1", "2", "y -> z")
	f.Add("fifo", uint8(TypeOther), int64(5), int64(1), uint16(0o644), 1, "root", ",", "") // not a device's numbers
	f.Add("Jan 29 03:26 -> b", uint8(TypeFile), int64(29), int64(99999), uint16(0), 0, "x1", "Jan", "")
	f.Fuzz(func(t *testing.T, name string, typ uint8, bytes, age int64, mode uint16, links int, owner, group, target string) {
		in := Entry{
			Name: name, Type: EntryType(typ % uint8(TypeOther+1)), Size: max(bytes, 0), Modify: listNow.Add(-time.Duration(age % (1 << 32) * int64(time.Second))),
			Mode: fs.FileMode(mode), Links: links, Owner: owner, Group: group, Target: target,
		}
		line := string(AppendList(nil, &in, listNow))
		body, ok := strings.CutSuffix(line, "\r\n")
		if !ok || strings.ContainsAny(body, "\r\n\x00") {
			t.Fatalf("framing: %q", line)
		}
		escaped := func(s string) bool { return unescapeSpaces(s) != s }
		if name == "" || strings.ContainsAny(name+target, "\r\n\x00") || escaped(name) || escaped(target) ||
			in.Type == TypeLink && strings.Contains(name, " -> ") {
			return // no line can carry these exactly
		}
		if in.Type == TypeLink && target != "" && strings.HasSuffix(name, " ->") {
			return
		}
		out, err := ParseListLine(line, listNow)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		want := in
		want.Mode = in.Mode.Perm()
		want.Links = max(links, 0)
		want.Owner, want.Group = out.Owner, out.Group
		if want.Type.IsDir() {
			want.Type = TypeDir
		}
		if want.Type != TypeLink {
			want.Target = ""
		}
		if age := listNow.Sub(in.Modify); -clockAhead*time.Second <= age && age < sixMonths*time.Second {
			want.Modify = in.Modify.Truncate(time.Minute)
		} else {
			want.Modify = in.Modify.Truncate(24 * time.Hour)
		}
		if out != want {
			t.Fatalf("%q:\n got %+v\nwant %+v", line, out, want)
		}
		for _, name := range []string{out.Owner, out.Group} {
			if strings.Contains(name, " ") {
				t.Fatalf("%q: owner %q, group %q", line, out.Owner, out.Group)
			}
		}
	})
}

func BenchmarkAppendList(b *testing.B) {
	e := listEntry()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendList(buf[:0], e, listNow)
	}
}
