package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// files lists a local tree as "path=content".
func files(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		all = append(all, filepath.ToSlash(rel)+"="+string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestMirrorDown(t *testing.T) {
	s := serve(t)
	s.write(t, "/pub/a", "alpha")
	s.write(t, "/pub/d/b", "beta")
	s.write(t, "/pub/d/e/c", "gamma")
	to := filepath.Join(s.dir, "copy")
	url := s.url + "pub/"
	if out := ok(t, "mirror", "--dry-run", url, to); out != "mkdir d\nmkdir d/e\ncopy a (new)\ncopy d/b (new)\ncopy d/e/c (new)\n" {
		t.Errorf("dry run: %q", out)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("the dry run made the directory")
	}
	ok(t, "mirror", "-P", "3", url, to)
	const all = "a=alpha d/b=beta d/e/c=gamma"
	if got := files(t, to); got != all {
		t.Errorf("%s", got)
	}
	if out := ok(t, "mirror", "--json", url, to); out != "" {
		t.Errorf("again: %s", out)
	}

	// What differs comes, and what is extra goes if that is wanted.
	s.write(t, "/pub/a", "ALPHA")
	if out := ok(t, "mirror", "--dry-run", url, to); out != "" {
		t.Errorf("same size and time: %q", out)
	}
	if out := ok(t, "mirror", "--dry-run", "--compare", "hash", url, to); !strings.HasPrefix(out, "copy a (") || strings.Count(out, "\n") != 1 {
		t.Errorf("same size and time, another content: %q", out)
	}
	if err := s.fs.Chtimes("/pub/a", time.Unix(2e9, 0), time.Unix(2e9, 0)); err != nil {
		t.Fatal(err)
	}
	s.local(t, "copy/extra/x", "x")
	ok(t, "mirror", url, to)
	if got := files(t, to); got != "a=ALPHA d/b=beta d/e/c=gamma extra/x=x" {
		t.Errorf("%s", got)
	}
	ok(t, "mirror", "--delete", url, to)
	if got := files(t, to); got != "a=ALPHA d/b=beta d/e/c=gamma" {
		t.Errorf("%s", got)
	}
	if err := s.fs.RemoveAll("/pub"); err != nil {
		t.Fatal(err)
	}
	if err := s.fs.MkdirAll("/pub", 0o755); err != nil {
		t.Fatal(err)
	}
	fails(t, exitFailure, "source is empty", "mirror", "--delete", url, to)
	fails(t, exitFailure, "550", "mirror", "--delete", s.url+"none", to)
	if got := files(t, to); got != "a=ALPHA d/b=beta d/e/c=gamma" {
		t.Errorf("%s", got)
	}
}

func TestMirrorUp(t *testing.T) {
	s := serve(t)
	s.local(t, "site/a", "alpha")
	s.local(t, "site/d/b", "beta")
	s.local(t, "site/.ftpgate-part.x", "temporary")
	if err := os.Symlink("/etc/passwd", filepath.Join(s.dir, "site/link")); err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(s.dir, "site")
	ok(t, "mirror", from, s.url+"www/site")
	if a, b := s.read("/www/site/a"), s.read("/www/site/d/b"); a != "alpha" || b != "beta" {
		t.Errorf("%q %q", a, b)
	}
	if out := sorted(ok(t, "ls", "-1", s.url+"www/site")); out != "a\nd\n" {
		t.Errorf("%q", out)
	}
	if out := ok(t, "mirror", "--json", from, s.url+"www/site"); out != "" {
		t.Errorf("again: %s", out)
	}
	s.write(t, "/www/site/old/x", "x")
	s.local(t, "site/a", "alphabet")
	if out := ok(t, "mirror", "--delete", "--json", from, s.url+"www/site"); strings.Count(out, "\n") != 2 || s.read("/www/site/a") != "alphabet" {
		t.Errorf("%s", out)
	}
	if out := sorted(ok(t, "ls", "-1", s.url+"www/site")); out != "a\nd\n" {
		t.Errorf("%q", out)
	}
	fails(t, exitUsage, "one of the two", "mirror", from, to(s))
	fails(t, exitUsage, "there are size", "mirror", "--compare", "luck", from, s.url)
}

func to(s *served) string { return filepath.Join(s.dir, "elsewhere") }

func TestMirrorByHash(t *testing.T) {
	url, dir := hostile(t, "type=file;size=4; same", "type=file;size=4; other")
	t.Setenv("HOME", dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"same": "evil", "other": "good"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := ok(t, "mirror", "--dry-run", url, dir); out != "" {
		t.Errorf("by time: %q", out)
	}
	if out := ok(t, "mirror", "--json", "--compare", "hash", url, dir); !strings.Contains(out, `"path":"other","bytes":4`) || strings.Count(out, "\n") != 1 {
		t.Errorf("by hash: %q", out)
	}
	if got := files(t, dir); got != "other=evil same=evil" {
		t.Errorf("%q", got)
	}
}

// TestMirrorPatterns: what is excluded is neither copied nor deleted, on either side.
func TestMirrorPatterns(t *testing.T) {
	s := serve(t)
	s.write(t, "/pub/a.c", "alpha")
	s.write(t, "/pub/a.tmp", "x")
	s.write(t, "/pub/cache/c", "x")
	s.local(t, "copy/mine.tmp", "mine")
	s.local(t, "copy/extra", "x")
	s.local(t, "copy/gone/e/mine.tmp", "mine")
	s.local(t, "copy/gone/e/x", "x")
	s.local(t, "copy/gone/f/x", "x")
	to := filepath.Join(s.dir, "copy")
	ok(t, "mirror", "--delete", "--exclude", "*.tmp", "--exclude", "cache/", s.url+"pub", to)
	if got := files(t, to); got != "a.c=alpha gone/e/mine.tmp=mine mine.tmp=mine" {
		t.Errorf("%s", got)
	}
	fails(t, exitUsage, "no pattern", "mirror", "--exclude", "[", s.url+"pub", to)
	fails(t, exitUsage, "another directory", "mirror", "--delete", "--dry-run", s.url+"pub", "/")
	file := s.local(t, "file", "x")
	fails(t, exitFailure, "not a directory", "mirror", s.url+"pub", file)
}

// TestClientOptions: --proxy is used, and mistakes are told before anybody is connected to.
func TestClientOptions(t *testing.T) {
	s := serve(t)
	s.write(t, "/a", "alpha")
	if out := ok(t, "cat", "--proxy", proxy(t), s.url+"a"); out != "alpha" {
		t.Errorf("through a proxy: %q", out)
	}
	fails(t, exitUsage, "there are socks5:// and http:// only", "ls", "--proxy", "ftp://host", s.url)
	fails(t, exitUsage, "a proxy looks like", "ls", "--proxy", "host:1080", s.url)
	fails(t, exitUsage, "cannot connect back", "ls", "--active", "--proxy", "socks5://host", s.url)
	fails(t, exitUsage, "no such zone", "ls", "--time-zone", "Nowhere/Town", s.url)
}

// proxy is an HTTP proxy that knows CONNECT.
func proxy(t *testing.T) string {
	t.Helper()
	return "http://" + ftptest.Serve(t, func(c net.Conn) {
		defer c.Close()
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", r.Host)
		if err != nil {
			return
		}
		defer to.Close()
		fmt.Fprint(c, "HTTP/1.1 200 Connected\r\n\r\n")
		var back sync.WaitGroup
		back.Go(func() {
			_, _ = io.Copy(to, c)
			to.(*net.TCPConn).CloseWrite()
		})
		_, _ = io.Copy(c, to)
		c.Close()
		back.Wait()
	})
}
