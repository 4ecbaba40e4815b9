package dtp

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"
)

// delayedAck is the least time for which Linux keeps an acknowledgement back.
const delayedAck = 40 * time.Millisecond

// A client that ends its handshake with two small writes, and leaves Nagle's algorithm
// on, as lftp does, must not wait for a delayed acknowledgement in between: each small file
// would take 40 ms longer. Only the fastest of some handshakes counts, so that a busy
// machine makes no difference.
func TestHandshakeWaitsForNoAcknowledgement(t *testing.T) {
	leavesNothing(t)
	certificate := selfSigned(t)
	fastest := time.Hour
	for range 10 {
		server, client := connected(t)
		if err := client.SetNoDelay(false); err != nil {
			t.Fatal(err)
		}
		c := tls.Client(halting{client}, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
		shaken := make(chan error, 1)
		go func() { shaken <- c.HandshakeContext(t.Context()) }()
		x := Transfer{Conn: server, Stall: patience}
		begun := time.Now()
		if _, err := x.Secure(t.Context(), &tls.Config{Certificates: []tls.Certificate{certificate}}); err != nil {
			t.Fatal(err)
		}
		fastest = min(fastest, time.Since(begun))
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		server.Close()
		client.Close()
	}
	if fastest >= delayedAck {
		t.Errorf("the fastest handshake took %v", fastest)
	}
}

// halting sends the first record by itself, as GnuTLS does with the ChangeCipherSpec at the end.
type halting struct{ *net.TCPConn }

const changeCipherSpec = "\x14\x03\x03\x00\x01\x01"

func (c halting) Write(b []byte) (int, error) {
	rest, found := bytes.CutPrefix(b, []byte(changeCipherSpec))
	if !found {
		return c.TCPConn.Write(b)
	}
	if _, err := c.TCPConn.Write(b[:len(changeCipherSpec)]); err != nil {
		return 0, err
	}
	_, err := c.TCPConn.Write(rest)
	return len(b), err
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
