package ftp

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestParseFacts(t *testing.T) {
	for arg, want := range map[string]Facts{
		"":                       0,
		";":                      0,
		"type;size;":             FactType | FactSize,
		"TYPE;Size":              FactType | FactSize,
		"modify;perm;unique;":    FactModify | FactPerm | FactUnique,
		"unix.mode;":             FactMode,
		"type;lang;x.y;size;":    FactType | FactSize, // RFC 3659 §7.9: unknown ones are dropped
		"type*;":                 0,
		" type;":                 0,
		"type;type;type":         FactType,
		AllFacts.String():        AllFacts,
		strings.Repeat(";", 999): 0,
	} {
		if got := ParseFacts(arg); got != want {
			t.Errorf("%q: got %q, want %q", arg, got, want)
		}
	}
}

func TestFactsStrings(t *testing.T) {
	if got, want := AllFacts.Feature(), "MLST type*;size*;modify*;perm*;unique*;UNIX.mode*;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (FactType | FactModify).Feature(), "MLST type*;size;modify*;perm;unique;UNIX.mode;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (FactSize | FactMode).String(), "size;UNIX.mode;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Facts(0).String(); got != "" {
		t.Errorf("none: %q", got)
	}
}

func TestAppendFacts(t *testing.T) {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, test := range []struct {
		entry Entry
		facts Facts
		want  string
	}{
		{Entry{Name: "a  b;c=d", Size: 3, Modify: when, Perm: "adfrw", Unique: "1.2", Mode: 0o644}, AllFacts,
			"type=file;size=3;modify=20010203040506;perm=adfrw;unique=1.2;UNIX.mode=0644; a  b;c=d"},
		{Entry{Name: "d", Type: TypeDir, Size: 4096, Modify: when.Add(7 * time.Millisecond), Perm: "el", Mode: fs.ModeDir | 0o755}, AllFacts,
			"type=dir;modify=20010203040506.007;perm=el;UNIX.mode=0755; d"},
		{Entry{Name: "/", Type: TypeCurrentDir}, FactType, "type=cdir; /"},
		{Entry{Name: "..", Type: TypeParentDir}, FactType, "type=pdir; .."},
		{Entry{Name: "l", Type: TypeLink, Target: "/x y;z\r\n"}, FactType | FactSize, "type=OS.unix=slink:/x_y_z__; l"},
		{Entry{Name: "l", Type: TypeLink}, FactType, "type=OS.unix=slink:; l"},
		{Entry{Name: "fifo", Type: TypeOther, Size: 5}, FactType | FactSize, "type=OS.unix=other; fifo"},
		{Entry{Name: "a"}, 0, " a"},
		{Entry{Name: "a"}, FactPerm | FactUnique | FactModify, "perm=; a"},
		{Entry{Name: "a", Size: 1 << 62}, FactSize, "size=4611686018427387904; a"},
		{Entry{Name: " é caf\xe9\xff\\\""}, FactType, "type=file;  é caf\xe9\xff\\\""},
		{Entry{Name: "x\r\ny\x00"}, FactType, "type=file; x??y?"}, // RFC 3659 §6.1, SEED C22
		{Entry{Name: "x", Unique: "a;b c"}, FactUnique, "unique=a_b_c; x"},
	} {
		if got := string(AppendFacts([]byte("before|"), &test.entry, test.facts)); got != "before|"+test.want {
			t.Errorf("%+v:\n got %q\nwant %q", test.entry, got, test.want)
		}
	}
}

func TestParseFactsLine(t *testing.T) {
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, test := range []struct {
		line string
		want Entry
	}{
		{"type=file;size=3;modify=20010203040506;perm=adfrw;unique=1.2;UNIX.mode=0644; a  b;c=d",
			Entry{Name: "a  b;c=d", Size: 3, Modify: when, Perm: "adfrw", Unique: "1.2", Mode: 0o644}},
		{"Type=dir;Sizd=4096;Modify=20010203040506;UNIX.mode=0755;UNIX.uid=0;x.y=; d\r\n",
			Entry{Name: "d", Type: TypeDir, Modify: when, Mode: 0o755}},
		{"TYPE=CDIR; /", Entry{Name: "/", Type: TypeCurrentDir}},
		{"type=pdir; ..", Entry{Name: "..", Type: TypeParentDir}},
		{"type=OS.unix=slink:/foo; l", Entry{Name: "l", Type: TypeLink, Target: "/foo"}},
		{"type=OS.UNIX=symlink; l", Entry{Name: "l", Type: TypeLink}},
		{"type=OS.unix=chr-1/2; dev", Entry{Name: "dev", Type: TypeOther}},
		{"size=3; x", Entry{Name: "x", Type: TypeOther, Size: 3}},
		{" x", Entry{Name: "x", Type: TypeOther}},
		{"  x ", Entry{Name: " x ", Type: TypeOther}},
		{"type=file;unique=a=b; x", Entry{Name: "x", Unique: "a=b"}},
	} {
		got, err := ParseFactsLine(test.line)
		if err != nil || got != test.want {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", test.line, got, err, test.want)
		}
	}
	for _, line := range []string{
		"", " ", "x", "type=file;", "type=file; ", "type=file x", "file; x", "=file; x", ";; x",
		"size=-3; x", "size=; x", "size=99999999999999999999; x", "modify=2001; x", "modify=20010203040506Z; x", "UNIX.mode=9; x",
		"-rw-r--r-- 1 root other 531 Jan 29 03:26 README", "total 12",
	} {
		if got, err := ParseFactsLine(line); err != ErrNotListing || got != (Entry{}) {
			t.Errorf("%q: got %+v, %v", line, got, err)
		}
	}
}

