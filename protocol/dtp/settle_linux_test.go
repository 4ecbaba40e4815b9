package dtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A peer that sends something during its download gets the whole file all the same: closing a socket with
// something unread, or one that something comes to afterwards, throws away what is queued.
func TestSendingPeerGetsAll(t *testing.T) {
	for name, x := range map[string]struct {
		late bool // it sends when everything is queued, otherwise before that
		tls  bool
	}{
		"early":      {},
		"late":       {late: true},
		"early, TLS": {tls: true},
		"late, TLS":  {late: true, tls: true},
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			want := noise(queued)
			server, client := narrow(t)
			tr := &Transfer{Conn: server, Stall: patience}
			var from net.Conn = client
			if x.tls {
				from = encrypted(t, tr, client)
			}
			speak := func() {
				var err error
				if c, ok := from.(*tls.Conn); ok {
					err = c.CloseWrite() // as TLS 1.3 lets clients do at any time
				} else {
					_, err = client.Write([]byte("junk"))
				}
				if err != nil {
					t.Error(err)
				}
			}
			if !x.late {
				speak()
				eventually(t, "it has come", func() bool { return unreadOn(server) })
			}
			result := make(chan error, 1)
			go func() {
				err := tr.Send(t.Context(), bytes.NewReader(want), nil)
				result <- errors.Join(err, tr.Close())
			}()
			if x.late {
				eventually(t, "all is queued", func() bool { return tr.Bytes() == int64(len(want)) })
				speak()
			}
			if got, err := io.ReadAll(from); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes arrived: %v", len(got), err)
			}
			if err := <-result; err != nil {
				t.Error(err)
			}
		})
	}
}

// A wait for the rest ends with the context and with the stall, and a peer that only sends is
// none that receives.
func TestSettleEnds(t *testing.T) {
	for name, x := range map[string]struct {
		stall time.Duration
		sends bool
		want  error
	}{
		"cancelled":             {patience, false, errCancelled},
		"stalled":               {3 * interval, false, ErrStalled},
		"stalled while sending": {3 * interval, true, ErrStalled},
	} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			server, client := narrow(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			tr := &Transfer{Conn: server, Stall: x.stall}
			result := make(chan error, 1)
			go func() { result <- tr.Send(ctx, bytes.NewReader(noise(queued)), nil) }()
			eventually(t, "all is queued", func() bool { return tr.Bytes() == queued })
			if x.want == errCancelled { //nolint:errorlint // of the table
				cancel(errCancelled)
			}
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for x.sends {
					if _, err := client.Write([]byte("junk")); err != nil {
						return
					}
				}
			}()
			if err := <-result; !errors.Is(err, x.want) {
				t.Error(err)
			}
			tr.Close()
			<-sent
		})
	}
}

var errCancelled = errors.New("cancelled by the test")

// queued is more than what a client's kernel takes before the client reads, and less than what the
// server's keeps for it: net.core.wmem_max is 208 KiB on most machines, and twice that is granted.
const queued = 256 << 10

// narrow makes a data connection on which queued bytes fit, and not all of them arrive before the client
// reads.
func narrow(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	server, client = connected(t)
	if err := server.SetWriteBuffer(4 * queued); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// encrypted puts both ends under TLS 1.3.
func encrypted(t *testing.T, tr *Transfer, client *net.TCPConn) *tls.Conn {
	t.Helper()
	c := tls.Client(client, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	shaken := make(chan error, 1)
	go func() { shaken <- c.HandshakeContext(t.Context()) }()
	config := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, SessionTicketsDisabled: true}
	if _, err := tr.Secure(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return c
}

func unreadOn(c *net.TCPConn) bool {
	raw, err := c.SyscallConn()
	return err == nil && (&wire{raw: raw}).unread()
}
