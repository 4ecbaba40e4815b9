package s3

import (
	"errors"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func offline(t *testing.T, prefix string) *Backend {
	t.Helper()
	b, err := New(Options{Client: sdk.New(sdk.Options{}), Bucket: "bucket", Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeys(t *testing.T) {
	for _, c := range []struct{ prefix, name, key, dirKey string }{
		{"", "/a", "a", "a/"},
		{"", "/a/b c", "a/b c", "a/b c/"},
		{"ftp/alice/", "/a", "ftp/alice/a", "ftp/alice/a/"},
		{"ftp/alice/", "/...", "ftp/alice/...", "ftp/alice/.../"},
		{"p/", "/" + strings.Repeat("x", 1021), "p/" + strings.Repeat("x", 1021), "p/" + strings.Repeat("x", 1021) + "/"},
	} {
		b := offline(t, c.prefix)
		if key, err := b.key(c.name); key != c.key || err != nil {
			t.Errorf("key of %q: %q, %v", c.name, key, err)
		}
		if key, err := b.dirKey(c.name); key != c.dirKey || err != nil {
			t.Errorf("dirKey of %q: %q, %v", c.name, key, err)
		}
		if name := b.name(c.key); name != c.name {
			t.Errorf("name of %q: %q, want %q", c.key, name, c.name)
		}
		if name := b.name(c.dirKey); name != c.name {
			t.Errorf("name of %q: %q, want %q", c.dirKey, name, c.name)
		}
	}
	b := offline(t, "p/")
	if key, err := b.dirKey("/"); key != "p/" || err != nil || b.name(key) != "/" {
		t.Errorf("dirKey of the root: %q, %v, whose name is %q", key, err, b.name(key))
	}
	if _, err := b.key("/"); !errors.Is(err, vfs.ErrIsDir) {
		t.Errorf("key of the root: %v", err)
	}
}

func TestBadNames(t *testing.T) {
	b := offline(t, "p/")
	for _, name := range []string{
		"/caf\xe9", "/a\nb", "/a\rb", "/a\x00b", "/a/./b", "/a/../b", "/..", "/a//b",
		"/" + strings.Repeat("x", 1023), "/" + strings.Repeat("ü", 512),
	} {
		if _, err := b.key(name); !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("key of %.20q: %v", name, err)
		}
		if _, err := b.dirKey(name); !errors.Is(err, vfs.ErrBadName) {
			t.Errorf("dirKey of %.20q: %v", name, err)
		}
	}
	longest := "/" + strings.Repeat("x", 1022)
	if _, err := b.key(longest); err != nil {
		t.Errorf("the longest key: %v", err)
	}
	if _, err := b.dirKey(longest); !errors.Is(err, vfs.ErrBadName) {
		t.Errorf("a directory of the longest key: %v", err)
	}
}
