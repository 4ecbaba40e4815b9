package s3

import (
	"strconv"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// mtimeKey is the metadata key of a modification time, as rclone writes and reads it:
// seconds since 1970 with a fraction of up to nine digits.
const mtimeKey = "mtime"

func formatMtime(t time.Time) string {
	seconds, nanos, sign := t.Unix(), t.Nanosecond(), ""
	if seconds < 0 && nanos > 0 { // -1.25 is 1.25 seconds before 1970, not 0.75
		seconds, nanos = seconds+1, 1e9-nanos
	}
	if seconds < 0 || nanos > 0 && t.Unix() < 0 {
		seconds, sign = -seconds, "-"
	}
	text := sign + strconv.FormatInt(seconds, 10)
	if nanos > 0 {
		text += "." + strings.TrimRight(strconv.Itoa(1e9 + nanos)[1:], "0")
	}
	return text
}

func parseMtime(text string) (time.Time, bool) {
	number, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(number, ".")
	seconds, err := strconv.ParseUint(whole, 10, 40) // some 34,000 years
	if err != nil || strings.Trim(fraction, "0123456789") != "" {
		return time.Time{}, false
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if negative {
		return time.Unix(-int64(seconds), -nanos), true
	}
	return time.Unix(int64(seconds), nanos), true
}

// Chtimes is not built yet.
func (f *fsys) Chtimes(name string, _, _ time.Time) error {
	return fault("chtimes", name, vfs.ErrUnsupported)
}
