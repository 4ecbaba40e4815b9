package pi

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Directories are read in batches: a small one first, so that the first byte is
// early, then as many entries as make a write that is worth its system call.
const (
	firstBatch = 64
	nextBatch  = 1024
)

// listing formats a directory while it is being sent: an io.Reader whose memory
// does not grow with the directory.
type listing struct {
	account *Account
	form    form
	facts   ftp.Facts
	now     time.Time
	path    string // the directory that is read
	shown   string // what is listed, as the client wrote it
	prefix  string // goes before each name
	pattern string // only names that match, if not empty
	dir     bool   // a directory's entries, not a single file
	single  fs.FileInfo
	limit   int  // at most so many entries, if not 0
	cut     bool // there were more

	unsendable int // names with CR, LF or NUL, left out

	file  afero.File // the directory; nil for a single file
	batch int
	count int
	buf   []byte // formatted
	off   int    // ... of which so much has been read
	done  bool
	perms perms
}

// Close releases the directory.
func (l *listing) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// Read gives what is formatted, and formats the next batch when there is nothing left.
func (l *listing) Read(p []byte) (int, error) {
	for l.off == len(l.buf) {
		if l.done {
			return 0, io.EOF
		}
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.buf[l.off:])
	l.off += n
	return n, nil
}

// fill formats the next batch. Calling it while there is something left is harmless.
func (l *listing) fill() error {
	if l.off < len(l.buf) || l.done {
		return nil
	}
	l.buf, l.off = l.buf[:0], 0
	if l.file == nil {
		l.done = true
		l.add(l.single)
		return nil
	}
	entries, err := l.file.Readdir(l.batch)
	l.batch = nextBatch
	for _, fi := range entries {
		l.add(fi)
	}
	switch {
	case errors.Is(err, io.EOF), err == nil && len(entries) == 0:
		l.done = true
	case err != nil:
		return err
	}
	return nil
}

// add formats one entry if the account may see it and the pattern wants it.
func (l *listing) add(fi fs.FileInfo) {
	name := fi.Name()
	if strings.ContainsAny(name, "\x00\r\n") {
		l.unsendable++ // such a name cannot be sent back, or on a line at all
		return
	}
	if !fi.IsDir() && !l.account.Access.All.Has(Look) && !l.account.own.is(vfs.Join(l.path, name), fi) {
		return
	}
	if l.pattern != "" && !match(l.pattern, name) {
		return
	}
	if l.limit > 0 && l.count >= l.limit {
		l.cut, l.done = true, true
		return
	}
	l.count++
	if l.form == nameForm {
		l.buf = append(append(append(l.buf, l.prefix...), name...), "\r\n"...)
		return
	}
	var e ftp.Entry
	e.Name = name
	if l.prefix != "" {
		e.Name = l.prefix + name
	}
	if l.form == longForm {
		describe(&e, fi)
		l.buf = ftp.AppendList(l.buf, &e, l.now)
		return
	}
	if l.facts&ftp.FactPerm != 0 {
		e.Perm = l.perms.of(l.account, l.path, fi)
	}
	identify(&e, fi, l.facts)
	l.buf = append(ftp.AppendFacts(l.buf, &e, l.facts), "\r\n"...)
}
