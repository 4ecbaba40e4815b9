package pi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// form is how a listing shows an entry.
type form uint8

const (
	longForm form = iota // LIST: like `ls -l`
	nameForm             // NLST: the name, as RETR takes it
	factForm             // MLSD: RFC 3659 facts
)

// list (LIST) sends `ls -l` lines; options are accepted and change nothing.
// Dotfiles are always shown, nothing is sorted.
func (s *session) list(ctx context.Context, r request) (ftp.Reply, error) {
	return s.sendListing(ctx, r, longForm)
}

// nlst (NLST) sends names only, in a form that RETR takes (RFC 1123 §4.1.2.7):
// what was listed by a path comes back with that path before it.
func (s *session) nlst(ctx context.Context, r request) (ftp.Reply, error) {
	return s.sendListing(ctx, r, nameForm)
}

// mlsd (MLSD) sends the facts of a directory's entries; of a file it is 501 (RFC 3659 §7.2).
func (s *session) mlsd(ctx context.Context, r request) (ftp.Reply, error) {
	return s.sendListing(ctx, r, factForm)
}

func (s *session) sendListing(ctx context.Context, r request, f form) (ftp.Reply, error) {
	if err := s.ready(); err != nil {
		return ftp.Reply{}, err
	}
	l, err := s.openListing(ctx, r, f)
	if err != nil {
		return ftp.Reply{}, err
	}
	defer l.Close()
	defer func() { s.reportUnsendable(r, l) }()
	if err := l.fill(); err != nil { // an unreadable directory is an error before the 150
		return ftp.Reply{}, err
	}
	return s.download(ctx, r, l, nil, TransferInfo{Path: l.path}, "Here comes the directory listing.")
}

// reportUnsendable tells the log, and nobody else, that a listing is not all there is.
func (s *session) reportUnsendable(r request, l *listing) {
	if l.unsendable > 0 {
		s.fail(r, fmt.Errorf("%s: left out %d names that hold CR, LF or NUL", l.path, l.unsendable))
	}
}

// openListing finds out what is to be listed: a directory, a file, or (LIST and
// NLST) a pattern in the last segment. A name that exists is never a pattern.
func (s *session) openListing(ctx context.Context, r request, f form) (l *listing, err error) {
	arg := r.Arg
	if f != factForm {
		arg = withoutOptions(arg)
	}
	p, err := vfs.Resolve(s.wd, arg)
	if err != nil {
		return nil, err
	}
	l = &listing{
		account: s.account, form: f, facts: s.facts, now: time.Now(),
		path: p, shown: arg, dir: true, batch: firstBatch,
	}
	opened := l
	defer func() {
		if err != nil {
			_ = opened.Close() // err says more
		}
	}()
	fsys := s.fs(ctx)
	dir, name := vfs.Split(p)
	fi, err := l.find(fsys)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f != factForm && isPattern(name):
		if err := checkPattern(name); err != nil {
			return nil, err
		}
		l.path, l.pattern = dir, name
		l.prefix = upToName(strings.TrimRight(arg, "/"))
	case err != nil && s.account.May(Look, p):
		return nil, err
	case err != nil: // what may not be seen is not told from what is missing
		return nil, errDenied
	case fi.IsDir():
		if arg != "" && f == nameForm {
			l.prefix = strings.TrimRight(arg, "/") + "/"
		}
	default:
		if err := s.may(ctx, Look, p); err != nil {
			return nil, err
		}
		switch {
		case f == factForm:
			return nil, ftp.Errorf(501, "MLSD lists directories; ask MLST for a file.")
		case strings.HasSuffix(arg, "/"):
			return nil, vfs.ErrNotDir
		}
		l.prefix = upToName(arg)
		l.path, l.dir, l.single = dir, false, fi
		return l, nil
	}
	if !s.account.May(List, l.path) {
		return nil, errDenied
	}
	if l.file == nil {
		l.file, err = vfs.Directories(fsys).OpenFile(l.path, vfs.ModeRead, 0)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// find looks up what l.path is. Where directories are implied, listing one is how the
// storage finds out: then it comes opened.
func (l *listing) find(fsys fsys) (fs.FileInfo, error) {
	if !vfs.PropertiesOf(fsys, l.path).ImpliedDirs {
		return fsys.Stat(l.path)
	}
	file, err := vfs.Directories(fsys).OpenFile(l.path, vfs.ModeRead, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fsys.Stat(l.path)
	}
	if err != nil {
		return nil, err
	}
	fi, err := file.Stat()
	if err == nil && fi.IsDir() {
		l.file = file
		return fi, nil
	}
	if closeErr := file.Close(); err == nil { // a file, where names mean no directories
		err = closeErr
	}
	return fi, err
}

// upToName is what comes before the last segment of a path as the client wrote it.
func upToName(arg string) string { return arg[:strings.LastIndexByte(arg, '/')+1] }

// withoutOptions drops leading options ("-la"), which clients send where a path belongs.
func withoutOptions(arg string) string {
	for strings.HasPrefix(arg, "-") {
		_, arg, _ = strings.Cut(arg, " ")
		arg = strings.TrimLeft(arg, " ")
	}
	return arg
}
