package ftp

import "strings"

// Facts is a set of the facts that MLST and MLSD can show (RFC 3659 §7.5).
type Facts uint8

const (
	FactType   Facts = 1 << iota // type
	FactSize                     // size, of files only
	FactModify                   // modify
	FactPerm                     // perm
	FactUnique                   // unique
	FactMode                     // UNIX.mode

	AllFacts = FactType | FactSize | FactModify | FactPerm | FactUnique | FactMode
)

// factNames are in the order of the bits and of the lines. Lower case, since PHP looks for that.
var factNames = [...]string{"type", "size", "modify", "perm", "unique", "UNIX.mode"}

// ParseFacts reads the argument of OPTS MLST, "type;size;", in any case.
// Unknown facts are dropped, and no facts is an answer (RFC 3659 §7.9).
func ParseFacts(arg string) Facts {
	var f Facts
	for name := range strings.SplitSeq(arg, ";") {
		for i, known := range factNames {
			if strings.EqualFold(name, known) {
				f |= 1 << i
			}
		}
	}
	return f
}

// Feature is the line of FEAT: every fact there is, with "*" on those in f (RFC 3659 §7.8).
func (f Facts) Feature() string {
	b := []byte("MLST ")
	for i, name := range factNames {
		b = append(b, name...)
		if f&(1<<i) != 0 {
			b = append(b, '*')
		}
		b = append(b, ';')
	}
	return string(b)
}

// String lists the facts in f as the answer to OPTS MLST does: "type;size;".
func (f Facts) String() string {
	var b []byte
	for i, name := range factNames {
		if f&(1<<i) != 0 {
			b = append(append(b, name...), ';')
		}
	}
	return string(b)
}

// AppendFacts appends e as MLST and MLSD show it, "type=file;size=3; name",
// without a line end (RFC 3659 §7.2). A fact that f holds is left out where it
// is not known or makes no sense: size of anything but files, an unknown time,
// an empty unique. It does not allocate beyond b.
func AppendFacts(b []byte, e *Entry, f Facts) []byte {
	if f&FactType != 0 {
		b = append(append(b, "type="...), factType(e.Type)...)
		if e.Type == TypeLink {
			b = appendValue(b, e.Target)
		}
		b = append(b, ';')
	}
	if f&FactSize != 0 && e.Type == TypeFile {
		b = append(b, "size="...)
		b = appendNumber(b, e.Size, 0)
		b = append(b, ';')
	}
	if f&FactModify != 0 && !e.Modify.IsZero() {
		b = append(b, "modify="...)
		b = AppendTime(b, e.Modify)
		b = append(b, ';')
	}
	if f&FactPerm != 0 {
		b = append(b, "perm="...)
		b = appendValue(b, e.Perm)
		b = append(b, ';')
	}
	if f&FactUnique != 0 && e.Unique != "" {
		b = append(b, "unique="...)
		b = appendValue(b, e.Unique)
		b = append(b, ';')
	}
	if f&FactMode != 0 {
		m := byte(e.Mode>>6) & 7
		b = append(b, "UNIX.mode=0"...)
		b = append(b, '0'+m, '0'+byte(e.Mode>>3)&7, '0'+byte(e.Mode)&7, ';')
	}
	b = append(b, ' ')
	return appendName(b, e.Name)
}

const linkType = "OS.unix=slink:"

func factType(t EntryType) string {
	switch t {
	case TypeFile:
		return "file"
	case TypeDir:
		return "dir"
	case TypeCurrentDir:
		return "cdir"
	case TypeParentDir:
		return "pdir"
	case TypeLink:
		return linkType // RFC 3659 §7.5.1.5; the target follows
	}
	return "OS.unix=other"
}

// appendValue appends the value of a fact. What would end it early becomes "_".
func appendValue(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c == ';' || c == 0x7F {
			c = '_'
		}
		b = append(b, c)
	}
	return b
}
