package ftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// failure is an error of the contract, with the server's own words for the log. They
// are in its text only: an *ftp.Error in the chain would be sent to the client.
type failure struct {
	is    []error
	cause string
}

func (f *failure) Error() string   { return f.is[0].Error() + ": " + f.cause }
func (f *failure) Unwrap() []error { return f.is }

// contract are the errors that are passed on as they are. Their order is that of the more telling.
var contract = []error{
	vfs.ErrNotEmpty, vfs.ErrIsDir, vfs.ErrNotDir, vfs.ErrNotRegular, vfs.ErrBadName, vfs.ErrQuota, vfs.ErrNoSpace, vfs.ErrTransient,
	vfs.ErrUnsupported, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed,
}

// translate makes an error of the contract of one of ftpclient. ctx is that of the operation.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var done *failure
	if errors.As(err, &done) {
		return err
	}
	if e := ctx.Err(); e != nil {
		return failed(err, e, context.Cause(ctx))
	}
	var refused *ftp.Error
	switch is := func(target error) bool { return errors.Is(err, target) }; {
	case is(ftpclient.ErrNotEmpty):
		return failed(err, vfs.ErrNotEmpty)
	case is(ftpclient.ErrBadName):
		return failed(err, vfs.ErrBadName)
	case is(ErrLogin):
		return notLetIn(err)
	case errors.As(err, &refused):
		return failed(err, meaning(refused))
	}
	for _, e := range contract {
		if errors.Is(err, e) {
			return err
		}
	}
	return failed(err, vfs.ErrTransient) // the network, or a server that is no FTP server
}

// ErrLogin: the server has refused user or password for good.
var ErrLogin = ftpclient.ErrLogin

// notLetIn is for who uses the gateway, and has not chosen its login, a trouble that passes: a sender
// that is told "permission denied" does not come back with its file.
func notLetIn(err error) error {
	f := failed(fmt.Errorf("the server does not let the gateway log in; check user and password, and that it allows max_connections: %w", err), vfs.ErrTransient)
	if refused := (*ftp.Error)(nil); errors.As(err, &refused) && refused.Reply.Code/100 == 5 {
		f.is = append(f.is, ErrLogin)
	}
	return f
}

// meaning is what a refusal means where nothing was found by looking.
func meaning(r *ftp.Error) error {
	switch code := r.Reply.Code; {
	case code == 452:
		return vfs.ErrNoSpace
	case code == 552, errors.Is(r, ftpclient.ErrQuota):
		return vfs.ErrQuota
	case code/100 == 4:
		return vfs.ErrTransient
	case code == 500, code == 502, code == 504:
		return vfs.ErrUnsupported
	case errors.Is(r, fs.ErrNotExist):
		return fs.ErrNotExist
	case errors.Is(r, fs.ErrExist):
		return fs.ErrExist
	}
	return fs.ErrPermission
}

// isRefusal reports whether the server has said no to what was asked, for good.
func isRefusal(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused) && refused.Reply.Code != 421
}

// because is err with a reason that was found by looking.
func because(reason, err error) error { return failed(err, reason) }

// failed is a failure with the text of err.
func failed(err error, is ...error) *failure {
	return &failure{is, words(err)}
}

// words are the text of err on one line, without the names of packages.
func words(err error) string {
	return strings.ReplaceAll(strings.ReplaceAll(err.Error(), "ftpclient: ", ""), "\n", ": ") // errors.Join
}

// why finds the reason for a refusal to make name, of which taken is the error if it exists.
func (f filesystem) why(c *ftpclient.Conn, name string, taken, err error) error {
	if !isRefusal(err) || !c.Usable() {
		return err
	}
	e, looked := f.stat(c, name)
	switch {
	case looked == nil && taken != nil && (e.IsDir() || errors.Is(taken, fs.ErrExist)):
		return because(taken, err)
	case looked == nil || !errors.Is(looked, fs.ErrNotExist):
		return err
	}
	if missing := f.parent(c, name); missing != nil {
		return because(missing, err)
	}
	return err
}

// parent is what is wrong with the directory of a name: vfs.ErrNotDir, fs.ErrNotExist, or nil if it is there.
func (f filesystem) parent(c *ftpclient.Conn, name string) error {
	dir, _ := vfs.Split(name)
	if dir == "/" {
		return nil
	}
	e, err := f.stat(c, dir)
	switch {
	case err == nil && e.IsDir():
		return nil
	case err == nil:
		return vfs.ErrNotDir
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if above := f.parent(c, dir); above != nil {
		return above
	}
	return fs.ErrNotExist
}
