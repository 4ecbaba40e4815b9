package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const netrcText = `# a comment
machine a.example login alice password "s3cret a"
machine b.example
	login bob
	password s3cret\ b
	account acct
macdef init
machine evil login x password y

machine many login one password s3cret1
machine many login two password s3cret2
default login guest password me@example
`

func TestNetrc(t *testing.T) {
	for _, x := range []struct {
		host, user string
		want       login
		ok         bool
	}{
		{"a.example", "", login{"alice", "s3cret a", ""}, true},
		{"A.example", "alice", login{"alice", "s3cret a", ""}, true},
		{"b.example", "", login{"bob", "s3cret b", "acct"}, true},
		{"many", "two", login{"two", "s3cret2", ""}, true},
		{"many", "", login{"one", "s3cret1", ""}, true},
		{"evil", "", login{"guest", "me@example", ""}, true}, // not the one in the macro
		{"a.example", "bob", login{}, false},                 // default is another user
	} {
		got, ok := findNetrc(netrcText, x.host, x.user)
		if ok != x.ok || ok && got != x.want {
			t.Errorf("%s as %q: %+v, %v", x.host, x.user, got, ok)
		}
	}
	for _, cut := range []string{"machine", "machine a login", "macdef x", "default", `machine a login "x`, "", "machine a login x password y\\"} {
		findNetrc(cut, "a", "") // and no panic
	}
}

func TestCredentials(t *testing.T) {
	netrc := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(netrc, []byte(netrcText), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		url   string
		env   string // NAME=value, separated by spaces
		ask   string // what is answered; "": nobody to ask
		want  string // user/password/account, or "": an error
		warns int
	}{
		{"ftp://x", "HOME=/nowhere", "", "anonymous/anonymous@/", 0},
		{"ftp://a.example", "NETRC=" + netrc, "", "alice/s3cret a/", 0},
		{"ftp://b.example", "NETRC=" + netrc, "", "bob/s3cret b/acct", 0},
		{"ftp://a.example", "NETRC=" + netrc + " FTPGATE_USER=eve FTPGATE_PASSWORD=s3cret", "", "eve/s3cret/", 0},
		{"ftp://me@x", "FTPGATE_PASSWORD=s3cret", "", "me/s3cret/", 0},
		{"ftp://me@x", "FTPGATE_USER=eve FTPGATE_PASSWORD=s3cret", "typed", "me/typed/", 0}, // somebody else's password
		{"ftp://me:inurl@x", "FTPGATE_PASSWORD=s3cret", "", "me/inurl/", 1},
		{"ftp://me:@x", "FTPGATE_PASSWORD=s3cret", "", "me//", 1},
		{"ftp://me@x", "", "typed", "me/typed/", 0},
		{"ftp://me@x", "", "", "", 0},
		{"ftp://ftp@x", "", "", "ftp/anonymous@/", 0},
		{"ftp://me@x", "NETRC=/nowhere/netrc", "typed", "", 0},
	} {
		u, err := ParseURL(x.url)
		if err != nil {
			t.Fatal(err)
		}
		env := map[string]string{}
		for word := range strings.FieldsSeq(x.env) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		warnings := []string{}
		s := Sources{
			Getenv: func(name string) string { return env[name] },
			Warn:   func(f string, a ...any) { warnings = append(warnings, fmt.Sprintf(f, a...)) },
		}
		if x.ask != "" {
			s.Ask = func(string) (string, error) { return x.ask, nil }
		}
		c, err := s.Find(u)
		got := c.User + "/" + c.password + "/" + c.account
		if err != nil {
			got = ""
		}
		if got != x.want || len(warnings) != x.warns {
			t.Errorf("%s, %s: %q, %v, %q", x.url, x.env, got, err, warnings)
		}
		if all := fmt.Sprintf("%v %+v %#v %v %v", c, c, c, err, warnings); c.password != "" && strings.Contains(strings.ReplaceAll(all, c.User, ""), c.password) {
			t.Errorf("%s: the password is printed: %s", x.url, all)
		}
	}
}

func TestNetrcOfOthers(t *testing.T) {
	netrc := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(netrc, []byte(netrcText), 0o644); err != nil {
		t.Fatal(err)
	}
	warned := ""
	s := Sources{Getenv: func(string) string { return "" }, Netrc: netrc, Warn: func(f string, a ...any) { warned = fmt.Sprintf(f, a...) }}
	u, _ := ParseURL("ftp://a.example")
	if c, err := s.Find(u); err != nil || c.User != "alice" || !strings.Contains(warned, "chmod 600") || strings.Contains(warned, "s3cret") {
		t.Errorf("%v, %v: %q", c, err, warned)
	}
}
