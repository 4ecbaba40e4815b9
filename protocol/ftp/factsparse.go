package ftp

import (
	"io/fs"
	"strconv"
	"strings"
)

// ParseFactsLine reads one line of MLSD, or of MLST without the space that its
// reply puts first: facts, each ended by ";", one space, and the name, byte for
// byte (RFC 3659 §7.2). Unknown facts are ignored; without a type the entry is
// TypeOther. The error is ErrNotListing, also for a known fact with an
// impossible value.
func ParseFactsLine(line string) (Entry, error) {
	facts, name, found := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	if !found || name == "" || facts != "" && !strings.HasSuffix(facts, ";") {
		return Entry{}, ErrNotListing
	}
	e := Entry{Name: name, Type: TypeOther}
	for facts != "" {
		var fact string
		fact, facts, _ = strings.Cut(facts, ";")
		key, value, found := strings.Cut(fact, "=")
		if !found || key == "" || !e.setFact(key, value) {
			return Entry{}, ErrNotListing
		}
	}
	return e, nil
}

// setFact reports false for a known fact whose value is not one.
func (e *Entry) setFact(key, value string) (ok bool) {
	ok = true
	switch strings.ToLower(key) {
	case "type":
		e.Type, e.Target = parseFactType(value)
	case "size":
		e.Size, ok = size(value)
	case "modify":
		var err error
		e.Modify, err = ParseTime(value)
		ok = err == nil
	case "perm":
		e.Perm = value
	case "unique":
		e.Unique = value
	case "unix.mode":
		var mode uint64
		var err error
		mode, err = strconv.ParseUint(strings.TrimPrefix(value, "0o"), 8, 32) // pyftpdlib: 0o644
		e.Mode, ok = fs.FileMode(mode).Perm(), err == nil
	}
	return ok
}

func parseFactType(value string) (t EntryType, target string) {
	switch lower := strings.ToLower(value); {
	case lower == "file":
		return TypeFile, ""
	case lower == "dir":
		return TypeDir, ""
	case lower == "cdir":
		return TypeCurrentDir, ""
	case lower == "pdir":
		return TypeParentDir, ""
	case strings.HasPrefix(lower, strings.ToLower(linkType)):
		return TypeLink, value[len(linkType):]
	case lower == "os.unix=symlink", lower == "os.unix=slink":
		return TypeLink, ""
	}
	return TypeOther, ""
}
