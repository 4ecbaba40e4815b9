package ftp

import (
	"io/fs"
	"time"
)

// EntryType is what a directory entry is.
type EntryType uint8

const (
	TypeFile       EntryType = iota // a regular file
	TypeDir                         // a directory
	TypeCurrentDir                  // the directory that is listed itself (cdir)
	TypeParentDir                   // a directory above it (pdir)
	TypeLink                        // a symbolic link shown as one, since it leads nowhere
	TypeOther                       // anything else, or not known
)

// IsDir reports whether t is a directory of any kind.
func (t EntryType) IsDir() bool {
	return t == TypeDir || t == TypeCurrentDir || t == TypeParentDir
}

// Entry is one directory entry, as listings show it. What a listing does not tell is zero.
type Entry struct {
	Name   string // its bytes are exact, apart from CR, LF and NUL, which no line can carry
	Type   EntryType
	Size   int64       // in bytes; -1 from a VMS listing, which counts blocks
	Modify time.Time   // zero if unknown
	Mode   fs.FileMode // permission bits
	Perm   string      // what this user may do, in the letters of RFC 3659 §7.5.5
	Unique string      // the same for the same object only (RFC 3659 §7.5.2)
	Links  int         // number of hard links
	Owner  string
	Group  string
	Target string // where a link leads
}

// appendName appends a name. CR, LF and NUL would end the line early and so
// become "?"; such names are better left out of a listing altogether.
func appendName(b []byte, name string) []byte {
	start := len(b)
	b = append(b, name...)
	for i, c := range b[start:] {
		if c == '\r' || c == '\n' || c == 0 {
			b[start+i] = '?'
		}
	}
	return b
}
