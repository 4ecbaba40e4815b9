package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

func reply(code ftp.Code) error {
	return &ftp.Error{Reply: ftp.Reply{Code: code, Lines: []string{"x"}}}
}

func TestTransient(t *testing.T) {
	for _, x := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("local trouble"), false},
		{fs.ErrPermission, false},
		{reply(421), true},
		{reply(426), true},
		{reply(451), true},
		{reply(550), false},
		{reply(530), false},
		{errors.Join(ftpclient.ErrLogin, reply(530)), false},
		{errors.Join(ftpclient.ErrLogin, reply(421)), true},
		{ftpclient.ErrStalled, true},
		{fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, syscall.ECONNRESET), true},
		{fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, reply(552)), false},
		{fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}), false},
		{fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}), false},
		{fmt.Errorf("%w: %w", ftpclient.ErrIncomplete, &fs.PathError{Op: "write", Path: "x", Err: syscall.ECONNRESET}), true},
		{&net.OpError{Op: "write", Err: syscall.EPIPE}, true},
		{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, true},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, false},
		{io.ErrUnexpectedEOF, true},
		{ftpclient.ErrProtocol, false},
		{x509.UnknownAuthorityError{}, false},
		{&net.DNSError{IsNotFound: true}, false},
		{&net.DNSError{IsTimeout: true}, true},
		{permanent{syscall.ECONNREFUSED}, false},
		{context.Canceled, false},
	} {
		if got := Transient(x.err); got != x.want {
			t.Errorf("%v: %v", x.err, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, tries := time.Now(), 0
		b := Backoff{Retries: 3}
		err := b.Do(t.Context(), func() (bool, error) { tries++; return false, reply(421) })
		took := time.Since(begun)
		if tries != 4 || err == nil || took < 3500*time.Millisecond || took > 7*time.Second+time.Microsecond {
			t.Errorf("%d tries in %v: %v", tries, took, err)
		}
		tries = 0
		_ = b.Do(t.Context(), func() (bool, error) { tries++; return false, reply(550) })
		if tries != 1 {
			t.Errorf("%d tries of what is refused for good", tries)
		}
		tries = 0
		_ = b.Do(t.Context(), func() (bool, error) { tries++; return tries < 10, reply(426) })
		if tries != 12 {
			t.Errorf("%d tries, of which the first 9 got somewhere", tries)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begun, tries = time.Now(), 0
		_ = b.Do(ctx, func() (bool, error) { tries++; return false, reply(421) })
		if tries != 1 || time.Since(begun) != 100*time.Millisecond {
			t.Errorf("%d tries in %v, although the context ended", tries, time.Since(begun))
		}
	})
}
