package s3

import (
	"strings"
	"unicode/utf8"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// maxKey is the longest key that S3 takes, in bytes.
const maxKey = 1024

// key is the object key of a clean absolute name. The root has none: vfs.ErrIsDir.
func (b *Backend) key(name string) (string, error) {
	if name == "/" {
		return "", vfs.ErrIsDir
	}
	key := b.o.Prefix + name[1:]
	return key, checkKey(key, name)
}

// dirKey is what every key below the directory begins with, and the key of its
// marker; the prefix itself for the root.
func (b *Backend) dirKey(name string) (string, error) {
	if name == "/" {
		return b.o.Prefix, nil
	}
	key := b.o.Prefix + name[1:] + "/"
	return key, checkKey(key, name)
}

// name is the name of a key below the prefix.
func (b *Backend) name(key string) string {
	return "/" + strings.TrimSuffix(strings.TrimPrefix(key, b.o.Prefix), "/")
}

func checkKey(key, name string) error {
	if len(key) > maxKey || !utf8.ValidString(key) || strings.ContainsAny(name, "\x00\r\n") {
		return vfs.ErrBadName
	}
	for segment := range strings.SplitSeq(name[1:], "/") {
		if !reachable(segment) {
			return vfs.ErrBadName
		}
	}
	return nil
}

// reachable reports whether a path can hold the segment. Keys may hold others
// ("a//b", "a/../b"), which are in no listing.
func reachable(segment string) bool {
	return segment != "" && segment != "." && segment != ".."
}
