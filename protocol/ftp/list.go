package ftp

import (
	"io/fs"
	"time"
	"unicode/utf8"
)

// The columns of a listing line, in bytes.
const (
	linksWidth = 4
	ownerCut   = 8
	ownerWidth = 9
	sizeWidth  = 15
)

// A line shows the time of day for the last six months, and the year otherwise,
// as ls does. Storage on another machine may be a little ahead of our clock.
const (
	sixMonths  = 365.2425 * 24 * 3600 / 2 // seconds
	clockAhead = 60                       // seconds
)

const (
	monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"
	threeBits  = "-----x-w--wxr--r-xrw-rwx"
	spaces     = "                    "
)

// AppendList appends e as one line of LIST, in the form of `ls -l` with times
// in UTC, ended by CRLF. What is neither file, directory nor link is shown as a
// named pipe, which clients leave alone. Owner and group are cut to 8 bytes, and "ftp" if empty;
// a link with a target ends in " -> target". An unknown time is shown as the
// start of 1970. It does not allocate beyond b.
func AppendList(b []byte, e *Entry, now time.Time) []byte {
	b = append(b, listType(e.Type))
	b = appendBits(b, e.Mode>>6)
	b = appendBits(b, e.Mode>>3)
	b = appendBits(b, e.Mode)
	if e.Links > 999 {
		b = append(b, ' ') // the column is full and would touch the permissions
	}
	b = appendNumber(b, int64(e.Links), linksWidth)
	b = append(b, ' ')
	b = appendOwner(b, e.Owner)
	b = append(b, ' ')
	b = appendOwner(b, e.Group)
	b = append(b, ' ')
	b = appendNumber(b, e.Size, sizeWidth)
	b = append(b, ' ')
	b = appendListTime(b, e.Modify, now)
	b = append(b, ' ')
	b = appendName(b, e.Name)
	if e.Type == TypeLink && e.Target != "" {
		b = append(b, " -> "...)
		b = appendName(b, e.Target)
	}
	return append(b, '\r', '\n')
}

func listType(t EntryType) byte {
	switch {
	case t.IsDir():
		return 'd'
	case t == TypeLink:
		return 'l'
	case t == TypeOther:
		return 'p' // a client that took it for a file would try to fetch it
	}
	return '-'
}

// appendBits appends the lowest three permission bits of m.
func appendBits(b []byte, m fs.FileMode) []byte {
	i := 3 * (m & 7)
	return append(b, threeBits[i:i+3]...)
}

// appendNumber appends n, at least 0, right-aligned in a column.
func appendNumber(b []byte, n int64, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for v := uint64(max(n, 0)); ; v /= 10 {
		i--
		digits[i] = byte('0' + v%10)
		if v < 10 {
			break
		}
	}
	if pad := width - (len(digits) - i); pad > 0 {
		b = append(b, spaces[:pad]...)
	}
	return append(b, digits[i:]...)
}

// appendOwner appends an owner or group as one word, left-aligned.
func appendOwner(b []byte, s string) []byte {
	if s == "" {
		s = "ftp"
	}
	if len(s) > ownerCut {
		cut := ownerCut
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c == 0x7F {
			c = '_'
		}
		b = append(b, c)
	}
	return append(b, spaces[:ownerWidth-len(s)]...)
}

// appendListTime appends "Mon dd HH:MM" or "Mon dd  YYYY".
func appendListTime(b []byte, t, now time.Time) []byte {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	c := newClock(t)
	b = append(b, monthNames[3*c.month-3:3*c.month]...)
	b = append(b, ' ')
	b = append2(b, c.day)
	b = append(b, ' ')
	if age := now.Unix() - t.Unix(); -clockAhead <= age && age < sixMonths {
		b = append2(b, c.second/3600)
		b = append(b, ':')
		return append2(b, c.second/60%60)
	}
	b = append(b, ' ')
	return append4(b, c.year)
}
