package pi

import (
	"crypto/rand"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	lastCandidate = 10  // the one with the time in it
	maxName       = 255 // bytes of a segment, on nearly every storage
	maxExt        = 32  // bytes of what is taken for the extension of a name
	maxSuffix     = len("-20060102T150405-abcdefgh")
)

// candidate is the i-th name to try for an upload under OnConflictRename: name itself,
// name-1.ext to name-9.ext, and at last one with the time and something random in it.
func candidate(name string, i int) string {
	if i == 0 {
		return name
	}
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" || len(ext) > maxExt {
		stem, ext = name, ""
	}
	stem = shorten(stem, maxName-maxSuffix-len(ext))
	if i < lastCandidate {
		return fmt.Sprintf("%s-%d%s", stem, i, ext)
	}
	return stem + "-" + time.Now().UTC().Format("20060102T150405") + "-" + strings.ToLower(rand.Text()[:8]) + ext
}

// shorten cuts s to at most n bytes, and UTF-8 only between characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if utf8.ValidString(s) {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
	}
	return s[:n]
}