// What AppendFacts shows, ParseFactsLine reads.
// pyftpdlib writes modes as Python does.
func TestParseFactsLinePythonMode(t *testing.T) {
	e, err := ParseFactsLine("type=file;unix.mode=0o644; x")
	if err != nil || e.Mode != 0o644 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := ParseFactsLine("type=file;unix.mode=0o; x"); err != ErrNotListing {
		t.Error(err)
	}
}

func FuzzFactsRoundTrip(f *testing.F) {
	f.Add("a", uint8(TypeFile), int64(1), int64(1), uint16(0o644), "adfrw", "1.2", "", uint8(AllFacts))
	f.Add(" ; =  ", uint8(TypeLink), int64(0), int64(-5), uint16(0o644), "", "", "/x", uint8(AllFacts))
	f.Add("d", uint8(TypeDir), int64(0), int64(1<<40), uint16(0), "el", "a b;c", "", uint8(FactType))
	f.Fuzz(func(t *testing.T, name string, typ uint8, bytes, millis int64, mode uint16, perm, unique, target string, set uint8) {
		in := Entry{
			Name: name, Type: EntryType(typ % uint8(TypeOther+1)), Size: max(bytes, 0), Modify: time.UnixMilli(millis % (1 << 47)).UTC(),
			Mode: fs.FileMode(mode), Perm: perm, Unique: unique, Target: target,
		}
		facts := Facts(set) & AllFacts
		line := string(AppendFacts(nil, &in, facts))
		if strings.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("framing: %q", line)
		}
		if name == "" || strings.ContainsAny(name, "\r\n\x00") || in.Modify.Year() < 1 || in.Modify.Year() > 9999 {
			return // no line can carry these exactly
		}
		out, err := ParseFactsLine(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		value := func(s string, f Facts) string {
			if facts&f == 0 {
				return ""
			}
			return string(appendValue(nil, s))
		}
		want := Entry{Name: name, Type: TypeOther, Perm: value(perm, FactPerm), Unique: value(unique, FactUnique)}
		if facts&FactType != 0 {
			want.Type = in.Type
			if in.Type == TypeLink {
				want.Target = value(target, FactType)
			}
		}
		if facts&FactSize != 0 && in.Type == TypeFile {
			want.Size = in.Size
		}
		if facts&FactModify != 0 {
			want.Modify = in.Modify
		}
		if facts&FactMode != 0 {
			want.Mode = in.Mode.Perm()
		}
		if !out.Modify.Equal(want.Modify) {
			t.Fatalf("%q: %v, want %v", line, out.Modify, want.Modify)
		}
		if want.Modify = out.Modify; out != want {
			t.Fatalf("%q:\n got %+v\nwant %+v", line, out, want)
		}
	})
}

func BenchmarkAppendFacts(b *testing.B) {
	e := listEntry()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFacts(buf[:0], e, AllFacts)
	}
}

func FuzzParseFactsLine(f *testing.F) {
	f.Add("type=file;size=3;modify=20010203040506;perm=adfrw;unique=1.2;UNIX.mode=0644; a  b;c=d")
	f.Add("modify=20200203040506.123;perm=radfwMT;size=40;type=file;unique=fe00ga0cb02;unix.mode=0o644; /one/file.txt")
	f.Add("type=OS.unix=slink:/x;Size=; x")
	f.Add(" x\r\n")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ParseFactsLine(line)
		if err != nil {
			if err != ErrNotListing || e != (Entry{}) {
				t.Fatalf("%q: %+v, %v", line, e, err)
			}
			return
		}
		if e.Name == "" || e.Size < 0 || e.Mode != e.Mode.Perm() || e.Type > TypeOther || !strings.Contains(line, e.Name) {
			t.Fatalf("%q: %+v", line, e)
		}
		if !e.Modify.IsZero() && (e.Modify.Year() < 1 || e.Modify.Year() > 10000) {
			t.Fatalf("%q: %v", line, e.Modify)
		}
	})
}
