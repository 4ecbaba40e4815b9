package ftp

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// HashReply answers HASH (draft-bryan-ftpext-hash-02 §3): the digest of all size bytes
// of the file path. The range names its first and last byte; that of an empty file,
// for which there is no form, is 0-0.
func HashReply(algorithm string, size int64, digest []byte, path string) Reply {
	return Reply{Code: 213, Lines: []string{fmt.Sprintf("%s 0-%d %x %s", algorithm, max(size, 1)-1, digest, path)}}
}

// HashFeature is the line of FEAT (draft-bryan-ftpext-hash-02 §3.1): every algorithm there
// is, the selected one with "*".
func HashFeature(algorithms []string, selected string) string {
	var b strings.Builder
	b.WriteString("HASH ")
	for i, name := range algorithms {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(name)
		if name == selected {
			b.WriteByte('*')
		}
	}
	return b.String()
}

// Hexadecimal is a digest as the replies to XCRC, XMD5 and the like show it, upper-case.
func Hexadecimal(digest []byte) string { return strings.ToUpper(hex.EncodeToString(digest)) }
