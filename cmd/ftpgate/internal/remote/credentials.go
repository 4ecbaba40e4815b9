package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Environment variables that credentials are taken from.
const (
	EnvUser     = "FTPGATE_USER"
	EnvPassword = "FTPGATE_PASSWORD"
	EnvAccount  = "FTPGATE_ACCOUNT"
)

// Credentials are what to log in with. They print as the user only.
type Credentials struct {
	User     string
	password string
	account  string
}

// Anonymous reports whether they are everybody's.
func (c Credentials) Anonymous() bool { return c.User == anonymous }

// String is the user.
func (c Credentials) String() string { return c.User }

// GoString keeps %#v from showing the password.
func (c Credentials) GoString() string { return fmt.Sprintf("remote.Credentials(%q)", c.User) }

// anonymous and its password are what RFC 1635 asks for.
const (
	anonymous         = "anonymous"
	anonymousPassword = "anonymous@"
)

// Sources are where credentials may come from, besides the URL.
type Sources struct {
	Getenv func(string) string
	Netrc  string // a file; "": NETRC, or .netrc in the home directory
	// Ask reads a password without showing it; nil if there is nobody to ask.
	Ask  func(question string) (string, error)
	Warn func(format string, args ...any)
}

// Find takes the first there is of: the password in the URL, the environment, netrc, and asking. Without a user
// anywhere it is anonymous.
func (s Sources) Find(u URL) (Credentials, error) {
	if u.hasPass {
		s.Warn("the password in the URL can be read by everybody on this machine (ps) and stays in the shell's history; use ~/.netrc, %s or the prompt", EnvPassword)
		return Credentials{User: u.User, password: u.password, account: s.Getenv(EnvAccount)}, nil
	}
	envUser, envPassword := s.Getenv(EnvUser), s.Getenv(EnvPassword)
	user := u.User
	if user == "" {
		user = envUser
	}
	if user != "" && envPassword != "" && (envUser == "" || envUser == user) {
		return Credentials{User: user, password: envPassword, account: s.Getenv(EnvAccount)}, nil
	}
	l, ok, err := s.netrc(u.Host, user)
	if err != nil {
		return Credentials{}, err
	}
	if ok {
		if l.user == "" {
			l.user = user
		}
		if l.user != "" {
			return Credentials{User: l.user, password: l.password, account: l.account}, nil
		}
	}
	switch {
	case user == "" || user == anonymous || user == "ftp":
		if user == "" {
			user = anonymous
		}
		return Credentials{User: user, password: anonymousPassword}, nil
	case s.Ask == nil:
		return Credentials{}, fmt.Errorf("no password for %s at %s: put it into ~/.netrc or %s, or run this on a terminal", user, u.Host, EnvPassword)
	}
	password, err := s.Ask(fmt.Sprintf("Password of %s at %s: ", user, u.Host))
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{User: user, password: password, account: s.Getenv(EnvAccount)}, nil
}

// netrc looks into the netrc file. One that others may read is used, with a warning.
func (s Sources) netrc(host, user string) (login, bool, error) {
	name := s.Netrc
	if name == "" {
		name = s.Getenv("NETRC")
	}
	if name == "" {
		home := s.Getenv("HOME")
		if home == "" {
			return login{}, false, nil
		}
		name = filepath.Join(home, ".netrc")
	} else if _, err := os.Stat(name); err != nil {
		return login{}, false, fmt.Errorf("netrc: %w", err) // named, and not there
	}
	l, ok, err := readNetrc(name, host, user)
	if err != nil {
		return login{}, false, fmt.Errorf("netrc: %w", err)
	}
	if ok && l.password != "" && runtime.GOOS != "windows" {
		if i, err := os.Stat(name); err == nil && i.Mode().Perm()&0o077 != 0 {
			s.Warn("%s holds a password and others may read it: chmod 600 %s", name, name)
		}
	}
	return l, ok, nil
}
