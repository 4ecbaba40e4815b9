package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestPlainErrors: what is told names each thing once, and no function of Go's.
func TestPlainErrors(t *testing.T) {
	refused := &fs.PathError{Op: "STOR", Path: "d/f", Err: ftp.Errorf(550, "No.")}
	full := &fs.PathError{Op: "write", Path: "d/f", Err: os.NewSyscallError("splice", syscall.ENOSPC)}
	for _, x := range []struct {
		what string
		err  error
		want string
	}{
		{"ftp://h/d/f", refused, "STOR: 550 No."},
		{"d/f", refused, "STOR: 550 No."},
		{"ftp://h/other", refused, "STOR d/f: 550 No."},
		{"", refused, "STOR d/f: 550 No."},
		{"d/f", &transfer.KeptError{Err: refused, Bytes: 7}, "STOR: 550 No. (7 bytes are kept; --continue goes on with them)"},
		{"d/f", fmt.Errorf("%w; more", refused), "STOR: 550 No.; more"},
		{"d/f", &fs.PathError{Op: "RETR", Path: "d/f", Err: fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, full)}, "RETR: transfer incomplete: write d/f: no space left on device"},
		{"", &fs.PathError{Op: "openat", Path: "x", Err: syscall.ENOENT}, "x: no such file or directory"},
		{"", errors.New("a\x1b[31m"), "a?[31m"},
	} {
		if got := plain(once(x.what, x.err)).Error(); got != x.want {
			t.Errorf("%s: %v:\n got %q\nwant %q", x.what, x.err, got, x.want)
		}
	}
	if !errors.Is(once("d/f", refused), refused.Err) {
		t.Error("what it was is lost")
	}
}
