package ftp

import (
	"strings"
	"time"
)

// parseDOS reads the form of Microsoft's server:
//
//	02-11-98  03:53PM       <DIR>          Archive
//	02-11-1998  15:53                 1234 name
func parseDOS(line string) (e Entry, ok bool) {
	day, rest := cutWord(line)
	clock, rest := cutWord(rest)
	what, rest := cutWord(rest)
	start, ok := parseDOSDay(day)
	if !ok {
		return e, false
	}
	since, ok := parseDOSClock(clock)
	if !ok {
		return e, false
	}
	e.Modify = start.Add(since)
	const afterDir = "          " // the column of sizes is wider than "<DIR>"
	switch what {
	case "<DIR>", "<JUNCTION>", "<SYMLINKD>":
		e.Type = TypeDir
		if name, ok := strings.CutPrefix(rest, afterDir); ok && what == "<DIR>" {
			e.Name = name
		} else {
			e.Name = strings.TrimLeft(rest, " ")
		}
		return e, true
	}
	e.Size, ok = size(strings.ReplaceAll(what, ",", ""))
	e.Name = strings.TrimPrefix(rest, " ")
	return e, ok
}

// parseDOSDay reads "MM-DD-YY", "MM-DD-YYYY" or "YYYY-MM-DD".
func parseDOSDay(s string) (start time.Time, ok bool) {
	if t, ok := parseDay(s); ok {
		return t, true
	}
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return start, false
	}
	month, okMonth := number(parts[0], 2, 12)
	day, okDay := number(parts[1], 2, 31)
	year, okYear := number(parts[2], 4, 9999)
	if !okMonth || !okDay || !okYear || len(parts[2])%2 != 0 {
		return start, false
	}
	if len(parts[2]) == 2 {
		year += 1900
		if year < 1970 {
			year += 100
		}
	}
	return date(year, month, day)
}

// parseDOSClock reads "03:53PM" or "15:53".
func parseDOSClock(s string) (since time.Duration, ok bool) {
	upper := strings.ToUpper(s)
	digits, pm := strings.CutSuffix(upper, "PM")
	digits, am := strings.CutSuffix(digits, "AM")
	since, ok = parseClock(digits)
	if am || pm {
		if since < time.Hour || since >= 13*time.Hour || am && pm {
			return 0, false
		}
		since %= 12 * time.Hour
		if pm {
			since += 12 * time.Hour
		}
	}
	return since, ok
}
