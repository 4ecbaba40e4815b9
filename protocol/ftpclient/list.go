package ftpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// List streams a directory, by MLSD or else by LIST. "" is the working directory. An error
// comes last. Leaving the loop early aborts the transfer. Within the loop the connection is busy.
//
// LIST tells of a file what it tells of a directory with that one entry: Stat knows better.
func (c *Conn) List(ctx context.Context, path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, err := c.Features(ctx)
		if err != nil {
			yield(Entry{}, pathError("LIST", path, err))
			return
		}
		if f.Has("MLST") && !c.noMLSD.Load() {
			r, err := c.lineReader(ctx, "MLSD", path)
			if err == nil || !errors.Is(err, errors.ErrUnsupported) {
				entries(r, err, c.parseMLSD, yield)
				return
			}
			c.noMLSD.Store(true)
		}
		now := time.Now()
		wrapped := ""
		list(ctx, c, "LIST", path, func(line string) (Entry, bool) {
			// VMS puts what does not fit behind a long name on the next line.
			if wrapped += line; isWrapped(wrapped) {
				return Entry{}, false
			}
			line, wrapped = wrapped, ""
			return c.parseLIST(line, now)
		}, yield)
	}
}

// list is LIST or NLST, whose argument is no plain path for many servers: "-a" would be options,
// and "[x]" a pattern. Some (vsftpd) show nothing for what does not exist.
func list[T any](ctx context.Context, c *Conn, verb, path string, parse func(line string) (T, bool), yield func(T, error) bool) {
	argument := path
	if strings.HasPrefix(path, "-") {
		argument = "./" + path
	}
	var none T
	var back func() error
	if strings.ContainsAny(path, "*?[]{}~") {
		var err error
		if back, err = c.enter(ctx, path); err != nil {
			yield(none, err)
			return
		}
		argument = ""
	}
	r, err := c.lineReader(ctx, verb, argument)
	n, more := entries(r, err, parse, yield)
	if back != nil {
		if err := back(); err != nil && more {
			yield(none, err)
		}
		return
	}
	if n > 0 || !more || path == "" {
		return
	}
	if dir, err := c.isDir(ctx, path); err != nil {
		yield(none, err)
	} else if !dir {
		yield(none, pathError(verb, path, fs.ErrNotExist))
	}
}

// enter makes a directory the working directory, until back is called.
func (c *Conn) enter(ctx context.Context, path string) (back func() error, err error) {
	home, err := c.WorkingDir(ctx)
	if err == nil {
		err = c.ChangeDir(ctx, path)
	}
	return func() error {
		err := c.ChangeDir(ctx, home)
		if err != nil {
			_ = c.breakOff(err) // relative paths would mean something else
		}
		return err
	}, err
}

// isWrapped reports whether a line is nothing but a name of VMS.
func isWrapped(line string) bool {
	_, version, ok := strings.Cut(line, ";")
	return ok && version != "" && strings.Trim(version, "0123456789") == "" && !strings.Contains(line, " ")
}

// entries yields what parse makes of each line; lines of which it makes nothing are skipped. It
// returns how many lines there were, and whether yield may be called again.
func entries[T any](r *lineReader, err error, parse func(line string) (T, bool), yield func(T, error) bool) (n int, more bool) {
	var none T
	if err != nil {
		yield(none, err)
		return 0, false
	}
	for ; ; n++ {
		line, err := r.next()
		if err == io.EOF { //nolint:errorlint // a wrapped one is a failure, not the end
			return n, true
		}
		if err != nil {
			yield(none, err)
			return n, false
		}
		if e, ok := parse(line); ok && !yield(e, nil) {
			_ = r.d.Abort() // the caller has what it wanted
			return n, false
		}
	}
}

// NameList streams the names of a directory, by NLST, without the directory.
func (c *Conn) NameList(ctx context.Context, path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		list(ctx, c, "NLST", path, func(line string) (string, bool) {
			name := c.decode(line)
			name = name[strings.LastIndexByte(name, '/')+1:] // some servers put the path before it
			return name, isName(name)
		}, yield)
	}
}

