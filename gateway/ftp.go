package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/text/encoding/htmlindex"

	upstream "github.com/ftpgate/ftpgate/backends/ftp"
	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

var upstreamSecurity = map[config.UpstreamTLS]ftpclient.Security{
	config.UpstreamPlain:    ftpclient.Plain,
	config.UpstreamExplicit: ftpclient.Explicit,
	config.UpstreamImplicit: ftpclient.Implicit,
}

// openFTP opens a directory of an upstream server. No connection is made.
func openFTP(c *config.FTP, user, password string, servers *upstream.Servers) (*upstream.Backend, error) {
	o := upstream.Options{
		Address: c.Address, User: user, Password: password, Root: c.Root, MaxConnections: c.MaxConnections, Servers: servers,
		Prefix: c.TemporaryPrefix,
		Client: ftpclient.Options{
			Security: upstreamSecurity[c.TLS], Active: c.Active, TimeZone: c.TimeZone, LocalTimes: c.LocalTimes,
			ConnectTimeout: c.ConnectTimeout, ReplyTimeout: c.Timeout, StallTimeout: c.StallTimeout,
		},
	}
	if c.TLS != config.UpstreamPlain {
		roots, err := authorities(c.CAFile)
		if err != nil {
			return nil, err
		}
		o.Client.TLS = &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: c.TLSName,
			InsecureSkipVerify: !c.TLSVerify, //nolint:gosec // the administrator was warned
		}
	}
	if c.Encoding != "" {
		e, err := htmlindex.Get(c.Encoding)
		if err != nil {
			return nil, err
		}
		o.Client.Encoding = e
	}
	return upstream.New(o)
}

// authorities are the system's, and those in a file; nil without one.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // which is what crypto/tls takes for the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %q holds no certificate", file)
	}
	return pool, nil
}

// forSession returns the storage of one session, and what is to be called at its end. Where the
// credentials are the client's own it has connections of its own: no other session
// uses them, and with the session they, and the password, are forgotten.
func (b *backends) forSession(ctx context.Context, c config.Backend, user, password string) (s *storage, end func(), err error) {
	if c.FTP == nil || !c.FTP.Passthrough {
		s, err := b.storage(c, user)
		return s, func() {}, err
	}
	if password == "" {
		return nil, nil, fmt.Errorf("%s: user %q logged in without a password, so there is none to pass through", c, user)
	}
	u, err := openFTP(c.FTP, user, password, &b.servers)
	if err != nil {
		return nil, nil, fmt.Errorf("%s for user %q: %w", c, user, err)
	}
	end = func() { _ = u.Close() } // it never fails
	if err := u.Connect(ctx); err != nil {
		end()
		err = fmt.Errorf("%s for user %q: %w", c, user, err)
		if errors.Is(err, upstream.ErrLogin) {
			return nil, nil, ftp.Errorf(530, "Login incorrect.").Because(err)
		}
		return nil, nil, err
	}
	// What is held is known to the Backend, which ends with the session.
	return &storage{open: func(owner string, _ time.Duration) afero.Fs { return u.Open(owner, 0) }}, end, nil
}

// probeFTP tries what the gateway does on an upstream server.
func probeFTP(ctx context.Context, c *config.FTP) (all []Finding) {
	if c.Passthrough {
		return []Finding{{Step: "connect", Limit: "not tried: it has no user of its own (passthrough)"}}
	}
	b, err := openFTP(c, c.User, c.Password, nil)
	if err != nil {
		return []Finding{{Step: "set up", Err: err}}
	}
	defer b.Close()
	for _, f := range b.Probe(ctx) {
		all = append(all, Finding{Step: f.Step, Err: f.Err, Limit: f.Limit, Mend: f.Mend})
	}
	return all
}
