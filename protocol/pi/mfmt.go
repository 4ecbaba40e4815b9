package pi

import (
	"context"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// mfmt (MFMT) sets the modification time and tells the one that was really set.
func (s *session) mfmt(ctx context.Context, r request) (ftp.Reply, error) {
	stamp, name, ok := strings.Cut(r.Arg, " ")
	when, err := ftp.ParseTime(stamp)
	if err != nil || !ok {
		return ftp.Reply{}, ftp.ErrSyntax
	}
	return s.touch(ctx, when, name)
}

// touch sets the modification time of name.
func (s *session) touch(ctx context.Context, when time.Time, name string) (ftp.Reply, error) {
	p, err := s.change(ctx, Touch, name)
	if err != nil {
		return ftp.Reply{}, err
	}
	fsys := s.fs(ctx)
	if err := fsys.Chtimes(p, when, when); err != nil {
		return ftp.Reply{}, err
	}
	fi, err := fsys.Stat(p)
	if err != nil {
		return ftp.Reply{}, err
	}
	s.account.own.changed(p, fi)
	return ftp.Reply{Code: 213, Lines: []string{"Modify=" + ftp.FormatTime(fi.ModTime()) + "; " + name}}, nil
}

// change resolves the path of something that is about to be changed by op, and checks the right to.
func (s *session) change(ctx context.Context, op Rights, name string) (string, error) {
	if name == "" {
		return "", ftp.ErrSyntax
	}
	p, err := vfs.Resolve(s.wd, name)
	if err != nil {
		return "", err
	}
	if err := s.may(ctx, op, p); err != nil {
		return "", err
	}
	if strings.HasSuffix(name, "/") {
		_, err = s.statDir(ctx, p)
	}
	return p, err
}
