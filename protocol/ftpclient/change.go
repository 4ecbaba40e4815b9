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

// Rename renames (RNFR, RNTO; RFC 959 §4.1.3). What happens if the new name is taken is the server's choice.
func (c *Conn) Rename(ctx context.Context, from, to string) error {
	return c.pair(ctx, from, to, "RNFR", "RNTO")
}

// pair sends two commands, the second only after a 350 for the first: some servers apply it to what an earlier
// RNFR left behind.
func (c *Conn) pair(ctx context.Context, from, to, first, second string) error {
	line1, err := c.line(first, from)
	if err != nil {
		return pathError(first, from, err)
	}
	line2, err := c.line(second, to)
	if err != nil {
		return pathError(second, to, err)
	}
	e, err := c.begin(ctx)
	if err != nil {
		return pathError(first, from, err)
	}
	defer e.end()
	if err := e.send(line1); err != nil {
		return pathError(first, from, err)
	}
	r, err := e.small(line1)
	switch {
	case err != nil:
		return pathError(first, from, err)
	case r.Code/100 != 3:
		return refusal(first, from, r)
	}
	if ctx.Err() != nil { // the second has not been sent, and the connection cannot do without: see forgettable
		return pathError(second, to, c.breakOff(context.Cause(ctx)))
	}
	if err := e.send(line2); err != nil {
		return pathError(second, to, err)
	}
	r, err = e.small(line2)
	switch {
	case err != nil:
		return pathError(second, to, err)
	case r.Code/100 != 2:
		return refusal(second, to, r)
	}
	return nil
}

// Delete removes a file (DELE).
func (c *Conn) Delete(ctx context.Context, path string) error {
	_, err := c.want(ctx, "DELE", path)
	return err
}

// MakeDir makes a directory (MKD) and returns the path that the server tells, or else path.
func (c *Conn) MakeDir(ctx context.Context, path string) (string, error) {
	r, err := c.want(ctx, "MKD", path)
	if err != nil {
		return "", err
	}
	if made, ok := c.quoted(r); ok {
		return made, nil
	}
	return path, nil
}

// quoted is the path in a 257 reply.
func (c *Conn) quoted(r ftp.Reply) (string, bool) {
	if r.Code != 257 {
		return "", false
	}
	path, ok := ftp.Unquote(r.Lines[0])
	return c.decode(path), ok && path != ""
}

// MakeDirAll makes a directory and its parents; those that are there already are no error.
func (c *Conn) MakeDirAll(ctx context.Context, path string) error {
	var missing []string
	for p := pathpkg.Clean(path); p != "/" && p != "."; p = pathpkg.Dir(p) {
		_, err := c.MakeDir(ctx, p)
		if err == nil {
			break
		}
		if !isRefusal(err) {
			return err
		}
		if there, err := c.isDir(ctx, p); err != nil {
			return err
		} else if there {
			break
		}
		if pathpkg.Dir(p) == "/" || pathpkg.Dir(p) == "." || errors.Is(err, fs.ErrPermission) {
			return err
		}
		missing = append(missing, p)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if _, err := c.MakeDir(ctx, missing[i]); err != nil {
			return err
		}
	}
	return nil
}

// isRefusal reports whether err is the server's answer, and the connection as good as before.
func isRefusal(err error) bool {
	var e *ftp.Error
	return errors.As(err, &e) && e.Reply.Code != 421
}

// Chmod sets permission bits (SITE CHMOD).
func (c *Conn) Chmod(ctx context.Context, path string, mode fs.FileMode) error {
	_, err := c.want(ctx, fmt.Sprintf("SITE CHMOD %03o", mode.Perm()), path)
	return err
}

// Copy copies on the server (SITE CPFR and CPTO, or SITE COPY); errors.ErrUnsupported if it cannot.
func (c *Conn) Copy(ctx context.Context, from, to string) error {
	err := c.pair(ctx, from, to, "SITE CPFR", "SITE CPTO")
	if !errors.Is(err, errors.ErrUnsupported) || strings.ContainsAny(from+to, " ") {
		return err
	}
	_, err = c.want(ctx, "SITE COPY", from+" "+to)
	return err
}

// WorkingDir asks PWD.
func (c *Conn) WorkingDir(ctx context.Context) (string, error) {
	r, err := c.want(ctx, "PWD", "")
	if err != nil {
		return "", err
	}
	if path, ok := c.quoted(r); ok {
		return path, nil
	}
	return "", pathError("PWD", "", fmt.Errorf("%w: no path in %q", ErrProtocol, r))
}

// ChangeDir sends CWD; it moves what relative paths mean.
func (c *Conn) ChangeDir(ctx context.Context, path string) error {
	_, err := c.want(ctx, "CWD", path)
	return err
}
