package dtp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"os"
	"testing"
	"time"
)

// The same under TLS 1.3 with AES-128-GCM; downloads are resumed.
//
//	go test -run '^$' -bench '(Retr|Stor)TLS' -benchtime 1x -count 9 ./protocol/dtp

func BenchmarkRetrTLS1GiB(b *testing.B) { benchSecure(b, "RETR+TLS", 1<<30) }
func BenchmarkStorTLS1GiB(b *testing.B) { benchSecure(b, "STOR+TLS", 1<<30) }
func BenchmarkRetrTLS1KiB(b *testing.B) { benchSecure(b, "RETR+TLS", 1<<10) }
func BenchmarkStorTLS1KiB(b *testing.B) { benchSecure(b, "STOR+TLS", 1<<10) }

func benchSecure(b *testing.B, verb string, size int64) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	c := &tls.Config{
		Certificates:                []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}},
		DynamicRecordSizingDisabled: true,
	}
	transfer, standard := secureSend(c), standardSend(c)
	if verb == "STOR+TLS" {
		c.SessionTicketsDisabled = true // a client that only writes would reset the connection over an unread one
		transfer, standard = secureReceive(c), standardReceive(c)
	}
	benchWays(b, verb, size, []way{{"transfer", transfer}, {"standard", standard}})
}

func secureSend(c *tls.Config) copier {
	return func(conn *net.TCPConn, f *os.File) error {
		t := Transfer{Conn: conn, Stall: time.Minute}
		defer t.Close()
		if _, err := t.Secure(context.Background(), c); err != nil {
			return err
		}
		return t.Send(context.Background(), f, f)
	}
}

func secureReceive(c *tls.Config) copier {
	return func(conn *net.TCPConn, f *os.File) error {
		t := Transfer{Conn: conn, Stall: time.Minute}
		defer t.Close()
		if _, err := t.Secure(context.Background(), c); err != nil {
			return err
		}
		return t.Receive(context.Background(), f, f)
	}
}

// What crypto/tls and io do by themselves.

func standardSend(c *tls.Config) copier {
	return func(conn *net.TCPConn, f *os.File) error {
		s := tls.Server(conn, c)
		defer s.Close()
		_, err := io.CopyBuffer(plainWriter{s}, plainReader{f}, make([]byte, largeBuffer))
		return err
	}
}

func standardReceive(c *tls.Config) copier {
	return func(conn *net.TCPConn, f *os.File) error {
		s := tls.Server(conn, c)
		defer s.Close()
		_, err := io.CopyBuffer(plainWriter{f}, plainReader{s}, make([]byte, largeBuffer))
		return err
	}
}
