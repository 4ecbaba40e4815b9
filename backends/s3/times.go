package s3

import (
	"errors"
	"io/fs"
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

// Chtimes sets the modification time, the only one there is, by copying the object onto
// itself with other metadata. Directories have none.
func (f *fsys) Chtimes(name string, _, mtime time.Time) error {
	return fault("chtimes", name, f.chtimes(name, mtime))
}

func (f *fsys) chtimes(name string, mtime time.Time) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if name == "/" {
		return vfs.ErrUnsupported
	}
	o, err := f.find(name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, dirErr := f.stat(name); dirErr == nil {
			return vfs.ErrUnsupported
		}
	}
	if err != nil {
		return err
	}
	// This looks now and copies later, as a rename does.
	done, err := f.turns.take(f.ctx, o.key)
	if err != nil {
		return err
	}
	defer done()
	if !f.heedsConditions {
		if o, err = f.head(f.ctx, o.key); err != nil { // what is known of it may be some seconds old
			return err
		}
	}
	touch := func() error {
		return copying{from: o, to: o.key, ifMatch: &o.etag, mtime: &mtime}.run(f.ctx, f.Backend)
	}
	err = touch()
	if preconditionFailed(err) { // the same
		if o, err = f.head(f.ctx, o.key); err == nil {
			err = touch()
		}
	}
	return err
}
