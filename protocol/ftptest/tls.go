package ftptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/pi"
)

// Authority signs certificates of tests.
type Authority struct {
	Pool *x509.CertPool // holds it, and nothing else
	Cert *x509.Certificate

	t   testing.TB
	key *ecdsa.PrivateKey
}

// NewAuthority makes an authority that nobody else knows.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{Pool: x509.NewCertPool(), t: t}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority of a test"}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	pair := a.sign(template, nil)
	a.Cert, a.key = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	a.Pool.AddCert(a.Cert)
	return a
}

// Server makes the certificate of a server at 127.0.0.1, ::1 and localhost.
func (a *Authority) Server() tls.Certificate {
	a.t.Helper()
	return a.sign(&x509.Certificate{
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.Cert)
}

// Client makes the certificate of a client with a common name and other names.
func (a *Authority) Client(commonName string, dns, email []string) tls.Certificate {
	a.t.Helper()
	return a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: commonName}, DNSNames: dns, EmailAddresses: email,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.Cert)
}

// sign makes a key and a certificate for it; parent nil: signed by itself.
func (a *Authority) sign(c, parent *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatalf("ftptest: %v", err)
	}
	by := a.key
	if parent == nil {
		parent, by = c, key
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Unix(0, 0), time.Unix(1<<32, 0) // also on synctest's clock
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatalf("ftptest: %v", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatalf("ftptest: %v", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// PEM encodes a certificate and its key as files have them.
func PEM(t testing.TB, c tls.Certificate) (cert, key []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatalf("ftptest: %v", err)
	}
	for _, b := range c.Certificate {
		cert = append(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b})...)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// PEM encodes the certificate of the authority.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Cert.Raw})
}

// TLS makes the protection of a server; change (may be nil) alters its configuration.
func (a *Authority) TLS(change func(*tls.Config)) *pi.TLS {
	a.t.Helper()
	c := &tls.Config{Certificates: []tls.Certificate{a.Server()}}
	if change != nil {
		change(c)
	}
	return &pi.TLS{Config: func() *tls.Config { return c }}
}

// Tickets is a client's session cache that remembers how often it was given a
// ticket. It holds one, of the last connection that had any.
type Tickets struct {
	Given int
	last  *tls.ClientSessionState
}

// Put implements tls.ClientSessionCache.
func (c *Tickets) Put(_ string, s *tls.ClientSessionState) {
	if s != nil {
		c.Given++
		c.last = s
	}
}

// Get implements tls.ClientSessionCache.
func (c *Tickets) Get(string) (*tls.ClientSessionState, bool) { return c.last, c.last != nil }

// TrustTLS is a client's configuration for servers of a, with a session cache of its own.
func (a *Authority) TrustTLS(version uint16) (*tls.Config, *Tickets) {
	tickets := &Tickets{}
	return &tls.Config{
		RootCAs: a.Pool, ServerName: "localhost", ClientSessionCache: tickets, MinVersion: version, MaxVersion: version,
	}, tickets
}

// AuthTLS sends AUTH TLS and puts the control connection under TLS.
func (c *Client) AuthTLS(config *tls.Config) {
	c.t.Helper()
	c.Cmd(234, "AUTH TLS")
	c.StartTLS(config)
}

// StartTLS puts the control connection under TLS.
func (c *Client) StartTLS(config *tls.Config) {
	c.t.Helper()
	if err := c.TryTLS(config); err != nil {
		c.t.Fatalf("ftptest: handshake on the control connection: %v", err)
	}
}

// TryTLS does the same, and returns why it failed.
func (c *Client) TryTLS(config *tls.Config) error {
	c.Conn.SetDeadline(time.Now().Add(Patience))
	c.TLS = tls.Client(c.Conn, config)
	c.r = bufio.NewReader(c.TLS)
	return c.TLS.Handshake()
}

// Private asks for protected data connections.
func (c *Client) Private() {
	c.t.Helper()
	c.Cmd(200, "PBSZ 0")
	c.Cmd(200, "PROT P")
}

// StartTLS puts the data connection under TLS, after the 150.
func (d *Data) StartTLS(config *tls.Config) *Data {
	d.t.Helper()
	if err := d.TryTLS(config); err != nil {
		d.t.Fatalf("ftptest: handshake on the data connection: %v", err)
	}
	return d
}

// TryTLS does the same, and returns why it failed.
func (d *Data) TryTLS(config *tls.Config) error {
	d.Conn.SetDeadline(time.Now().Add(Patience))
	d.TLS = tls.Client(&seeingEnd{Conn: d.Conn}, config)
	return d.TLS.Handshake()
}

// Resumed reports whether the data connection resumed a TLS session.
func (d *Data) Resumed() bool { return d.TLS.ConnectionState().DidResume }

// Cut ends the TCP connection below TLS in good order, without close_notify.
func (d *Data) Cut() { d.Conn.Close() }

// cut reports whether the server ended the stream without close_notify. crypto/tls takes the
// end of TCP for the end of the stream when it comes between records.
func (d *Data) cut() bool { return d.TLS != nil && d.TLS.NetConn().(*seeingEnd).end }

// seeingEnd notes that it has been read to its end: with a close_notify nobody does.
type seeingEnd struct {
	net.Conn
	end bool
}

func (c *seeingEnd) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.end = c.end || err != nil
	return n, err
}

// over is the connection to read and write: TLS if there is any.
func over(conn *net.TCPConn, secure *tls.Conn) net.Conn {
	if secure != nil {
		return secure
	}
	return conn
}
