package remote

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, x := range []struct {
		text, address, user, path string
		kind                      byte
		shown                     string
	}{
		{"ftp://host", "host:21", "", "", 0, "ftp://host/"},
		{"FTP://host/", "host:21", "", "", 0, "ftp://host/"},
		{"ftps://host/a", "host:990", "", "a", 0, "ftps://host/a"},
		{"ftpes://host:2121/a/b", "host:2121", "", "a/b", 0, "ftpes://host:2121/a/b"},
		{"ftp://host/%2Fetc/motd", "host:21", "", "/etc/motd", 0, "ftp://host/%2Fetc/motd"},
		{"ftp://host/%2fetc/motd", "host:21", "", "/etc/motd", 0, "ftp://host/%2Fetc/motd"},
		{"ftp://host//etc/motd", "host:21", "", "/etc/motd", 0, "ftp://host/%2Fetc/motd"},
		{"ftp://host/%2F", "host:21", "", "/", 0, "ftp://host/%2F"},
		{"ftp://host/a%20b;type=i", "host:21", "", "a b", 'i', "ftp://host/a%20b"},
		{"ftp://host/dir;TYPE=D", "host:21", "", "dir", 'd', "ftp://host/dir"},
		{"ftp://host/a%3Bb%25", "host:21", "", "a;b%", 0, "ftp://host/a%3Bb%25"},
		{"ftp://host/a@b", "host:21", "", "a@b", 0, "ftp://host/a@b"},
		{"ftp://me@host/a", "host:21", "me", "a", 0, "ftp://me@host/a"},
		{"ftp://me:s3cret@host/a", "host:21", "me", "a", 0, "ftp://me@host/a"},
		{"ftp://me%40corp:s3%2Fcret@host/a", "host:21", "me@corp", "a", 0, "ftp://me%40corp@host/a"},
		{"ftp://me@corp:s3cret@host/a", "host:21", "me@corp", "a", 0, "ftp://me%40corp@host/a"},
		{"ftp://[::1]:2121/a", "[::1]:2121", "", "a", 0, "ftp://[::1]:2121/a"},
		{"ftp://[::1]/a", "[::1]:21", "", "a", 0, "ftp://[::1]/a"},
	} {
		u, err := ParseURL(x.text)
		if err != nil {
			t.Errorf("%s: %v", x.text, err)
			continue
		}
		if u.Address() != x.address || u.User != x.user || u.Path != x.path || u.Type != x.kind || u.String() != x.shown {
			t.Errorf("%s: %s %q %q %q %s", x.text, u.Address(), u.User, u.Path, u.Type, u)
		}
		again, err := ParseURL(u.String())
		if err != nil || again.Path != u.Path || again.User != u.User || again.Address() != u.Address() {
			t.Errorf("%s: printed as %s it is %#v, %v", x.text, u, again, err)
		}
		if all := fmt.Sprintf("%v %+v %#v %s", u, u, u, u); strings.Contains(all, "cret") {
			t.Errorf("%s: the password is printed: %s", x.text, all)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, text := range []string{
		"", "host/path", "http://host/", "sftp://host/", "ftp://", "ftp:///a", "ftp://@host/", "ftp://:s3cret@host/",
		"ftp://me:s3cret@/a", "ftp://me:s3cret@host:port/", "ftp://me:s3cret@host:0/", "ftp://me:s3cret@host:65536/",
		"ftp://me:s3cret%0d%0aDELE@host/", "ftp://me:s3cret%@host/", "ftp://me:s3cret@[::1/", "ftp://me:s3cret@::1/",
		"ftp://me:s3cret@host/a%0D%0ADELE%20b", "ftp://me:s3cret@host/a%00b", "ftp://me:s3cret@host/a%0Ab", "ftp://me:s3cret@host/a%zz",
		"ftp://me:s3cret@host/a%2", "ftp://me:s3cret@host/a;type=a", "ftp://me:s3cret@host/a;type=x", "ftp://me:s3cret@host/a?b", "ftp://me:s3cret@host/a#b",
		"ftp://me:s3cret/x@host/", "ftp://ho st/", "ftp://me:s3cret@host?x/",
	} {
		u, err := ParseURL(text)
		if err == nil {
			t.Errorf("%q is taken as %s", text, u)
		} else if strings.Contains(err.Error(), "cret") {
			t.Errorf("%q: the error has the password: %v", text, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("ftp://me:pw@[::1]:21/%2Fa/b;type=i")
	f.Add("ftp://[[]")
	f.Add("ftp://h/\x80;tYpe=")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURL(text)
		if err != nil {
			return
		}
		if strings.ContainsAny(u.Path+u.User+u.password+u.Host, "\r\n\x00") {
			t.Fatalf("%q: %#v", text, u)
		}
		again, err := ParseURL(u.String())
		if err != nil || again.Path != u.Path || again.User != u.User || again.Address() != u.Address() {
			t.Fatalf("%q is printed as %q, which is %#v, %v", text, u, again, err)
		}
	})
}
