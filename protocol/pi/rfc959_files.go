package pi

import (
	"context"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func parent(p string) string {
	dir, _ := vfs.Split(p)
	return dir
}

// statDir looks a directory up; anything else is vfs.ErrNotDir.
func (s *session) statDir(ctx context.Context, dir string) (fs.FileInfo, error) {
	fi, err := vfs.Directories(s.fs(ctx)).Stat(dir)
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, vfs.ErrNotDir
	}
	return fi, nil
}

// pwd (PWD) names the working directory, quoted as RFC 959 appendix II says.
func (s *session) pwd(context.Context, request) (ftp.Reply, error) {
	return ftp.Reply{Code: 257, Lines: []string{ftp.Quote(s.wd) + " is the current directory."}}, nil
}

// mkd (MKD) makes one directory; its parent must be there.
func (s *session) mkd(ctx context.Context, r request) (ftp.Reply, error) {
	if r.path == "/" {
		return ftp.Reply{}, fs.ErrExist
	}
	if err := s.fs(ctx).Mkdir(r.path, vfs.NewDirMode); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Reply{Code: 257, Lines: []string{ftp.Quote(r.path) + " created."}}, nil
}

// rmd (RMD) removes a directory, and only a directory, that is empty.
func (s *session) rmd(ctx context.Context, r request) (ftp.Reply, error) {
	if r.path == "/" {
		return ftp.Reply{}, errDenied
	}
	if _, err := s.statDir(ctx, r.path); err != nil {
		return ftp.Reply{}, err
	}
	if err := vfs.Directories(s.fs(ctx)).Remove(r.path); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Replyf(250, "Directory removed."), nil
}

// dele (DELE) removes a file, or a link that leads nowhere.
func (s *session) dele(ctx context.Context, r request) (ftp.Reply, error) {
	if fi, err := s.fs(ctx).Stat(r.path); err == nil && fi.IsDir() {
		return ftp.Reply{}, vfs.ErrIsDir
	}
	if err := s.fs(ctx).Remove(r.path); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Replyf(250, "File removed."), nil
}

// rnfr (RNFR) names what RNTO will rename; it must be there.
func (s *session) rnfr(ctx context.Context, r request) (ftp.Reply, error) {
	if r.path == "/" {
		return ftp.Reply{}, errDenied
	}
	if _, err := s.fs(ctx).Stat(r.path); err != nil {
		return ftp.Reply{}, err
	}
	s.renameFrom = r.path
	return ftp.Replyf(350, "Ready for RNTO."), nil
}

// rnto (RNTO) renames what the RNFR directly before it named.
func (s *session) rnto(ctx context.Context, r request) (ftp.Reply, error) {
	from := s.renameFrom
	if from == "" {
		return ftp.Reply{}, ftp.Errorf(503, "RNTO needs RNFR directly before it.")
	}
	own := !s.account.Access.All.Has(Rename)
	if err := s.may(ctx, Rename, from); err != nil {
		return ftp.Reply{}, err // it was replaced since RNFR
	}
	if !s.account.Names.join(r.path) {
		return ftp.Reply{}, fs.ErrExist
	}
	defer s.account.Names.release(r.path)
	var err error
	if s.account.mayReplace(r.path) {
		err = s.fs(ctx).Rename(from, r.path)
	} else {
		err = vfs.RenameExclusive(s.fs(ctx), from, r.path)
	}
	if err != nil {
		return ftp.Reply{}, err
	}
	if own {
		s.account.own.forget(from)
		s.remember(ctx, r.path, true)
	}
	return ftp.Replyf(250, "Renamed."), nil
}
