package ftpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// worded is an error in words for who runs the program. What it wraps is for errors.Is and errors.As.
type worded struct {
	text string
	err  error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.err }

// InWords words an error of the network or of TLS for people who do not know how Go calls them. Others stay as they are.
func InWords(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	var own *worded
	var text string
	switch {
	case err == nil, errors.As(err, &own):
		return err
	case errors.As(err, &dns):
		text = dnsWords(dns)
	default:
		text = tlsWords(err)
	}
	switch {
	case text != "":
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ENOTCONN),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		text = "the server has closed the connection"
	case errors.Is(err, context.Canceled), errors.Is(err, ErrTimeout), errors.Is(err, ErrStalled):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		text = "no answer in time"
	case errors.As(err, &op):
		text = op.Err.Error()
		if call := (*os.SyscallError)(nil); errors.As(op.Err, &call) {
			text = call.Err.Error()
		}
	default:
		return err
	}
	return &worded{text, err}
}

func dnsWords(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return fmt.Sprintf("there is no host called %q", e.Name)
	case e.IsTimeout:
		return fmt.Sprintf("no name server told the address of %q in time", e.Name)
	}
	return fmt.Sprintf("the address of %q could not be found out: %s", e.Name, e.Err)
}

// tlsWords are those of an error of TLS; "" if it is none.
func tlsWords(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &unknown):
		return "the server's certificate is not signed by an authority that is trusted here"
	case errors.As(err, &name):
		return wrongName(name)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if now := time.Now(); now.Before(invalid.Cert.NotBefore) {
			return "the server's certificate is not valid before " + invalid.Cert.NotBefore.Format(time.DateOnly)
		}
		return "the server's certificate has expired on " + invalid.Cert.NotAfter.Format(time.DateOnly)
	case errors.As(err, &invalid):
		return "the server's certificate is not valid: " + strings.TrimPrefix(invalid.Error(), "x509: ")
	case errors.As(err, &record):
		return "what the server sends is not TLS"
	case errors.As(err, &op) && op.Op == "remote error":
		return "the server ended TLS: " + strings.TrimPrefix(op.Err.Error(), "tls: ")
	case errors.As(err, &op) && op.Op == "local error":
		return "the server's TLS is not acceptable: " + strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	return ""
}

// wrongName says which names a certificate has, as far as that is short.
func wrongName(e x509.HostnameError) string {
	var names []string
	if e.Certificate != nil {
		names = append(names, e.Certificate.DNSNames...)
		for _, ip := range e.Certificate.IPAddresses {
			names = append(names, ip.String())
		}
	}
	const most = 5
	switch n := len(names); {
	case n == 0:
		return fmt.Sprintf("the server's certificate is not for %s, and has no other name that counts either", e.Host)
	case n > most:
		names = append(names[:most:most], fmt.Sprintf("%d more", n-most))
	}
	return fmt.Sprintf("the server's certificate is for %s, not for %s", strings.Map(printable, strings.Join(names, ", ")), e.Host)
}
