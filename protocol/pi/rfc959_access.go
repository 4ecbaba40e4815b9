package pi

import (
	"context"
	"errors"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// user_ (USER) names the user and starts a login over, from any state. The
// account of an earlier login is flushed (RFC 959 §4.1.1). A client whose certificate
// says enough is logged in with it (232, RFC 4217 §4).
func (s *session) user_(ctx context.Context, r request) (ftp.Reply, error) {
	s.logout()
	s.reset()
	if s.secrets == nil && s.needs(r.Arg) > ProtectNothing {
		return ftp.Reply{}, errNeedTLS // before a password is asked for
	}
	if f := s.server.Certified; f != nil && len(s.certified) > 0 && f(r.Arg, s.certified) {
		if err := s.login(ctx, r.Arg, ""); err != nil {
			return ftp.Reply{}, err
		}
		s.noPassword = true
		return ftp.Replyf(232, "User logged in, authorized by certificate."), nil
	}
	s.user = r.Arg
	if guest := s.server.Guest; guest != nil && guest(r.Arg) {
		return ftp.Replyf(331, "Guest login ok, type your email address as password."), nil
	}
	return ftp.Replyf(331, "Password required."), nil
}

// needs is the protection that user must have.
func (s *session) needs(user string) Protection {
	need := s.protection()
	if f := s.server.Needs; f != nil {
		need = max(need, f(user))
	}
	return need
}

// pass (PASS) finishes the login. It directly follows USER (RFC 959 §4.1.1).
func (s *session) pass(ctx context.Context, r request) (ftp.Reply, error) {
	switch {
	case s.noPassword:
		return ftp.Replyf(202, "No password needed."), nil // simple clients always send one
	case s.user == "":
		return ftp.Reply{}, ftp.Errorf(503, "Login with USER first.")
	case !r.HasArg:
		return ftp.Reply{}, ftp.Errorf(501, "PASS requires an argument.")
	}
	if err := s.login(ctx, s.user, r.Arg); err != nil {
		return ftp.Reply{}, err
	}
	if s.account.Anonymous {
		return ftp.Replyf(230, "Anonymous login ok, access restrictions apply."), nil
	}
	return ftp.Replyf(230, "User logged in, proceed."), nil
}

// errNoAccount is a defect of the LoginFunc, and never a login.
var errNoAccount = errors.New("the login yielded neither an account nor an error")

// login asks the server for the account. Too many refusals end the session.
func (s *session) login(ctx context.Context, user, password string) error {
	a, err := s.server.Login(ctx, auth.Credentials{
		User: user, Password: password, Remote: s.info.Remote.Addr(), Certified: s.certified,
	})
	switch {
	case a == nil && err == nil:
		err = errNoAccount
	case a != nil && a.Require > ProtectNothing && s.secrets == nil:
		if a.Close != nil {
			a.Close()
		}
		err = errNeedTLS
	}
	if t := s.server.Trace; t != nil && t.Login != nil {
		t.Login(s.info, user, err)
		s.told = err != nil
	}
	if err != nil {
		if s.failedLogins++; s.failedLogins >= s.limits.LoginAttempts && !errors.Is(err, auth.ErrBusy) {
			return ftp.Errorf(421, "Too many failed logins, closing control connection.")
		}
		return err
	}
	s.account = a
	s.info.User = a.User
	s.wd = "/"
	return nil
}

// acct (ACCT) is superfluous: no user has a second account.
func (s *session) acct(context.Context, request) (ftp.Reply, error) {
	return ftp.Replyf(202, "No account needed."), nil
}

// rein (REIN) puts the session back to where it was after the greeting.
func (s *session) rein(context.Context, request) (ftp.Reply, error) {
	if s.secrets != nil {
		// RFC 4217 §13 wants the control connection clear again afterwards: no.
		return ftp.Reply{}, ftp.Errorf(502, "REIN is not available under TLS, reconnect instead.")
	}
	s.logout()
	s.reset()
	return ftp.Replyf(220, "Ready for a new user."), nil
}

// bye (QUIT) comes after everything sent before it has finished.
func (s *session) bye(context.Context, request) (ftp.Reply, error) {
	return ftp.Replyf(221, "Goodbye."), nil
}

// cwd (CWD) only looks the directory up; it never lists it.
func (s *session) cwd(ctx context.Context, r request) (ftp.Reply, error) {
	return s.chdir(ctx, r.path)
}

// cdup (CDUP) goes up one directory; at the root it stays.
func (s *session) cdup(ctx context.Context, r request) (ftp.Reply, error) {
	up := parent(s.wd)
	if err := s.may(ctx, r.row.needs, up); err != nil {
		return ftp.Reply{}, err
	}
	return s.chdir(ctx, up)
}

func (s *session) chdir(ctx context.Context, dir string) (ftp.Reply, error) {
	if _, err := s.statDir(ctx, dir); err != nil {
		return ftp.Reply{}, err
	}
	s.wd = dir
	return ftp.Replyf(250, "Directory changed to "+shown(dir)), nil
}
