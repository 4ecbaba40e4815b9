package ftpclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestAbort leaves a download in the middle, in all its ways, and goes on with the same connection.
func TestAbort(t *testing.T) {
	for name, o := range waysToConnect() {
		t.Run(name, func(t *testing.T) {
			s := startOwn(t, nil)
			c := s.dial(t, o)
			big := random(40_000_000)
			store(t, c, "/big", big)
			for range 3 {
				d, err := c.Retrieve(t.Context(), "/big", 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Size(t.Context(), "/big"); !errors.Is(err, ftpclient.ErrBusy) {
					t.Fatal(err)
				}
				if _, err := io.CopyN(io.Discard, d, 1000); err != nil {
					t.Fatal(err)
				}
				if err := d.Close(); !errors.Is(err, ftpclient.ErrAborted) || !errors.Is(err, ftpclient.ErrIncomplete) {
					t.Fatal(err)
				}
				if n, err := c.Size(t.Context(), "/big"); n != int64(len(big)) || err != nil {
					t.Fatal(n, err)
				}
			}
			u, err := c.Store(t.Context(), "/big", 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Write(big[:1000]); err != nil {
				t.Fatal(err)
			}
			if err := u.Abort(); err != nil {
				t.Fatal(err)
			}
			if err := u.Close(); !errors.Is(err, ftpclient.ErrAborted) {
				t.Fatal(err)
			}
			if n, err := c.Size(t.Context(), "/big"); n != int64(len(big)) || err != nil {
				t.Fatal("an aborted upload was published", n, err)
			}
		})
	}
}

// TestCancel ends the context in the middle of transfers.
func TestCancel(t *testing.T) {
	for name, o := range waysToConnect() {
		t.Run(name, func(t *testing.T) {
			s := startOwn(t, nil)
			c := s.dial(t, o)
			big := random(40_000_000)
			store(t, c, "/big", big)
			over := errors.New("over")
			ctx, cancel := context.WithCancelCause(t.Context())
			d, err := c.Retrieve(ctx, "/big", 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, d, 1000); err != nil {
				t.Fatal(err)
			}
			cancel(over)
			if _, err := io.Copy(io.Discard, d); !errors.Is(err, over) {
				t.Fatal(err)
			}
			if err := d.Close(); !errors.Is(err, over) || !errors.Is(err, ftpclient.ErrIncomplete) {
				t.Fatal(err)
			}
			if got := retrieve(t, c, "/big", 39_999_000); !bytes.Equal(got, big[39_999_000:]) {
				t.Fatal("another file")
			}
			ctx, cancel = context.WithCancelCause(t.Context())
			u, err := c.Store(ctx, "/big", 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Write(big[:1000]); err != nil {
				t.Fatal(err)
			}
			cancel(over)
			if err := u.Close(); !errors.Is(err, over) {
				t.Fatal("an upload was completed although its context was over", err)
			}
			if n, err := c.Size(t.Context(), "/big"); n != int64(len(big)) || err != nil {
				t.Fatal(n, err)
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here:", err)
	} else {
		l.Close()
	}
	s := startOwn(t, func(o *ftptest.Options) { o.Address = "::1" })
	for _, o := range []ftpclient.Options{{}, {Active: true}, {NoEPSV: true}} {
		c := s.dial(t, o)
		store(t, c, "/a", []byte("six"))
		if got := retrieve(t, c, "/a", 0); string(got) != "six" {
			t.Errorf("%q", got)
		}
	}
	if a := s.Addr.Addr(); a != netip.IPv6Loopback() {
		t.Fatal(a)
	}
}

// TestSessionsAreResumed has the server demand that data connections resume the control connection's session.
func TestSessionsAreResumed(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			s := startOwn(t, func(o *ftptest.Options) { o.Endpoint.TLS.Reuse = pi.ReuseRequire })
			resumed := 0
			c := s.dial(t, ftpclient.Options{
				Security: ftpclient.Explicit,
				TLS:      &tls.Config{RootCAs: s.authority.Pool, MaxVersion: version},
				Trace: &ftpclient.Trace{Data: func(i ftpclient.DataInfo) {
					if i.TLS != nil && i.TLS.DidResume {
						resumed++
					}
				}},
			})
			for range 20 {
				store(t, c, "/a", []byte("hello"))
				retrieve(t, c, "/a", 0)
			}
			if resumed != 40 {
				t.Errorf("%d of 40 data connections resumed a session", resumed)
			}
		})
	}
}
