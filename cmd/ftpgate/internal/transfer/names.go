package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path"
	"path/filepath"
	"strings"
)

// ErrName is a name of a server that is not taken for a local one.
var ErrName = errors.New("not a name for a local file")

// CheckName refuses names that would lead out of the directory they are meant for, that no file can have, that would
// write to the terminal when they are listed, or that are those of temporary files of ours. os.Root would not let the
// first kind out either; it does not know the others.
func CheckName(name string) error {
	if !filepath.IsLocal(filepath.FromSlash(name)) || name == "." {
		return ErrName
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case element == "" || element == "." || element == "..", IsPart(element):
			return ErrName
		case filepath.Separator != '/' && strings.ContainsRune(element, filepath.Separator):
			return ErrName
		case strings.IndexFunc(element, isControl) >= 0:
			return ErrName
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || 0x7F <= r && r < 0xA0 }

// partPrefix begins the names of temporary files.
const partPrefix = ".ftpgate-part."

// IsPart reports whether a name, without directories, is that of a temporary file.
func IsPart(base string) bool { return strings.HasPrefix(base, partPrefix) }

// longName is how long a name may be before its temporary name is too long for file systems, in bytes.
const longName = 255 - len(partPrefix)

// partName is the temporary name of a file. It is the same for the same file, so that a later run finds it.
func partName(name string) string {
	dir, base := path.Split(name)
	if len(base) > longName {
		sum := sha256.Sum256([]byte(base))
		base = hex.EncodeToString(sum[:])
	}
	return dir + partPrefix + base
}
