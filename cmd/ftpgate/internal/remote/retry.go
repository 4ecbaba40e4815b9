package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Backoff says how often to try again, and how long to wait before.
type Backoff struct {
	Retries int           // after the first try; 0: none
	First   time.Duration // before the first retry; it doubles with each; 0: 1 s
	Most    time.Duration // 0: 30 s
	// Again is told before each wait; nil: nobody.
	Again func(err error, wait time.Duration)
}

// Do calls try until it succeeds, fails for good, or has failed too often. A try that returns progress, such as
// bytes that have moved, begins the count of retries again: a long transfer may break more often than a short one.
func (b Backoff) Do(ctx context.Context, try func() (progress bool, err error)) error {
	first, most := b.First, b.Most
	if first <= 0 {
		first = time.Second
	}
	if most <= 0 {
		most = 30 * time.Second
	}
	wait, left := first, b.Retries
	for {
		progress, err := try()
		if err == nil || ctx.Err() != nil || !Transient(err) {
			return err
		}
		if progress {
			wait, left = first, b.Retries
		}
		if left <= 0 {
			return err
		}
		left--
		// Many clients that lost one server at once must not come back at once.
		pause := wait/2 + rand.N(wait/2+1)
		if b.Again != nil {
			b.Again(err, pause)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		wait = min(2*wait, most)
	}
}

// permanent is an error that looks transient and is not.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Transient reports whether the same may work later: what the server calls so (4xx), and what happens to networks. It does
// not if the server, or its certificate, says no.
func Transient(err error) bool {
	var (
		p        permanent
		refused  *ftp.Error
		dns      *net.DNSError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		operr    *net.OpError
		errno    syscall.Errno
		netErr   net.Error
	)
	switch {
	case err == nil, errors.As(err, &p), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &unknown), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &verify),
		errors.As(err, &record), errors.As(err, &alert):
		return false
	case errors.Is(err, ftpclient.ErrLogin), errors.Is(err, ftpclient.ErrNoTLS), errors.Is(err, ftpclient.ErrQuota),
		errors.Is(err, ftpclient.ErrBadName), errors.Is(err, ftpclient.ErrTooLong), errors.Is(err, ftpclient.ErrProtocol):
		// 421 to a login is a full server, not a wrong password.
		return errors.As(err, &refused) && refused.Reply.Code == 421
	case errors.As(err, &refused):
		return refused.Reply.Code/100 == 4
	case errors.As(err, &dns):
		return dns.IsTemporary || dns.IsTimeout
	case errors.Is(err, ftpclient.ErrStalled), errors.Is(err, ftpclient.ErrTimeout), errors.Is(err, ftpclient.ErrBroken),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ETIMEDOUT): // of a socket that is copied to a file
		return true
	case errors.As(err, &operr):
		return operr.Op != "remote error" && operr.Op != "local error" // TLS alerts
	case errors.As(err, &errno): // of this machine: a full disk, a pipe that nobody reads
		return false
	}
	return errors.As(err, &netErr)
}
