package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// dated makes a certificate that is valid for a time only, and its key.
func dated(t *testing.T, name string, from, to time.Time) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	return ftptest.PEM(t, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k})
}

const day = 24 * time.Hour

func TestCheckCertificates(t *testing.T) {
	now := time.Now()
	good, key := dated(t, "good", now.Add(-day), now.Add(day))
	old, oldKey := dated(t, "old", now.Add(-2*day), now.Add(-day))
	early, _ := dated(t, "early", now.Add(day), now.Add(2*day))
	leaf, _ := ftptest.PEM(t, ftptest.NewAuthority(t).Server())
	request := []byte("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
	broken := []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	pool := func(pem, _ []byte) (error, error) { return CheckPool(pem) } //nolint:staticcheck // as CheckPair
	for name, x := range map[string]struct {
		check         func(a, b []byte) (error, error)
		a, b          []byte
		warning, fail string
	}{
		"good":            {CheckPair, good, nil, "", ""},
		"good pair":       {CheckPair, good, key, "", ""},
		"request":         {CheckPair, request, nil, "", "of type CERTIFICATE REQUEST"},
		"key":             {CheckPair, key, nil, "", "of type PRIVATE KEY"},
		"broken":          {CheckPair, broken, nil, "", "cannot be read"},
		"other key":       {CheckPair, good, oldKey, "", "private key does not match"},
		"no key":          {CheckPair, good, good, "", "found a certificate rather than a key"},
		"expired":         {CheckPair, old, nil, `"CN=old" expired at`, ""},
		"early":           {CheckPair, early, nil, `"CN=early" is not valid before`, ""},
		"pool":            {pool, good, nil, "", ""},
		"empty pool":      {pool, []byte("x"), nil, "", "no certificate"},
		"key as pool":     {pool, key, nil, "", "of type PRIVATE KEY"},
		"expired in pool": {pool, append(bytes.Clone(good), old...), nil, `"CN=old" expired at`, ""},
		"leaf as pool":    {pool, leaf, nil, "is an authority", ""},
	} {
		warning, err := x.check(x.a, x.b)
		for _, y := range []struct {
			err  error
			want string
		}{{warning, x.warning}, {err, x.fail}} {
			if (y.err != nil) != (y.want != "") || y.err != nil && !strings.Contains(y.err.Error(), y.want) {
				t.Errorf("%s: %v, want %q", name, y.err, y.want)
			}
		}
	}
}

// TestExpiredFilesAreNotUsed: a certificate that is not valid now takes no valid one's place, and the log says
// so once. When its time comes, or that of the old one is over, it is used.
func TestExpiredFilesAreNotUsed(t *testing.T) {
	begin := time.Unix(1e9, 0)
	dir := t.TempDir()
	r := &reloading{t: t, now: begin, config: config.TLS{
		CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem"),
	}}
	write := func(name string, from, to time.Time) {
		cert, key := dated(t, name, from, to)
		r.replace(r.config.CertFile, cert)
		r.replace(r.config.KeyFile, key)
	}
	authority := func(to time.Time) {
		cert, _ := dated(t, "clients", begin.Add(-9*day), to)
		r.replace(r.config.ClientCA, cert)
	}
	write("first", begin.Add(-day), begin.Add(day))
	authority(begin.Add(9 * day))
	secure, err := newTLS(&r.config, r.clock, zerolog.New(r))
	if err != nil {
		t.Fatal(err)
	}
	used := func(name string, refused int) {
		t.Helper()
		for range 2 {
			r.later()
			if got := secure.Config().Certificates[0].Leaf.Subject.CommonName; got != name {
				t.Errorf("%q is used, not %q", got, name)
			}
		}
		if n := r.said("the old ones stay in use"); n != refused {
			t.Errorf("the log says %d times that files are refused, want %d:\n%s", n, refused, r.log.String())
		}
	}
	used("first", 0)
	write("expired", begin.Add(-2*day), begin.Add(-day))
	used("first", 1)
	write("early", begin.Add(time.Hour), begin.Add(9*day))
	used("first", 2)
	r.now = begin.Add(2 * time.Hour)
	used("early", 2)

	write("other", begin.Add(-day), begin.Add(9*day))
	authority(begin.Add(-day))
	used("early", 3)
	authority(begin.Add(9 * day))
	used("other", 3)

	write("late", begin.Add(-2*day), begin.Add(-day))
	used("other", 4)
	r.now = begin.Add(10 * day) // both have expired: the newer one it is
	used("late", 4)
	if err := os.Remove(r.config.KeyFile); err != nil {
		t.Fatal(err)
	}
	used("late", 5)
}
