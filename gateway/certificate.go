package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// CheckPair says what keeps a certificate chain and its key, both PEM, from being used. Without a
// key it looks at the chain alone, and warns of a certificate that is not valid now.
func CheckPair(chain, key []byte) (warning, err error) {
	certificates, err := certificatesIn(chain)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return validNow(certificates[0], time.Now()), nil
	}
	_, err = tls.X509KeyPair(chain, key)
	return nil, err
}

// CheckPool says what keeps the authorities of clients, PEM, from being used, and warns of
// those that are not valid now, since then none of their clients is.
func CheckPool(text []byte) (warning, err error) {
	certificates, err := certificatesIn(text)
	if err != nil {
		return nil, err
	}
	authorities := 0
	for _, c := range certificates {
		warning = errors.Join(warning, validNow(c, time.Now()))
		if c.IsCA {
			authorities++
		}
	}
	if authorities == 0 {
		warning = errors.Join(warning, errors.New("no certificate in it is an authority, so nobody's but itself is good"))
	}
	return warning, nil
}

// certificatesIn reads all certificates of a PEM file; there is at least one if err is nil.
func certificatesIn(text []byte) (certificates []*x509.Certificate, err error) {
	found := ""
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			found = ", but something of type " + block.Type
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate in it cannot be read: %w", err)
		}
		certificates = append(certificates, c)
	}
	if len(certificates) == 0 {
		return nil, fmt.Errorf("it holds no certificate in PEM%s", found)
	}
	return certificates, nil
}

// validNow says why c is not valid at a time; nil if it is.
func validNow(c *x509.Certificate, now time.Time) error {
	switch {
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate of %q expired at %s", c.Subject, c.NotAfter.UTC().Format(time.DateTime+" MST"))
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate of %q is not valid before %s", c.Subject, c.NotBefore.UTC().Format(time.DateTime+" MST"))
	}
	return nil
}
