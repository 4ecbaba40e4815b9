package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	pathpkg "path"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Stat asks for one entry: by MLST, or else by SIZE, MDTM and CWD, which tell no more than type, size and time.
func (c *Conn) Stat(ctx context.Context, path string) (Entry, error) {
	f, err := c.Features(ctx)
	if err != nil {
		return Entry{}, pathError("MLST", path, err)
	}
	if !f.Has("MLST") {
		return c.statBySize(ctx, path)
	}
	r, err := c.want(ctx, "MLST", path)
	if err != nil {
		return Entry{}, missing(err)
	}
	// The facts are the second of three lines, after one space (RFC 3659 §7.2).
	for _, line := range r.Lines {
		if facts, ok := strings.CutPrefix(line, " "); ok {
			if e, err := ftp.ParseFactsLine(facts); err == nil {
				entry := c.factsEntry(e, facts)
				entry.Name = baseName(path)
				if entry.Type.IsDir() {
					entry.Type = ftp.TypeDir
				}
				return entry, nil
			}
		}
	}
	return Entry{}, pathError("MLST", path, fmt.Errorf("%w: no facts in %q", ErrProtocol, r))
}

// baseName is the name that the caller used: servers answer MLST with a name, a path, or a path of their own.
func baseName(path string) string {
	if path == "" {
		return "."
	}
	return pathpkg.Base(path)
}

// statBySize stats with what RFC 3659 §3 and §4 have for files, and CWD for directories.
func (c *Conn) statBySize(ctx context.Context, path string) (Entry, error) {
	entry := Entry{Name: baseName(path), Size: -1}
	results := c.Batch(ctx, []ftp.Command{{Verb: "SIZE", Arg: path}, {Verb: "MDTM", Arg: path}})
	size, sizeErr := sizeOf(results[0])
	modified, timeErr := c.timeOf(results[1])
	for _, err := range []error{sizeErr, timeErr} {
		if err != nil && !isRefusal(err) {
			return Entry{}, err
		}
	}
	if timeErr == nil {
		entry.ModTime, entry.Precision = modified, precision(modified)
	}
	if sizeErr == nil {
		entry.Size = size
		return entry, nil
	}
	// SIZE and MDTM of a directory are refused by most servers, and answered by some.
	dir, err := c.isDir(ctx, path)
	switch {
	case err != nil:
		return Entry{}, err
	case dir:
		entry.Type = ftp.TypeDir
		return entry, nil
	case timeErr == nil:
		return entry, nil // a file, on a server without SIZE
	}
	return Entry{}, missing(sizeErr)
}

// missing takes a refusal that does not say why for one of a thing that does not exist: pure-ftpd's
// "Can't check for file existence", proftpd's "cannot be listed", vsftpd's "Could not get file size".
func missing(err error) error {
	var refused *ftp.Error
	var p *fs.PathError
	if errors.As(err, &refused) && errors.As(err, &p) && refused.Cause == nil && refused.Reply.Code == 550 {
		return pathError(p.Op, p.Path, refused.Because(fs.ErrNotExist))
	}
	return err
}

// isDir reports whether CWD accepts a path, and goes back to where it was. No other call comes in between, whose
// relative path would mean something else.
func (c *Conn) isDir(ctx context.Context, path string) (is bool, err error) {
	there, err := c.line("CWD", path)
	if err != nil {
		return false, pathError("CWD", path, err)
	}
	e, err := c.begin(ctx)
	if err != nil {
		return false, pathError("CWD", path, err)
	}
	defer e.end()
	r, err := e.one("PWD")
	if err != nil || r.Code >= 400 {
		return false, err
	}
	home, ok := c.quoted(r)
	back, bad := c.line("CWD", home)
	if !ok || bad != nil {
		return false, pathError("PWD", "", fmt.Errorf("%w: no path in %q", ErrProtocol, r))
	}
	if r, err = e.one(there); err != nil || r.Code/100 != 2 {
		return false, err
	}
	if r, err = e.one(back); err == nil && r.Code/100 != 2 {
		err = c.breakOff(refusal("CWD", home, r)) // relative paths would mean something else
	}
	return true, err
}

// Size asks SIZE (RFC 3659 §4).
func (c *Conn) Size(ctx context.Context, path string) (int64, error) {
	r, err := c.do(ctx, "SIZE", path)
	if err != nil {
		return 0, err
	}
	return sizeOf(result("SIZE", path, r))
}

func result(verb, path string, r ftp.Reply) Result {
	if r.Code >= 400 {
		return Result{r, refusal(verb, path, r)}
	}
	return Result{Reply: r}
}

func sizeOf(r Result) (int64, error) {
	if r.Err != nil {
		return 0, r.Err
	}
	var n int64
	text, err := value(r.Reply)
	if err == nil {
		n, err = parseSize(text)
	}
	return n, err
}

// value is what a 213 reply tells.
func value(r ftp.Reply) (string, error) {
	if r.Code != 213 || len(r.Lines) == 0 {
		return "", fmt.Errorf("%w: %q instead of a value", ErrProtocol, r)
	}
	return strings.TrimSpace(r.Lines[0]), nil
}
