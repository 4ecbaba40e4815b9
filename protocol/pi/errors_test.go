package pi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestErrorMap: each sentinel that a package below can return has its reply, wrapped or not.
func TestErrorMap(t *testing.T) {
	table := newTable()
	retr, stor, rnto := table["RETR"], table["STOR"], table["RNTO"]
	for _, c := range []struct {
		err  error
		row  *row
		want ftp.Code
	}{
		{dtp.ErrNotReady, retr, 425},
		{dtp.ErrNoPort, nil, 425},
		{dtp.ErrPeerGone, stor, 425},
		{errNoData, retr, 425},
		{dtp.ErrForeignPeer, nil, 501},
		{dtp.ErrLowPort, nil, 504},
		{dtp.ErrStalled, stor, 426},
		{&dtp.PeerError{Err: syscall.ECONNRESET}, stor, 426},
		{errAborted, stor, 426},
		{errControlLost, stor, 426},
		{errNoClient, stor, 426},
		{errShutdown, stor, 426},
		{ftp.ErrNetworkProtocol, nil, 522},
		{ftp.ErrSyntax, nil, 501},
		{auth.ErrDenied, nil, 530},
		{auth.ErrBusy, nil, 421},
		{fs.ErrNotExist, retr, 550},
		{fs.ErrNotExist, stor, 550},
		{vfs.ErrIsDir, retr, 550},
		{vfs.ErrNotDir, retr, 550},
		{vfs.ErrNotEmpty, nil, 550},
		{vfs.ErrNotRegular, stor, 550},
		{fs.ErrExist, nil, 550},
		{fs.ErrExist, stor, 553},
		{fs.ErrExist, rnto, 553},
		{vfs.ErrBadName, retr, 550},
		{vfs.ErrBadName, stor, 553},
		{vfs.ErrQuota, stor, 552},
		{vfs.ErrNoSpace, stor, 452},
		{vfs.ErrTransient, stor, 450},
		{vfs.ErrBusy, rnto, 450},
		{vfs.ErrUnsupported, stor, 504},
		{fs.ErrPermission, stor, 550},
		{errDenied, stor, 550},
		{fs.ErrInvalid, retr, 550},
		{fs.ErrInvalid, rnto, 553},
		{context.DeadlineExceeded, nil, 450},
		{context.Canceled, nil, 451},
		{errors.New("anything else"), nil, 451},
		{vfs.ErrNoAbort, stor, 451},
		{ftp.Errorf(554, "said by a handler"), stor, 554},
		{ftp.Errorf(554, "said by a handler").Because(fs.ErrNotExist), stor, 554},
	} {
		secret := "/srv/host/path AKIASECRET"
		for _, err := range []error{
			c.err,
			&fs.PathError{Op: "open", Path: secret, Err: c.err},
			fmt.Errorf("%s: %w", secret, c.err),
			errors.Join(errors.New(secret), c.err),
		} {
			r := replyTo(err, &command{row: c.row, Command: ftp.Command{Verb: "X", Arg: "arg"}})
			if r.Code != c.want {
				t.Errorf("%v: %s, want %d", err, r, c.want)
			}
			if strings.Contains(r.String(), "AKIA") || len(r.Lines) != 1 || r.Lines[0] == "" {
				t.Errorf("%v: %s", err, r)
			}
		}
	}
}

// TestBusyNameSaysSo: whoever waited for a name in vain learns that it was the name.
func TestBusyNameSaysSo(t *testing.T) {
	if r := replyTo(fmt.Errorf("S3: %w", vfs.ErrBusy), &command{}).String(); !strings.Contains(r, "in use") {
		t.Errorf("it says %q", r)
	}
}

// TestErrorCauses: a cause that something else also ended with stands in front.
func TestErrorCauses(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	if err := because(ctx, context.Canceled); err != context.Canceled {
		t.Errorf("an error with a context that goes on became %v", err)
	}
	cancel(errAborted)
	for _, err := range []error{context.Canceled, &fs.PathError{Op: "rename", Path: "/a", Err: context.Canceled}} {
		got := because(ctx, err)
		if !errors.Is(got, errAborted) || !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if err := because(ctx, fs.ErrExist); err != fs.ErrExist {
		t.Errorf("an error with a reason of its own became %v", err)
	}
	if err := because(ctx, nil); err != nil {
		t.Errorf("success became %v", err)
	}
}

func TestWorthLogging(t *testing.T) {
	for err, want := range map[error]bool{
		ftp.Errorf(501, "a mistake"):                          true,
		ftp.Errorf(530, "plain"):                              false,
		ftp.Errorf(451, "with a cause").Because(fs.ErrClosed): true,
		errDenied:      false,
		auth.ErrDenied: false,
		vfs.ErrNoSpace: true,
		fs.ErrNotExist: true,
	} {
		if got := worthLogging(err); got != want {
			t.Errorf("worthLogging(%v) = %v", err, got)
		}
	}
}
