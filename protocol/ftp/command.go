package ftp

import "strings"

// maxVerb is the longest verb in bytes. Registered ones have four letters,
// those in use up to eight (XSHA512).
const maxVerb = 16

// Command is one command line, split at its first space (RFC 959 §5.3).
type Command struct {
	Verb   string // in ASCII upper case; printable ASCII, 1 to 16 bytes
	Arg    string // what follows the one space, byte for byte: further spaces belong to it (RFC 2640 §3.1)
	HasArg bool   // there was a space, so "NOOP " has an empty argument
}

// ParseCommand splits a command line given without its end. An empty line is
// ErrEmpty. ErrSyntax is a line whose verb is empty, longer than 16 bytes or
// holds anything but printable ASCII (a leading space, a tab), or whose argument
// holds NUL, CR or LF; CR NUL is refused too, as no name may hold a CR.
func ParseCommand(line []byte) (Command, error) {
	if len(line) == 0 {
		return Command{}, ErrEmpty
	}
	// One string for both parts.
	verb, arg, hasArg := strings.Cut(string(line), " ")
	if verb == "" || len(verb) > maxVerb || strings.ContainsAny(arg, "\x00\r\n") {
		return Command{}, ErrSyntax
	}
	for i := range len(verb) {
		if verb[i] <= ' ' || verb[i] >= 0x7F {
			return Command{}, ErrSyntax
		}
	}
	return Command{Verb: strings.ToUpper(verb), Arg: arg, HasArg: hasArg}, nil
}
