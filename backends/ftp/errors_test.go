package ftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestRepliesAreNotPassedOn: what a server has said is in the text for the log, and never found as an *ftp.Error, which
// would be the reply to the client.
func TestRepliesAreNotPassedOn(t *testing.T) {
	for _, x := range []struct {
		code  ftp.Code
		cause error
		want  error
	}{
		{550, nil, fs.ErrPermission},
		{550, fs.ErrNotExist, fs.ErrNotExist},
		{553, fs.ErrPermission, fs.ErrPermission},
		{550, ftpclient.ErrNotEmpty, vfs.ErrNotEmpty},
		{552, ftpclient.ErrQuota, vfs.ErrQuota},
		{452, ftpclient.ErrQuota, vfs.ErrNoSpace},
		{451, nil, vfs.ErrTransient},
		{421, nil, vfs.ErrTransient},
		{502, errors.ErrUnsupported, vfs.ErrUnsupported},
		{530, fs.ErrPermission, fs.ErrPermission},
	} {
		refused := ftp.Errorf(x.code, "words of the server").Because(x.cause)
		for _, err := range []error{
			refused, &fs.PathError{Op: "STOR", Path: "/f", Err: refused}, fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, refused),
		} {
			got := translate(t.Context(), err)
			if !errors.Is(got, x.want) {
				t.Errorf("%d, %v: %v is not %v", x.code, x.cause, got, x.want)
			}
			if errors.As(got, &refused) {
				t.Errorf("%d: the reply is in the chain of %v", x.code, got)
			}
			if !strings.Contains(got.Error(), "words of the server") {
				t.Errorf("%d: the log would have only %v", x.code, got)
			}
		}
	}
	for code, refused := range map[ftp.Code]bool{530: true, 421: false} {
		got := translate(t.Context(), errors.Join(ftpclient.ErrLogin, ftp.Errorf(code, "Sorry.")))
		if !errors.Is(got, vfs.ErrTransient) || errors.Is(got, fs.ErrPermission) || errors.Is(got, ErrLogin) != refused || !strings.Contains(got.Error(), "log in") {
			t.Errorf("a login that ends in %d is %v", code, got)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ours := errors.New("the client has gone")
	cancel(ours)
	if got := translate(ctx, ftpclient.ErrBroken); !errors.Is(got, context.Canceled) || !errors.Is(got, ours) {
		t.Errorf("%v says neither that it was cancelled nor why", got)
	}
	if got := translate(t.Context(), errors.New("no route to host")); !errors.Is(got, vfs.ErrTransient) {
		t.Errorf("%v is not worth another try", got)
	}
}
