package pi

import (
	"context"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// size (SIZE) is exact or 550 (RFC 3659 §4), so under an explicit TYPE A it is 550.
func (s *session) size(ctx context.Context, r request) (ftp.Reply, error) {
	if s.ascii() {
		return ftp.Reply{}, ftp.Errorf(550, "SIZE needs TYPE I: the length of converted text is not known.")
	}
	n := s.held(ctx, r.path)
	if n < 0 {
		fi, err := s.statFile(ctx, r.path)
		if err != nil {
			return ftp.Reply{}, err
		}
		n = fi.Size()
	}
	return ftp.Reply{Code: 213, Lines: []string{strconv.FormatInt(n, 10)}}, nil
}

// statFile looks a regular file up.
func (s *session) statFile(ctx context.Context, name string) (fs.FileInfo, error) {
	fi, err := s.fs(ctx).Stat(name)
	switch {
	case err != nil:
		return nil, err
	case fi.IsDir():
		return nil, vfs.ErrIsDir
	case !fi.Mode().IsRegular():
		return nil, vfs.ErrNotRegular
	}
	return fi, nil
}

// mdtm (MDTM) tells the modification time or, by custom, sets it when a time comes
// before the path. A file whose name looks like that is meant literally.
func (s *session) mdtm(ctx context.Context, r request) (ftp.Reply, error) {
	p, err := vfs.Resolve(s.wd, r.Arg)
	if err != nil {
		return ftp.Reply{}, err
	}
	if first, rest, ok := strings.Cut(r.Arg, " "); ok && rest != "" {
		if when, err := ftp.ParseTime(first); err == nil {
			if _, err := s.fs(ctx).Stat(p); err != nil {
				return s.touch(ctx, when, rest)
			}
		}
	}
	fi, err := s.fs(ctx).Stat(p)
	if err != nil || !fi.IsDir() || !s.account.May(List, p) {
		if denied := s.may(ctx, r.row.needs, p); denied != nil {
			return ftp.Reply{}, denied
		}
	}
	switch {
	case err != nil:
		return ftp.Reply{}, err
	case strings.HasSuffix(r.Arg, "/") && !fi.IsDir():
		return ftp.Reply{}, vfs.ErrNotDir
	}
	return ftp.Reply{Code: 213, Lines: []string{ftp.FormatTime(fi.ModTime())}}, nil
}

// mlst (MLST) tells the facts of one thing on the control connection, with its full path.
func (s *session) mlst(ctx context.Context, r request) (ftp.Reply, error) {
	p := r.path
	denied := s.may(ctx, Look, p)
	fsys := s.fs(ctx)
	if strings.HasSuffix(r.Arg, "/") {
		fsys = vfs.Directories(fsys)
	}
	fi, err := fsys.Stat(p)
	held := s.held(ctx, p)
	switch {
	case err == nil && fi.IsDir() && s.account.May(List, p):
	case denied != nil:
		return ftp.Reply{}, denied
	case err != nil && held < 0:
		return ftp.Reply{}, err
	case err == nil && strings.HasSuffix(r.Arg, "/") && !fi.IsDir():
		return ftp.Reply{}, vfs.ErrNotDir
	}
	var e ftp.Entry
	if err == nil {
		identify(&e, fi, s.facts)
		e.Perm = permFact(s.account, p, fi.IsDir())
	} else {
		e = ftp.Entry{Type: ftp.TypeFile, Modify: time.Now(), Mode: vfs.NewFileMode, Perm: "aw"}
	}
	if held >= 0 {
		e.Size = held
	}
	e.Name = p
	line := string(ftp.AppendFacts(nil, &e, s.facts))
	return ftp.Reply{Code: 250, Lines: []string{"Listing " + p, " " + line, "End"}}, nil
}
