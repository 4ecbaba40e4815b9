package ftpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// TestWords: who runs a program is not told how Go calls what happened, and the program still finds it.
func TestWords(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2121}
	op := func(op, call string, err error) error {
		return &net.OpError{Op: op, Net: "tcp", Source: at, Addr: at, Err: os.NewSyscallError(call, err)}
	}
	day := time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)
	cert := &x509.Certificate{DNSNames: []string{"a.example", "b\x1b.example"}, NotBefore: day.AddDate(0, -1, 0), NotAfter: day}
	for _, x := range []struct {
		err  error
		want string
	}{
		{op("dial", "connect", syscall.ECONNREFUSED), "connection refused"},
		{op("dial", "connect", syscall.EHOSTUNREACH), "no route to host"},
		{op("dial", "connect", syscall.ETIMEDOUT), "no answer in time"},
		{op("read", "read", syscall.ECONNRESET), "connection reset by peer"},
		{op("readfrom", "sendfile", syscall.EPIPE), "the server has closed the connection"},
		{op("close", "shutdown", syscall.ENOTCONN), "the server has closed the connection"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "no answer in time"},
		{io.ErrUnexpectedEOF, "the server has closed the connection"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Name: "x.example", Err: "no such host", Server: "10.0.0.1:53", IsNotFound: true}}, `there is no host called "x.example"`},
		{&net.DNSError{Name: "x.example", Err: "server misbehaving", Server: "10.0.0.1:53"}, `the address of "x.example" could not be found out: server misbehaving`},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "the server's certificate is not signed by an authority that is trusted here"},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: cert, Host: "c.example"}}, "the server's certificate is for a.example, b?.example, not for c.example"},
		{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired}}, "the server's certificate has expired on 2024-02-01"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "what the server sends is not TLS"},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, "the server ended TLS: handshake failure"},
		{context.Canceled, "context canceled"},
		{refusal("RETR", "f", ftp.Reply{Code: 550, Lines: []string{"no"}}), "RETR f: 550 no"},
	} {
		got := InWords(x.err)
		if got.Error() != x.want || !errors.Is(got, x.err) {
			t.Errorf("%v:\n got %q\nwant %q", x.err, got, x.want)
		}
		if again := InWords(fmt.Errorf("more: %w", got)).Error(); again != "more: "+x.want {
			t.Errorf("a second time: %q", again)
		}
	}
}

// refusing is a network in which nothing can be reached.
type refusing struct{}

func (refusing) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// TestProxyWords: that it was the proxy which cannot be reached is told, without its password.
func TestProxyWords(t *testing.T) {
	d, err := Proxy(&url.URL{Scheme: "socks5", Host: "proxy.example", User: url.UserPassword("u", "secret")}, refusing{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Dial(t.Context(), "ftp.example", Options{Dialer: d})
	if err == nil || err.Error() != "ftpclient: proxy proxy.example:1080: connection refused" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}
