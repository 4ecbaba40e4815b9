package ftp

import (
	"strings"
	"time"
)

// findDate searches a Unix line for the first date that follows a number, and
// returns what stands before and after it. One space separates date and name;
// further ones belong to the name.
func findDate(s string, now time.Time) (before string, when time.Time, name string, ok bool) {
	number := false // the word before is the size, or ends in its digits
	for i := 0; i < len(s); {
		if s[i] == ' ' {
			i++
			continue
		}
		word, _, _ := strings.Cut(s[i:], " ")
		if number {
			if when, rest, ok := cutDate(s[i:], now); ok {
				name, ok := strings.CutPrefix(rest, " ")
				return s[:i], when, name, ok
			}
		}
		number = isDigit(word[len(word)-1])
		i += len(word)
	}
	return "", time.Time{}, "", false
}

// cutDate reads a date at the start of s: "Jan 29 03:26", "Jan 29 2003",
// "29 Jan 03:26", "2003-01-29 03:26" or "2003-01-29 03:26:00.000000000 +0000".
func cutDate(s string, now time.Time) (when time.Time, rest string, ok bool) {
	first, after := cutWord(s)
	second, after := cutWord(after)
	if month, ok := parseMonth(first); ok {
		if day, ok := number(second, 2, 31); ok {
			third, after := cutWord(after)
			when, ok := monthDay(month, day, third, now)
			return when, after, ok
		}
		return when, "", false
	}
	if month, ok := parseMonth(second); ok {
		if day, ok := number(first, 2, 31); ok {
			third, after := cutWord(after)
			when, ok := monthDay(month, day, third, now)
			return when, after, ok
		}
		return when, "", false
	}
	day, ok := parseDay(first)
	if !ok {
		return when, "", false
	}
	second, fraction, full := strings.Cut(second, ".")
	since, ok := parseClock(second)
	if !ok || full && !isDigits(fraction) {
		return when, "", false
	}
	when = day.Add(since)
	if full {
		zone, afterZone := cutWord(after)
		t, err := time.Parse("-0700", zone)
		if err != nil {
			return when, "", false
		}
		_, offset := t.Zone()
		when, after = when.Add(-time.Duration(offset)*time.Second), afterZone
	}
	return when, after, true
}

// cutWord returns the first word of s and what follows it, its space included.
func cutWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " ")
	if i := strings.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func parseMonth(s string) (month int, ok bool) {
	if len(s) != 3 {
		return 0, false
	}
	for m := range 12 {
		if strings.EqualFold(s, monthNames[3*m:3*m+3]) {
			return m + 1, true
		}
	}
	return 0, false
}

// monthDay adds to a month and a day either a year or a time of the day, "03:26".
func monthDay(month, day int, third string, now time.Time) (when time.Time, ok bool) {
	if year, ok := number(third, 4, 9999); ok && len(third) == 4 {
		return date(year, month, day)
	}
	since, ok := parseClock(third)
	if !ok {
		return when, false
	}
	// 29 February can be up to eight years back.
	now = now.UTC()
	for year := now.Year() + 1; year >= now.Year()-8; year-- {
		start, ok := date(year, month, day)
		when = start.Add(since)
		if ok && when.Sub(now) <= 24*time.Hour {
			return when, true
		}
	}
	return when, false
}

// parseDay reads "2003-01-29".
func parseDay(s string) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil && t.Year() >= 1
}

// parseClock reads "03:26" or "03:26:59".
func parseClock(s string) (since time.Duration, ok bool) {
	hours, rest, found := strings.Cut(s, ":")
	minutes, seconds, more := strings.Cut(rest, ":")
	h, okHour := number(hours, 2, 23)
	m, okMinute := number(minutes, 2, 59)
	sec, okSecond := 0, true
	if more {
		sec, okSecond = number(seconds, 2, 59)
	}
	since = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	return since, found && okHour && okMinute && okSecond
}
