package ftp

import (
	"strings"
	"time"
)

// parseVMS reads the form of OpenVMS: name and version, blocks, date, time, owner and protection. The name is
// given without the version, which means the newest, and that of a directory without its
// ending, as CWD wants it. Blocks are no size in bytes: it is -1.
//
//	CORE.DIR;1          1  8-SEP-1996 16:09 [SYSTEM] (RWE,RWE,RE,RE)
//	CII-MANUAL.TEX;1  213/216  29-JAN-1996 03:33:12  [ANONYMOU,ANONYMOUS]   (RWED,RWED,,)
func parseVMS(line string) (e Entry, ok bool) {
	file, rest := cutWord(line)
	name, version, ok := strings.Cut(file, ";")
	if !ok || name == "" || !isDigits(version) {
		return e, false
	}
	word, rest := cutWord(rest)
	if used, _, _ := strings.Cut(word, "/"); isDigits(used) { // blocks used, and allocated
		word, rest = cutWord(rest)
	}
	start, ok := parseVMSDay(word)
	if !ok {
		return e, false
	}
	clock, rest := cutWord(rest)
	clock, fraction, _ := strings.Cut(clock, ".")
	since, ok := parseClock(clock)
	if !ok || fraction != "" && !isDigits(fraction) {
		return e, false
	}
	e = Entry{Name: name, Size: -1, Modify: start.Add(since)}
	if directory, ok := strings.CutSuffix(name, ".DIR"); ok {
		e.Name, e.Type = directory, TypeDir
	}
	if owner, _ := cutWord(rest); strings.HasPrefix(owner, "[") && strings.HasSuffix(owner, "]") {
		group, member, ok := strings.Cut(owner[1:len(owner)-1], ",")
		if !ok {
			group, member = "", group
		}
		e.Owner, e.Group = member, group
	}
	return e, true
}

// parseVMSDay reads "8-SEP-1996".
func parseVMSDay(s string) (start time.Time, ok bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || len(parts[2]) != 4 {
		return start, false
	}
	day, okDay := number(parts[0], 2, 31)
	month, okMonth := parseMonth(parts[1])
	year, okYear := number(parts[2], 4, 9999)
	if !okDay || !okMonth || !okYear {
		return start, false
	}
	return date(year, month, day)
}
