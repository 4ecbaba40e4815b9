package pi

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// gate refuses what needs no look at storage.
func (s *session) gate(c *command) error {
	r := c.row
	switch {
	case c.bad != nil:
		return s.stranger(c.bad)
	case r == nil && s.account == nil && strings.Contains(c.Arg, "HTTP/"):
		return ftp.Errorf(421, "This is not a web server.")
	case r == nil && s.account == nil && c.Verb == "PROXY":
		return ftp.Errorf(421, "PROXY headers are not accepted from your address.")
	case r == nil:
		return s.stranger(ftp.Errorf(500, "Unknown command."))
	case s.account == nil && !r.beforeLogin:
		return ftp.Errorf(530, "Please login with USER and PASS.")
	case !r.has(s.endpoint):
		return ftp.Errorf(502, "Command %s not implemented.", r.verb)
	case c.aborted:
		return errAborted
	case r.arg == argNone && c.HasArg:
		return ftp.Errorf(501, "%s takes no argument.", r.verb)
	case (r.arg == argText || r.arg == argPath) && c.Arg == "":
		return ftp.Errorf(501, "%s requires an argument.", r.verb)
	}
	return nil
}

// resolve makes the clean path of a path argument and checks the right to use it.
func (s *session) resolve(ctx context.Context, c *command) (string, error) {
	r := c.row
	if r.arg != argPath && r.arg != argOptionalPath {
		return "", nil
	}
	p, err := vfs.Resolve(s.wd, c.Arg)
	if err != nil {
		return "", err
	}
	if r.needs != 0 {
		if err := s.may(ctx, r.needs, p); err != nil {
			return "", err
		}
	}
	switch {
	case r.needs&(Create|Mkdir) != 0 && c.Arg != "" && s.mayMake(p) != nil:
		return "", errNameDenied
	case r.file && (strings.HasSuffix(c.Arg, "/") || p == "/"):
		return "", vfs.ErrIsDir
	}
	return p, nil
}

// may returns errDenied unless the account may do op to path. Where it may do so to its own files
// only, the file there must still be the one this session completed; if that cannot be found
// out, the error says why. One's own held partial may always be asked for its size.
func (s *session) may(ctx context.Context, op Rights, path string) error {
	a := s.account
	if a.Access.All.Has(op) {
		return nil
	}
	err := error(errDenied)
	if a.May(op, path) {
		if err = s.owns(ctx, path); err == nil {
			return nil
		}
	}
	if op == Look && s.held(ctx, path) >= 0 {
		return nil
	}
	return err
}

// owns returns errDenied, and forgets the path, unless what stands there is what this session has stored.
func (s *session) owns(ctx context.Context, path string) error {
	fi, err := s.fs(ctx).Stat(path)
	switch {
	case err == nil && s.account.own.is(path, fi):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err // it may still be there
	}
	s.account.own.forget(path)
	return errDenied
}

// held returns the size of the partial upload held under path, or -1.
func (s *session) held(ctx context.Context, path string) int64 {
	if s.account.ResumeWindow <= 0 || !(s.account.Access.All).Has(Create) {
		return -1
	}
	if n, err := vfs.Held(s.fs(ctx), path); err == nil {
		return n
	}
	return -1
}

// stranger answers what is not FTP; before login only so often, since a browser
// can be made to send somebody else's words (THREATS 8).
func (s *session) stranger(e *ftp.Error) error {
	if s.account == nil {
		if s.strangers++; s.strangers >= maxStrangerVerbs {
			return ftp.Errorf(421, "Too many unknown commands, closing control connection.")
		}
	}
	return e
}
