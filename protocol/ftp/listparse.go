package ftp

import (
	"io/fs"
	"strings"
	"time"
)

// ParseListLine reads one line of LIST: the form of `ls -l` with what real
// servers make of it, the MS-DOS form, or EPLF. Times are taken as UTC; a line
// without a year means the last such day that is not after now, or a day ahead
// for servers in other zones. Names are exact bytes. The error is ErrNotListing.
//
// A name in which a backslash stands before every space is taken from a server
// that escapes spaces, and loses these backslashes.
func ParseListLine(line string, now time.Time) (Entry, error) {
	line = strings.TrimRight(line, "\r\n")
	var e Entry
	var ok bool
	switch {
	case line == "":
		return Entry{}, ErrNotListing
	case line[0] == '+':
		e, ok = parseEPLF(line)
	case isDigit(line[0]):
		e, ok = parseDOS(line)
	default:
		if e, ok = parseUnix(line, now); !ok {
			e, ok = parseNetWare(line, now)
		}
	}
	if !ok {
		e, ok = parseVMS(line)
	}
	if !ok || e.Name == "" {
		return Entry{}, ErrNotListing
	}
	return e, nil
}

// parseUnix reads "type+permissions [links] [owner] [group] size date name".
// What stands between differs from server to server, so the date is searched.
func parseUnix(line string, now time.Time) (e Entry, ok bool) {
	const permissions = 1 + 9
	if len(line) <= permissions {
		return e, false
	}
	if e.Type, ok = parseListType(line[0]); !ok {
		return e, false
	}
	if e.Mode, ok = parseBits(line[1:permissions]); !ok {
		return e, false
	}
	rest := line[permissions:]
	if strings.IndexByte("+.@", rest[0]) >= 0 { // an ACL, a security context, extended attributes
		rest = rest[1:]
	}
	if rest == "" || rest[0] != ' ' && !isDigit(rest[0]) { // more than 9999 links may touch the permissions
		return e, false
	}
	columns, when, name, ok := findDate(rest, now)
	device := line[0] == 'b' || line[0] == 'c'
	if !ok || !e.setColumns(columns, device) {
		return e, false
	}
	e.Modify = when
	if e.Type == TypeLink {
		if i := strings.Index(name, " -> "); i > 0 {
			name, e.Target = name[:i], unescapeSpaces(name[i+len(" -> "):])
		}
	}
	e.Name = unescapeSpaces(name)
	return e, true
}

func parseListType(c byte) (t EntryType, ok bool) {
	switch c {
	case '-':
		return TypeFile, true
	case 'd':
		return TypeDir, true
	case 'l':
		return TypeLink, true
	case 'b', 'c', 'p', 's', 'D':
		return TypeOther, true
	}
	return TypeOther, false
}

// parseBits reads nine permission letters. Capital S and T stand where x is not set.
func parseBits(s string) (m fs.FileMode, ok bool) {
	for i := range len(s) {
		m <<= 1
		switch {
		case s[i] == '-', s[i] == 'S' && i%3 == 2, s[i] == 'T' && i == 8, s[i] == 'l' && i == 5:
		case s[i] == "rwx"[i%3], s[i] == 's' && i%3 == 2, s[i] == 't' && i == 8:
			m |= 1
		default:
			return 0, false
		}
	}
	return m, true
}

// setColumns takes what stands before the date: at least a size, at most links,
// an owner of several words, a group and a size or a device's two numbers.
func (e *Entry) setColumns(columns string, device bool) (ok bool) {
	words := strings.FieldsFunc(columns, func(c rune) bool { return c == ' ' })
	last := len(words) - 1
	if last < 0 {
		return false
	}
	switch {
	case last > 0 && strings.HasSuffix(words[last-1], ",") && device: // "8, 0"
		last--
	case strings.Contains(words[last], ",") && device: // "8,0"
	default:
		if e.Size, ok = size(words[last]); !ok {
			return false
		}
	}
	words = words[:last]
	if len(words) > 1 && isDigits(words[0]) {
		links, ok := size(words[0])
		if !ok {
			return false
		}
		e.Links, words = int(links), words[1:]
	}
	switch n := len(words); n {
	case 0:
	case 1:
		e.Owner = words[0]
	default:
		e.Owner, e.Group = strings.Join(words[:n-1], " "), words[n-1]
	}
	return true
}

// unescapeSpaces turns "\ " into " " if every space of the name is written so.
func unescapeSpaces(name string) string {
	if !strings.Contains(name, " ") || strings.Count(name, " ") != strings.Count(name, `\ `) {
		return name
	}
	return strings.ReplaceAll(name, `\ `, " ")
}
