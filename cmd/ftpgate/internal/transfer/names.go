package transfer

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
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

// maxName is how long a name may be for file systems, in bytes.
const maxName = 255

// partName is the temporary name of a file. It is the same for the same file, so that a later run finds it.
func partName(name string) string { return prefixed(name, partPrefix) }

func prefixed(name, prefix string) string {
	dir, base := path.Split(name)
	if len(prefix)+len(base) > maxName {
		sum := sha256.Sum256([]byte(base))
		base = hex.EncodeToString(sum[:])
	}
	return dir + prefix + base
}

// stageName is the temporary name of an upload. It is the same for the same file, as far as size and time tell: what a later run finds there is the
// beginning of it.
func stageName(path string, source fs.FileInfo) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", source.Size(), source.ModTime().UnixNano()))
	return prefixed(path, partPrefix+hex.EncodeToString(sum[:4])+".")
}

// streamName is a temporary name that nothing else has.
func streamName(path string) string { return prefixed(path, partPrefix+rand.Text()[:8]+".") }