// isName reports whether a name from a listing can be one of a directory's entries. A
// server that shows another wants something written elsewhere.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00\r\n")
}

// lineReader reads the lines of a listing while they come.
type lineReader struct {
	d       *Download
	max     int // bytes of a line
	left    int // lines that may still come
	buffer  []byte
	pending []byte // of buffer, not yet returned
	err     error
}

const listBuffer = 32 << 10

func (c *Conn) lineReader(ctx context.Context, verb, path string) (*lineReader, error) {
	t, err := c.open(ctx, verb, path, 0, false)
	if err != nil {
		return nil, err
	}
	return &lineReader{d: &Download{t: t}, max: c.o.MaxLine, left: c.o.MaxEntries, buffer: make([]byte, listBuffer)}, nil
}

// next returns a line without its end: LF, or CR LF. io.EOF comes after a complete transfer only.
func (r *lineReader) next() (string, error) {
	var long []byte // a line that did not fit into the buffer
	for {
		if i := bytes.IndexByte(r.pending, '\n'); i >= 0 {
			line := append(long, r.pending[:i]...)
			r.pending = r.pending[i+1:]
			return r.take(line)
		}
		long = append(long, r.pending...)
		r.pending = nil
		if len(long) > r.max {
			return r.refuse("a line of more than %d bytes", r.max)
		}
		if r.err != nil {
			if r.err == io.EOF && len(long) > 0 { //nolint:errorlint // Download's
				return r.take(long)
			}
			return "", r.err
		}
		var n int
		n, r.err = r.d.Read(r.buffer)
		r.pending = r.buffer[:n]
	}
}

func (r *lineReader) take(line []byte) (string, error) {
	if len(line) > r.max {
		return r.refuse("a line of more than %d bytes", r.max)
	}
	if r.left--; r.left < 0 {
		return r.refuse("more entries than allowed")
	}
	return string(bytes.TrimSuffix(line, []byte{'\r'})), nil
}

func (r *lineReader) refuse(format string, args ...any) (string, error) {
	r.err = fmt.Errorf("%w: "+format, append([]any{ErrTooLong}, args...)...)
	if !r.d.t.closed {
		r.err = r.d.t.abort(r.err)
	}
	r.pending = nil
	return "", r.err
}

func (c *Conn) parseMLSD(line string) (Entry, bool) {
	e, err := ftp.ParseFactsLine(line)
	if err == nil && (e.Type == ftp.TypeCurrentDir || e.Type == ftp.TypeParentDir) {
		return Entry{}, false
	}
	entry := c.factsEntry(e, line)
	if err != nil || !isName(entry.Name) {
		c.skipped(line, entry.Name)
		return Entry{}, false
	}
	return entry, true
}

// skipped tells of a line that is left out, unless it is one that listings begin or end with.
func (c *Conn) skipped(line, name string) {
	trimmed := strings.ToLower(strings.TrimSpace(line))
	ordinary := trimmed == "" || name == "." || name == ".." ||
		strings.HasPrefix(trimmed, "total ") || strings.HasPrefix(trimmed, "directory ")
	if c.o.Trace.Skipped != nil && !ordinary {
		c.o.Trace.Skipped(line)
	}
}

func (c *Conn) parseLIST(line string, now time.Time) (Entry, bool) {
	zone := c.o.TimeZone
	if zone == nil {
		zone = time.UTC
	}
	// The parser takes times as UTC: so the clock there must be of that zone.
	local := now.In(zone)
	_, offset := local.Zone()
	e, err := ftp.ParseListLine(line, now.Add(time.Duration(offset)*time.Second))
	entry := c.listEntry(e, zone)
	if err != nil || !isName(entry.Name) {
		c.skipped(line, entry.Name)
		return Entry{}, false
	}
	return entry, true
}
