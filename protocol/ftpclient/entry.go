package ftpclient

import (
	"io/fs"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Entry is one entry of a listing, or what Stat found.
type Entry struct {
	Name      string        // never "", ".", ".." and never with a "/", but for Stat of the root
	Type      ftp.EntryType // TypeOther: not known, or special
	Size      int64         // -1: not known
	ModTime   time.Time     // UTC; zero: not known
	Precision time.Duration // of ModTime: a day, a minute, a second or less
	Mode      fs.FileMode   // permission bits
	HasMode   bool          // the server told them
	Perm      string        // what this user may do, in the letters of RFC 3659 §7.5.5
	Unique    string        // the same for the same object only (RFC 3659 §7.5.2)
	Owner     string
	Group     string
	Target    string // where a link leads
}

const day = 24 * time.Hour

// factsEntry makes an Entry of one line of MLSD or MLST.
func (c *Conn) factsEntry(e ftp.Entry, line string) Entry {
	facts, _, _ := strings.Cut(line, " ")
	facts = ";" + strings.ToLower(facts)
	entry := Entry{
		Name: c.decode(e.Name), Type: e.Type, Size: e.Size, ModTime: c.fromServer(e.Modify), Precision: time.Second,
		Mode: e.Mode, HasMode: strings.Contains(facts, ";unix.mode="), Perm: e.Perm, Unique: e.Unique,
		Owner: e.Owner, Group: e.Group, Target: c.decode(e.Target),
	}
	if !strings.Contains(facts, ";size=") {
		entry.Size = -1
	}
	entry.Precision = precision(e.Modify)
	return entry
}

// precision is what a time value of RFC 3659 §2.3 is exact to.
func precision(t time.Time) time.Duration {
	switch {
	case t.Nanosecond() == 0:
		return time.Second
	case t.Nanosecond()%int(time.Millisecond) == 0:
		return time.Millisecond
	case t.Nanosecond()%int(time.Microsecond) == 0:
		return time.Microsecond
	}
	return time.Nanosecond
}

// listEntry makes an Entry of one line of LIST with times in a zone.
func (c *Conn) listEntry(e ftp.Entry, zone *time.Location) Entry {
	entry := Entry{
		Name: c.decode(e.Name), Type: e.Type, Size: e.Size, Mode: e.Mode, HasMode: e.Mode != 0, Unique: e.Unique,
		Owner: e.Owner, Group: e.Group, Target: c.decode(e.Target),
	}
	if e.Type.IsDir() || e.Type == ftp.TypeOther && e.Size == 0 {
		entry.Size = -1 // what a directory takes on the server's disk
	}
	m := e.Modify
	if m.IsZero() {
		return entry
	}
	// A line of `ls -l` has a year or a time of the day, and rarely seconds.
	switch {
	case m.Second() != 0 || m.Nanosecond() != 0:
		entry.Precision = time.Second
	case m.Hour() != 0 || m.Minute() != 0:
		entry.Precision = time.Minute
	default:
		entry.Precision = day
	}
	entry.ModTime = time.Date(m.Year(), m.Month(), m.Day(), m.Hour(), m.Minute(), m.Second(), m.Nanosecond(), zone).UTC()
	return entry
}

// alone has e no longer keep the line that its texts are parts of.
func (e *Entry) alone() {
	for _, s := range []*string{&e.Name, &e.Perm, &e.Unique, &e.Owner, &e.Group, &e.Target} {
		*s = strings.Clone(*s)
	}
}

// size is about what an entry takes.
func (e Entry) size() int {
	return 4*entryOverhead + len(e.Name) + len(e.Perm) + len(e.Unique) + len(e.Owner) + len(e.Group) + len(e.Target)
}

// IsDir reports whether e is a directory.
func (e Entry) IsDir() bool { return e.Type.IsDir() }

// Info returns e as a fs.FileInfo whose Sys is the Entry. Unknown sizes are 0, unknown permissions 0644 or 0755.
func (e Entry) Info() fs.FileInfo { return info{e} }

// DirEntry returns e as a fs.DirEntry.
func (e Entry) DirEntry() fs.DirEntry { return fs.FileInfoToDirEntry(e.Info()) }

// info is an Entry as a fs.FileInfo.
type info struct{ e Entry }

func (i info) Name() string       { return i.e.Name }
func (i info) Size() int64        { return max(i.e.Size, 0) }
func (i info) ModTime() time.Time { return i.e.ModTime }
func (i info) IsDir() bool        { return i.e.IsDir() }
func (i info) Sys() any           { return i.e }

func (i info) Mode() fs.FileMode {
	mode := i.e.Mode.Perm()
	if !i.e.HasMode {
		mode = 0o644
		if i.e.IsDir() {
			mode = 0o755
		}
	}
	switch {
	case i.e.IsDir():
		mode |= fs.ModeDir
	case i.e.Type == ftp.TypeLink:
		mode |= fs.ModeSymlink
	case i.e.Type == ftp.TypeOther:
		mode |= fs.ModeIrregular
	}
	return mode
}
