package pi

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// site (SITE) has CHMOD, UTIME and HELP (RFC 1123 §4.1.2.8: what is not standard goes here).
func (s *session) site(ctx context.Context, r request) (ftp.Reply, error) {
	verb, arg, _ := strings.Cut(r.Arg, " ")
	switch strings.ToUpper(verb) {
	case "HELP":
		return siteHelp(), nil
	case "CHMOD":
		return s.siteChmod(ctx, arg)
	case "UTIME":
		return s.siteUtime(ctx, arg)
	}
	return ftp.Reply{}, ftp.Errorf(502, "SITE knows CHMOD, UTIME and HELP.")
}

// knownSite reports whether site has verb.
func knownSite(verb string) bool {
	verb = strings.ToUpper(verb)
	return verb == "HELP" || verb == "CHMOD" || verb == "UTIME"
}

func siteHelp() ftp.Reply {
	return ftp.Reply{Code: 214, Lines: []string{
		"SITE commands:",
		" SITE CHMOD <sp> octal mode <sp> path",
		" SITE UTIME <sp> YYYYMMDDHHMM[SS] <sp> path",
		" SITE UTIME <sp> path <sp> access <sp> modification <sp> creation time <sp> UTC",
		" SITE HELP",
		"Times are UTC.",
	}}
}

// siteChmod sets permission bits; set-user-ID and its like are refused.
func (s *session) siteChmod(ctx context.Context, arg string) (ftp.Reply, error) {
	octal, name, ok := strings.Cut(arg, " ")
	mode, valid := parseMode(octal)
	if !ok || !valid {
		return ftp.Reply{}, ftp.ErrSyntax
	}
	p, err := s.change(ctx, Chmod, name)
	if err != nil {
		return ftp.Reply{}, err
	}
	if err := s.fs(ctx).Chmod(p, mode); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Replyf(200, "Mode changed."), nil
}

func parseMode(octal string) (fs.FileMode, bool) {
	if len(octal) < 3 || len(octal) > 4 || len(octal) == 4 && octal[0] != '0' {
		return 0, false
	}
	mode := fs.FileMode(0)
	for _, c := range []byte(octal) {
		if c < '0' || c > '7' {
			return 0, false
		}
		mode = mode<<3 | fs.FileMode(c-'0')
	}
	return mode, true
}

// siteUtime sets times in one of the two forms clients send where MFMT is missing:
// "time path", and "path access modification creation UTC".
func (s *session) siteUtime(ctx context.Context, arg string) (ftp.Reply, error) {
	if head, ok := strings.CutSuffix(arg, " UTC"); ok {
		f := strings.Split(head, " ")
		if n := len(f); n >= 4 {
			modified, err := parseUtime(f[n-2])
			_, err1 := parseUtime(f[n-3])
			_, err2 := parseUtime(f[n-1])
			if err == nil && err1 == nil && err2 == nil {
				return s.utime(ctx, modified, strings.Join(f[:n-3], " "))
			}
		}
	}
	stamp, name, ok := strings.Cut(arg, " ")
	when, err := parseUtime(stamp)
	if err != nil || !ok {
		return ftp.Reply{}, ftp.ErrSyntax
	}
	return s.utime(ctx, when, name)
}

func (s *session) utime(ctx context.Context, when time.Time, name string) (ftp.Reply, error) {
	if _, err := s.touch(ctx, when, name); err != nil {
		return ftp.Reply{}, err
	}
	return ftp.Replyf(200, "Time set."), nil
}

// parseUtime reads a time with or without its seconds.
func parseUtime(s string) (time.Time, error) {
	if len(s) == 12 {
		s += "00"
	}
	return ftp.ParseTime(s)
}
