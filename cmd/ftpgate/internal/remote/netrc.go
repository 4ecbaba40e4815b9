package remote

import (
	"errors"
	"io"
	"os"
	"strings"
	"unicode"
)

// login is one entry of a netrc file.
type login struct{ user, password, account string }

// maxNetrc bounds a netrc file, in bytes.
const maxNetrc = 1 << 20

// readNetrc finds the entry for a host, and for a user if one is given; ok is false if there is none. A file that does not exist has none.
func readNetrc(name, host, user string) (l login, ok bool, err error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return l, false, nil
	}
	if err != nil {
		return l, false, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNetrc+1))
	if err != nil {
		return l, false, err
	}
	if len(text) > maxNetrc {
		return l, false, errors.New("the netrc file is longer than 1 MiB")
	}
	l, ok = findNetrc(string(text), host, user)
	return l, ok, nil
}

// findNetrc looks for "machine HOST login USER password PASSWORD account ACCOUNT", or "default". The
// first entry that fits counts.
func findNetrc(text, host, user string) (login, bool) {
	var l login
	here := false // within an entry for the host
	fits := func() bool {
		return here && (user == "" && l.user != "" || user != "" && l.user == user || l.user == "" && l.password != "")
	}
	words := netrcWords{text}
	for {
		word, ok := words.next()
		if !ok {
			return l, fits()
		}
		switch word {
		case "machine", "default":
			if fits() {
				return l, true
			}
			name, isDefault := "", word == "default"
			if !isDefault {
				name, _ = words.next()
			}
			l, here = login{}, isDefault || strings.EqualFold(name, host)
		case "login":
			l.user, _ = words.next()
		case "password":
			l.password, _ = words.next()
		case "account":
			l.account, _ = words.next()
		case "macdef":
			words.skipMacro()
		}
	}
}

// netrcWords reads words between white space; those in double quotes may hold some, and a backslash takes the next
// character as it is.
type netrcWords struct{ rest string }

func (w *netrcWords) next() (string, bool) {
	for {
		w.rest = strings.TrimLeftFunc(w.rest, unicode.IsSpace)
		if !strings.HasPrefix(w.rest, "#") {
			break
		}
		_, w.rest, _ = strings.Cut(w.rest, "\n")
	}
	if w.rest == "" {
		return "", false
	}
	quoted := w.rest[0] == '"'
	i := 0
	if quoted {
		i = 1
	}
	var b strings.Builder
	for ; i < len(w.rest); i++ {
		c := w.rest[i]
		switch {
		case c == '\\' && i+1 < len(w.rest):
			i++
			b.WriteByte(w.rest[i])
			continue
		case quoted && c == '"':
			w.rest = w.rest[i+1:]
			return b.String(), true
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			w.rest = w.rest[i:]
			return b.String(), true
		}
		b.WriteByte(c)
	}
	w.rest = ""
	return b.String(), true
}

// skipMacro passes over a macro, which an empty line ends.
func (w *netrcWords) skipMacro() {
	if i := strings.Index(w.rest, "\n\n"); i >= 0 {
		w.rest = w.rest[i:]
		return
	}
	w.rest = ""
}
