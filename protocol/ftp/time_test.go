package ftp

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	utc := func(y int, mo time.Month, d, h, mi, s, ns int) time.Time {
		return time.Date(y, mo, d, h, mi, s, ns, time.UTC)
	}
	for in, want := range map[string]time.Time{
		"20010203040506":           utc(2001, 2, 3, 4, 5, 6, 0), // SEED R24
		"19980615100045.014":       utc(1998, 6, 15, 10, 0, 45, 14_000_000),
		"20010203040506.5":         utc(2001, 2, 3, 4, 5, 6, 500_000_000),
		"20010203040506.123456789": utc(2001, 2, 3, 4, 5, 6, 123_456_789),
		"20240229000000":           utc(2024, 2, 29, 0, 0, 0, 0),
		"20161231235960":           utc(2017, 1, 1, 0, 0, 0, 0), // a leap second
		"00010101000000":           utc(1, 1, 1, 0, 0, 0, 0),
		"99991231235959":           utc(9999, 12, 31, 23, 59, 59, 0),
	} {
		if got, err := ParseTime(in); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "2001", "2001020304050", "200102030405066", "20010203040506.", "20010203040506.1234567890",
		"20010203040506 ", " 20010203040506", "20010203040506Z", "20010203040506.5Z", "20010203040506.5.5", "20010203040506,5",
		"20230229000000", "21000229000000", "20010431000000", "20011301000000", "20010001000000", "20010100000000", "20010132000000",
		"20010203240000", "20010203006000", "20010203000060", "20010203235961", "00000101000000",
		"-0010203040506", "+0010203040506", "2001020304050x", "2001-02-03 04:05:06", "20010203040506.-1", "٢0010203040506",
	} {
		if got, err := ParseTime(in); err != ErrSyntax || !got.IsZero() {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
}

func TestFormatTime(t *testing.T) {
	for _, test := range []struct {
		in   time.Time
		want string
	}{
		{time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), "20010203040506"},
		{time.Date(2001, 2, 3, 4, 5, 6, 7_999_999, time.UTC), "20010203040506.007"},
		{time.Date(2001, 2, 3, 4, 5, 6, 999_999, time.UTC), "20010203040506"},
		{time.Date(2001, 2, 3, 4, 5, 6, 120_000_000, time.UTC), "20010203040506.120"},
		{time.Date(2001, 1, 1, 1, 0, 0, 0, time.FixedZone("", 2*3600)), "20001231230000"},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), "19691231235959"},
		{time.Date(1969, 12, 31, 23, 59, 59, 5e8, time.UTC), "19691231235959.500"},
		{time.Time{}, "00010101000000"},
		{time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), "00010101000000"},
		{time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), "99991231235959"},
		{time.Unix(1<<62, 0), "99991231235959"},
	} {
		if got := FormatTime(test.in); got != test.want {
			t.Errorf("%v: got %s, want %s", test.in, got, test.want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("20010203040506.123")
	f.Add("20161231235960")
	f.Add("20230229000000")
	f.Fuzz(func(t *testing.T, s string) {
		when, err := ParseTime(s)
		if err != nil {
			return
		}
		if again, err := ParseTime(FormatTime(when)); when.Year() <= 9999 && (err != nil || !again.Equal(when.Truncate(time.Millisecond))) {
			t.Fatalf("%q: %v, then %v, %v", s, when, again, err)
		}
		// The standard library reads the same, but for leap seconds.
		if want, err := time.Parse("20060102150405", s[:14]); s[12:14] != "60" && (err != nil || !want.Equal(when.Truncate(time.Second))) {
			t.Fatalf("%q: %v, not %v, %v", s, when, want, err)
		}
	})
}
