package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// newTLS makes the protection of a listener; nil if it has none.
func newTLS(c *config.TLS, now func() time.Time, log zerolog.Logger) (*pi.TLS, error) {
	if c == nil {
		return nil, nil
	}
	s := &secrets{config: c, now: now, log: log}
	if err := s.load(); err != nil {
		return nil, err
	}
	return &pi.TLS{
		Config: s.get, Implicit: c.Mode == config.TLSImplicit, Require: protection[c.Require],
		Reuse: reuse[c.SessionReuse], Truncation: c.AllowTruncation,
	}, nil
}

var protection = map[config.RequireTLS]pi.Protection{
	config.RequireNone:  pi.ProtectNothing,
	config.RequireLogin: pi.ProtectLogin,
	config.RequireData:  pi.ProtectData,
}

var reuse = map[config.SessionReuse]pi.Reuse{
	config.ReuseLog:     pi.ReuseLog,
	config.ReuseOff:     pi.ReuseOff,
	config.ReuseRequire: pi.ReuseRequire,
}

// secrets are the TLS configuration of a listener. Its files (certificate, key,
// and the authorities of clients) are read again when they change; a session that stands keeps
// what it began with. If the new files are not good, the old ones stay in
// use, and the log says so once.
type secrets struct {
	config *config.TLS
	now    func() time.Time
	log    zerolog.Logger

	mu      sync.Mutex
	current *tls.Config
	looked  time.Time // when the files were last looked at
	stamps  [3]stamp
}

// stamp tells a file from its successor.
type stamp struct {
	modified time.Time
	size     int64
	file     os.FileInfo // renamed over, with the time and size of the old one
}

func (s stamp) same(o stamp) bool {
	return s.size == o.size && s.modified.Equal(o.modified) &&
		(s.file == nil && o.file == nil || s.file != nil && o.file != nil && os.SameFile(s.file, o.file))
}

// filesLookedAt is how often a new session looks whether the files have changed.
const filesLookedAt = 10 * time.Second

// get is what a new session begins with.
func (s *secrets) get() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.looked) >= filesLookedAt {
		s.looked = now
		if stamps := s.stat(); !unchanged(stamps, s.stamps) {
			if err := s.loadLocked(); err != nil {
				s.log.Error().Err(err).Msg("the changed TLS files cannot be used; the old ones stay in use")
			} else {
				s.log.Info().Str("cert_file", s.config.CertFile).Msg("TLS files loaded anew")
			}
		}
	}
	return s.current
}

func (s *secrets) load() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = s.now()
	return s.loadLocked()
}

// loadLocked reads the files. They count as seen whether they are good or not, as of before
// they were read: what changes meanwhile is found the next time.
func (s *secrets) loadLocked() error {
	s.stamps = s.stat()
	t, err := loadTLS(s.config)
	if err != nil {
		return err
	}
	s.current = t
	return nil
}

func (s *secrets) stat() (stamps [3]stamp) {
	for i, name := range []string{s.config.CertFile, s.config.KeyFile, s.config.ClientCA} {
		if info, err := os.Stat(name); name != "" && err == nil {
			stamps[i] = stamp{info.ModTime(), info.Size(), info}
		}
	}
	return stamps
}

func unchanged(a, b [3]stamp) bool {
	return a[0].same(b[0]) && a[1].same(b[1]) && a[2].same(b[2])
}

// loadTLS reads the files of a TLS configuration.
func loadTLS(c *config.TLS) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("%w; the user that ftpgate runs as must be able to read it", err)
	}
	if err != nil {
		return nil, fmt.Errorf("cert_file %s, key_file %s: %w", c.CertFile, c.KeyFile, err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: c.MinVersion}
	if len(c.CipherSuites) > 0 {
		for _, s := range tls.CipherSuites() {
			t.CipherSuites = append(t.CipherSuites, s.ID)
		}
		t.CipherSuites = append(t.CipherSuites, c.CipherSuites...)
	}
	if c.ClientCA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("client_ca: %w", err)
	}
	t.ClientCAs = x509.NewCertPool()
	if !t.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("client_ca: %s holds no certificate", c.ClientCA)
	}
	t.ClientAuth = tls.VerifyClientCertIfGiven
	if c.ClientCert == config.ClientCertRequired {
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return t, nil
}
