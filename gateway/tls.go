package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
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
// use, and the log says so once. So it is if the new ones are not valid now and the old ones are; those
// are tried again, because their time may come.
type secrets struct {
	config *config.TLS
	now    func() time.Time
	log    zerolog.Logger

	mu      sync.Mutex
	current *tls.Config
	valid   []*x509.Certificate // what current cannot do without, see loadTLS
	early   bool                // the files are not valid now, and current is
	looked  time.Time           // when the files were last looked at
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
		if changed := !unchanged(s.stat(), s.stamps); changed || s.early {
			switch err := s.loadLocked(); {
			case err == nil:
				s.log.Info().Str("cert_file", s.config.CertFile).Msg("TLS files loaded anew")
			case changed:
				s.log.Error().Err(err).Msg("the changed TLS files cannot be used; the old ones stay in use")
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
	s.stamps, s.early = s.stat(), false
	t, certificates, err := loadTLS(s.config)
	if err != nil {
		return err
	}
	if err := allValid(certificates, s.looked); err != nil && s.current != nil && allValid(s.valid, s.looked) == nil {
		s.early = true
		return err
	}
	s.current, s.valid = t, certificates
	return nil
}

func allValid(certificates []*x509.Certificate, now time.Time) (err error) {
	for _, c := range certificates {
		err = errors.Join(err, validNow(c, now))
	}
	return err
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

// loadTLS reads the files of a TLS configuration. The certificates are those that it cannot do
// without: its own, and that authority of clients which is valid longest.
func loadTLS(c *config.TLS) (*tls.Config, []*x509.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if errors.Is(err, os.ErrPermission) {
		return nil, nil, fmt.Errorf("%w; the user that ftpgate runs as must be able to read it", err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cert_file %s, key_file %s: %w", c.CertFile, c.KeyFile, err)
	}
	certificates := []*x509.Certificate{pair.Leaf}
	t := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: c.MinVersion}
	if len(c.CipherSuites) > 0 {
		for _, s := range tls.CipherSuites() {
			t.CipherSuites = append(t.CipherSuites, s.ID)
		}
		t.CipherSuites = append(t.CipherSuites, c.CipherSuites...)
	}
	if c.ClientCA == "" {
		return t, certificates, nil
	}
	text, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, nil, fmt.Errorf("client_ca: %w", err)
	}
	authorities, err := certificatesIn(text)
	if err != nil {
		return nil, nil, fmt.Errorf("client_ca %s: %w", c.ClientCA, err)
	}
	t.ClientCAs = x509.NewCertPool()
	for _, a := range authorities {
		t.ClientCAs.AddCert(a)
	}
	certificates = append(certificates, slices.MaxFunc(authorities, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }))
	t.ClientAuth = tls.VerifyClientCertIfGiven
	if c.ClientCert == config.ClientCertRequired {
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return t, certificates, nil
}
