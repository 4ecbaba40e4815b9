package ftptest

import (
	"context"
	"strings"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

type ftpCommand = ftp.Command

const guest = "anonymous"

func isGuest(user string) bool {
	return strings.EqualFold(user, guest) || strings.EqualFold(user, "ftp")
}

// Accounts makes the accounts of the tests over one filesystem: rw, readonly,
// dropbox, and anonymous (or ftp), who gets a read-only filesystem as well.
func Accounts(fsys afero.Fs) func(user string) *pi.Account {
	return func(user string) *pi.Account {
		a := &pi.Account{User: user, FS: fsys}
		switch strings.ToLower(user) {
		case "rw":
			a.Access = pi.ReadWrite
		case "readonly":
			a.Access = pi.ReadOnly
		case "dropbox":
			a.Access = pi.DropBox
		case guest, "ftp":
			a.Access, a.Anonymous, a.FS = pi.ReadOnly, true, vfs.ReadOnly(fsys)
		default:
			return nil
		}
		return a
	}
}

// login is the server's LoginFunc: the password is the user's name, and any for anonymous.
func (o *Options) login() pi.LoginFunc {
	account, change := o.Account, o.Change
	if account == nil {
		account = Accounts(o.FS)
	}
	login := o.Login
	if login == nil {
		login = func(_ context.Context, c auth.Credentials) (*pi.Account, error) {
			a := account(c.User)
			if a == nil || !a.Anonymous && c.Password != c.User {
				return nil, auth.ErrDenied
			}
			return a, nil
		}
	}
	return func(ctx context.Context, c auth.Credentials) (*pi.Account, error) {
		a, err := login(ctx, c)
		if a != nil && change != nil {
			change(c.User, a)
		}
		return a, err
	}
}
