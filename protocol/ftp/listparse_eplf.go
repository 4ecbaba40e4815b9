package ftp

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// parseEPLF reads "easily parsed LIST format", D. J. Bernstein's: facts each
// ended by a comma, a tab, the name.
//
//	+i8388621.44468,m839956783,r,s10376,	RFCEPLF
func parseEPLF(line string) (e Entry, ok bool) {
	facts, name, ok := strings.Cut(line[1:], "\t")
	if !ok {
		return e, false
	}
	e = Entry{Name: name, Type: TypeOther}
	for fact := range strings.SplitSeq(facts, ",") {
		ok := true
		switch {
		case fact == "":
		case fact == "/":
			e.Type = TypeDir
		case fact == "r":
			e.Type = TypeFile
		case fact[0] == 's':
			e.Size, ok = size(fact[1:])
		case fact[0] == 'm':
			var seconds int64
			seconds, ok = size(fact[1:])
			e.Modify = time.Unix(min(seconds, lastSecond), 0).UTC()
		case fact[0] == 'i':
			e.Unique = fact[1:]
		case strings.HasPrefix(fact, "up"):
			bits, err := strconv.ParseUint(fact[2:], 8, 32)
			e.Mode, ok = fs.FileMode(bits).Perm(), err == nil
		}
		if !ok {
			return e, false
		}
	}
	return e, true
}
