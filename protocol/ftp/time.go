package ftp

import (
	"strings"
	"time"
)

// ParseTime reads a time value, "YYYYMMDDHHMMSS" or with a fraction of one to
// nine digits, in UTC (RFC 3659 §2.3). Nothing may precede or follow it, and the
// date must exist; 23:59:60, a leap second, is the second after 23:59:59. The
// error is ErrSyntax.
func ParseTime(s string) (time.Time, error) {
	whole, fraction, dot := strings.Cut(s, ".")
	if len(whole) != len("YYYYMMDDHHMMSS") || !isDigits(whole) ||
		dot && (len(fraction) > 9 || !isDigits(fraction)) {
		return time.Time{}, ErrSyntax
	}
	field := func(from, to int) int {
		n := 0
		for i := from; i < to; i++ {
			n = 10*n + int(whole[i]-'0')
		}
		return n
	}
	nanos := 0
	for i := range 9 {
		nanos *= 10
		if i < len(fraction) {
			nanos += int(fraction[i] - '0')
		}
	}
	hour, minute, second := field(8, 10), field(10, 12), field(12, 14)
	leap := hour == 23 && minute == 59 && second == 60
	t, ok := date(field(0, 4), field(4, 6), field(6, 8))
	if !ok || hour > 23 || minute > 59 || second > 59 && !leap {
		return time.Time{}, ErrSyntax
	}
	return t.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(nanos)), nil
}

// date is the start of a day in UTC; it reports false for one that does not exist.
func date(year, month, day int) (time.Time, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, 1 <= year && year <= 9999 && t.Day() == day && int(t.Month()) == month
}

// FormatTime is AppendTime as a string.
func FormatTime(t time.Time) string {
	return string(AppendTime(make([]byte, 0, len("YYYYMMDDHHMMSS.sss")), t))
}

// AppendTime appends t as a time value in UTC, with a fraction of three digits
// if its milliseconds are not 0; smaller parts are cut off. Years before 1 and
// after 9999 cannot be written and become the first or the last moment that can.
func AppendTime(b []byte, t time.Time) []byte {
	c := newClock(t)
	b = append4(b, c.year)
	b = append2(b, c.month)
	b = append2(b, c.day)
	b = append2(b, c.second/3600)
	b = append2(b, c.second/60%60)
	b = append2(b, c.second%60)
	if ms := t.Nanosecond() / int(time.Millisecond); ms != 0 {
		b = append(b, '.', byte('0'+ms/100))
		b = append2(b, ms%100)
	}
	return b
}

// clock is a moment in UTC as a listing shows it.
type clock struct {
	year, month, day int
	second           int // of the day
}

// Unix times of the first and last second that four digits of year can write.
const (
	firstSecond = -62135596800 // 0001-01-01 00:00:00
	lastSecond  = 253402300799 // 9999-12-31 23:59:59
)

func newClock(t time.Time) clock {
	unix := min(max(t.Unix(), firstSecond), lastSecond)
	y, m, d := time.Unix(unix, 0).UTC().Date()
	return clock{y, int(m), d, int((unix - firstSecond) % (24 * 3600))}
}

func append4(b []byte, n int) []byte { return append2(append2(b, n/100), n%100) }

func append2(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
