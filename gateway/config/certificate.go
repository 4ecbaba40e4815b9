package config

import (
	"errors"
	"fmt"
	"io/fs"
)

// checkFiles looks at what the files of a tls block hold. A file that is not there has been warned of.
func (s *section) checkFiles(x *TLS) {
	if chain := s.contents("cert_file", x.CertFile); chain != nil && s.good("cert_file", s.l.checks.pair, chain, nil) {
		if key := s.contents("key_file", x.KeyFile); key != nil {
			s.good("key_file", s.l.checks.pair, chain, key)
		}
	}
	if pem := s.contents("client_ca", x.ClientCA); pem != nil {
		s.good("client_ca", func(pem, _ []byte) (warning, err error) { return s.l.checks.pool(pem) }, pem, nil)
	}
}

// contents reads the file that an attribute names; nil if that cannot be. Whoever checks a configuration
// need not be who serves it: that a file may not be read is a warning.
func (s *section) contents(name, path string) []byte {
	if path == "" {
		return nil
	}
	b, err := s.l.machine.read(path)
	switch {
	case err == nil:
		return b
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrPermission):
		s.l.warnAt(s.at(name), fmt.Sprintf("%s has not been looked at", name),
			"You may not read the file. The user that ftpgate runs as must be able to.")
	default:
		s.l.errorAt(s.at(name), fmt.Sprintf("%s cannot be read", name), "%s", reason(err))
	}
	return nil
}

// good asks check about the file that an attribute names, and reports what it says.
func (s *section) good(name string, check func(a, b []byte) (warning, err error), a, b []byte) bool {
	warning, err := check(a, b)
	if err != nil {
		s.l.errorAt(s.at(name), fmt.Sprintf("%s cannot be used", name), "%s.", capital(err.Error()))
	}
	if warning != nil {
		s.l.warnAt(s.at(name), fmt.Sprintf("%s will not do", name), "%s.", capital(warning.Error()))
	}
	return err == nil
}

func (c Checks) pair(chain, key []byte) (warning, err error) {
	if c.Pair == nil {
		return nil, nil
	}
	return c.Pair(chain, key)
}

func (c Checks) pool(pem []byte) (warning, err error) {
	if c.Pool == nil {
		return nil, nil
	}
	return c.Pool(pem)
}
