package auth

import (
	"errors"
	"strings"
)

// maxUserName is the longest user name in bytes: names become directory names
// (a per-user root), and 255 is what file systems allow for one.
const maxUserName = 255

// ValidUser reports why name cannot be a user name, or nil. User names end up
// in paths and logs, so whatever could climb, separate or control there is
// refused before any checker sees it.
func ValidUser(name string) error {
	switch {
	case name == "":
		return errors.New("a user name cannot be empty")
	case len(name) > maxUserName:
		return errors.New("a user name cannot be longer than 255 bytes")
	case strings.ContainsAny(name, `/\`):
		return errors.New("a user name cannot hold a slash or a backslash")
	case name == "." || strings.Contains(name, ".."):
		return errors.New(`a user name cannot be "." or hold ".."`)
	}
	for i := range len(name) {
		if name[i] < 0x20 || name[i] == 0x7f {
			return errors.New("a user name cannot hold control characters")
		}
	}
	return nil
}
