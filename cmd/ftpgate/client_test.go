package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// served is a server in this process, and what it serves.
type served struct {
	fs  afero.Fs
	url string // as rw, whose password is in the environment
	ca  string // file
	dir string // to be used locally
}

func serve(t *testing.T) *served {
	t.Helper()
	signal.Stop(signalsOnce()) // the first Notify of a process starts a goroutine that stays
	s := &served{fs: memory.New(memory.Options{}).Open("", 0), dir: t.TempDir()}
	a := ftptest.NewAuthority(t)
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(s.ca, a.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := ftptest.Start(t, ftptest.Options{FS: s.fs, Endpoint: pi.Endpoint{TLS: a.TLS(nil)}})
	t.Cleanup(func() {
		for range 3 {
			runtime.GC() // it closes the pipes that splice has used, before descriptors are counted
		}
	})
	s.url = "ftp://rw@" + srv.Addr.String() + "/"
	t.Setenv("HOME", s.dir)
	t.Setenv("NETRC", "")
	t.Setenv("FTPGATE_USER", "")
	t.Setenv("FTPGATE_ACCOUNT", "")
	t.Setenv("FTPGATE_PASSWORD", "rw")
	return s
}

func signalsOnce() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	return c
}

func (s *served) write(t *testing.T, name, text string) {
	t.Helper()
	if err := s.fs.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := afero.WriteFile(s.fs, name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.fs.Chtimes(name, time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
}

func (s *served) read(name string) string {
	b, err := afero.ReadFile(s.fs, name)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// local writes a file of this machine and returns its path.
func (s *served) local(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ok runs a command line that must do what it should, and returns its output.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errOut := ftpgate(t, "", args...)
	if code != exitOK || errOut != "" {
		t.Errorf("ftpgate %q: exit code %d: %s", args, code, errOut)
	}
	return out
}

// sorted puts lines in order: a listing has any.
func sorted(text string) string { return strings.Join(slices.Sorted(strings.Lines(text)), "") }

// fails runs a command line that must not.
func fails(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	got, out, errOut := ftpgate(t, "", args...)
	if got != code || !strings.Contains(errOut, says) {
		t.Errorf("ftpgate %q: exit code %d, want %d and %q in:\n%s%s", args, got, code, says, out, errOut)
	}
}

func TestClientVerbs(t *testing.T) {
	s := serve(t)
	s.write(t, "/pub/a.txt", "alpha\n")
	s.write(t, "/pub/b c.txt", "beta\n")

	if out := sorted(ok(t, "ls", "-1", s.url+"pub/")); out != "a.txt\nb c.txt\n" {
		t.Errorf("ls -1: %q", out)
	}
	if out := ok(t, "ls", s.url+"pub/a.txt"); !strings.HasPrefix(out, "-rw") || !strings.Contains(out, " 6 ") || !strings.HasSuffix(out, "  pub/a.txt\n") {
		t.Errorf("ls of a file: %q", out)
	}
	if out := sorted(ok(t, "ls", "-R1", s.url)); out != "pub\npub/a.txt\npub/b c.txt\n" {
		t.Errorf("ls -R: %q", out)
	}
	var l listed
	if out := ok(t, "ls", "--json", s.url+"pub/a.txt"); json.Unmarshal([]byte(out), &l) != nil || *l.Size != 6 || l.Type != "file" || l.Time.Unix() != 1e9 {
		t.Errorf("ls --json: %q", out)
	}
	if out := ok(t, "cat", s.url+"pub/a.txt", s.url+"pub/b%20c.txt"); out != "alpha\nbeta\n" {
		t.Errorf("cat: %q", out)
	}

	ok(t, "get", s.url+"pub/a.txt", s.dir)
	ok(t, "get", s.url+"%2Fpub/b%20c.txt", filepath.Join(s.dir, "other"))
	for name, want := range map[string]string{"a.txt": "alpha\n", "other": "beta\n"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		i, _ := os.Stat(filepath.Join(s.dir, name))
		if err != nil || string(b) != want || i.ModTime().Unix() != 1e9 {
			t.Errorf("%s: %q, %v, %v", name, b, i, err)
		}
	}

	up := s.local(t, "up.txt", "upwards")
	ok(t, "mkdir", s.url+"in")
	ok(t, "mkdir", "-p", s.url+"in/x/y/", s.url+"in/x/y")
	ok(t, "put", up, s.url+"in/x/y/")
	ok(t, "put", "-P", "2", up, filepath.Join(s.dir, "a.txt"), s.url+"in/")
	ok(t, "put", up, s.url+"in/named")
	if a, b, c := s.read("/in/x/y/up.txt"), s.read("/in/a.txt"), s.read("/in/named"); a != "upwards" || b != "alpha\n" || c != "upwards" {
		t.Errorf("put: %q, %q, %q", a, b, c)
	}
	if i, err := s.fs.Stat("/in/a.txt"); err != nil || i.ModTime().Unix() != 1e9 {
		t.Errorf("the time of what was put: %v, %v", i, err)
	}
	if code, _, errOut := ftpgate(t, "from a pipe", "put", "-", s.url+"in/piped"); code != exitOK || s.read("/in/piped") != "from a pipe" {
		t.Errorf("put -: %q %s", s.read("/in/piped"), errOut)
	}

	ok(t, "mv", s.url+"in/named", "in/x/")
	ok(t, "mv", s.url+"in/x/named", s.url+"in/moved")
	if s.read("/in/moved") != "upwards" {
		t.Error("mv")
	}
	ok(t, "rm", s.url+"in/moved")
	fails(t, exitFailure, "DELE", "rm", s.url+"in/moved")
	ok(t, "rm", "-f", s.url+"in/moved")
	fails(t, exitFailure, "RMD", "rm", s.url+"in/x/")
	ok(t, "rm", "-r", s.url+"in")
	if _, err := s.fs.Stat("/in"); err == nil {
		t.Error("rm -r has left it there")
	}
}

func TestClientMistakes(t *testing.T) {
	s := serve(t)
	s.write(t, "/pub/a.txt", "alpha\n")
	fails(t, exitUsage, "the arguments are: ftpgate ls URL...", "ls")
	fails(t, exitUsage, "no URL", "ls", "host/path")
	fails(t, exitUsage, "argument 2", "cat", s.url+"a", "http://x/")
	fails(t, exitUsage, "not removed", "rm", "-r", s.url)
	fails(t, exitUsage, "not removed", "rm", "-r", s.url+"%2F")
	fails(t, exitUsage, "mirror fetches", "get", s.url+"pub/")
	fails(t, exitFailure, "mirror fetches", "get", s.url+"pub")
	fails(t, exitUsage, "more than one file", "put", "a", "b", s.url+"x")
	fails(t, exitUsage, "would replace the other", "put", "a/x", "b/x", s.url)
	fails(t, exitUsage, "would replace the other", "get", s.url+"a/x", s.url+"b/x")
	fails(t, exitUsage, "same server", "mv", s.url+"a", "ftp://other/b")
	fails(t, exitFailure, "550", "cat", s.url+"none")
	fails(t, exitFailure, "--ca-file: ", "ls", "--ca-file", filepath.Join(s.dir, "none"), s.url)
	if _, out, _ := ftpgate(t, "", "rm", "--json", s.url+"none"); !strings.Contains(out, `"path":"`+s.url+`none"`) {
		t.Errorf("which one it is, is not told: %s", out)
	}
	fails(t, exitFailure, "no such file", "put", filepath.Join(s.dir, "none"), s.url+"x")
	fails(t, exitFailure, "no certificate", "ls", "--ca-file", s.local(t, "no.pem", "x"), s.url)
	t.Setenv("FTPGATE_PASSWORD", "")
	fails(t, exitFailure, "no password for rw", "ls", s.url)
}

// TestClientSecrets: a password is neither in what is printed nor in what fails.
func TestClientSecrets(t *testing.T) {
	s := serve(t)
	const secret = "s3cret"
	url := strings.Replace(s.url, "rw@", "rw:"+secret+"@", 1)
	for _, args := range [][]string{
		{"ls", "-v", url}, {"ls", "--json", "-v", url + "x"}, {"get", url + "x", s.dir}, {"put", s.ca, url}, {"mv", url + "a", url + "b"},
		{"cat", url + "a;type=a"}, {"ls", strings.Replace(url, "@", "%zz@", 1)}, {"rm", url + "x", url + "y"},
		{"ls", strings.Replace(url, "ftp:", "fpt:", 1)},
	} {
		code, out, errOut := ftpgate(t, "", args...)
		if code == exitOK || strings.Contains(out+errOut, secret) {
			t.Errorf("%q: exit code %d:\n%s%s", args, code, out, errOut)
		}
	}
	_, _, errOut := ftpgate(t, "", "ls", url)
	if !strings.Contains(errOut, "warning: the password in the URL") {
		t.Errorf("no warning: %s", errOut)
	}
}

func TestClientTLS(t *testing.T) {
	s := serve(t)
	s.write(t, "/a.txt", "alpha\n")
	explicit := strings.Replace(s.url, "ftp:", "ftpes:", 1)
	fails(t, exitFailure, "certificate", "cat", explicit+"a.txt")
	if out := ok(t, "cat", "--ca-file", s.ca, explicit+"a.txt"); out != "alpha\n" {
		t.Errorf("%q", out)
	}
	code, out, errOut := ftpgate(t, "", "cat", "--insecure", explicit+"a.txt")
	if code != exitOK || out != "alpha\n" || !strings.Contains(errOut, "--insecure") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if out := ok(t, "cat", "--ca-file", s.ca, "--active", explicit+"a.txt"); out != "alpha\n" {
		t.Errorf("%q", out)
	}
}

func TestClientContinue(t *testing.T) {
	s := serve(t)
	s.write(t, "/big", strings.Repeat("0123456789", 1000))
	part := s.local(t, ".ftpgate-part.big", strings.Repeat("0123456789", 400)+"x")
	var e event
	if out := ok(t, "get", "--json", "--continue", s.url+"big", s.dir); json.Unmarshal([]byte(out), &e) != nil || e.Bytes != 5999 || e.Resumed != 4001 {
		t.Errorf("%s", out)
	}
	got, _ := os.ReadFile(filepath.Join(s.dir, "big"))
	if want := []byte(s.read("/big")); len(got) != len(want) || got[4000] != 'x' || !bytes.Equal(got[4001:], want[4001:]) {
		t.Errorf("%d bytes, not the two pieces", len(got))
	}
	if _, err := os.Stat(part); err == nil {
		t.Error("the temporary file is still there")
	}
	if out := ok(t, "get", "--json", "--continue", s.url+"big", s.dir); !strings.Contains(out, `"skipped"`) {
		t.Errorf("again: %s", out)
	}
	// Without --continue what was left is not used, nor is it if the file has changed.
	s.local(t, ".ftpgate-part.big", "garbage")
	ok(t, "get", s.url+"big", s.dir)
	if got, _ := os.ReadFile(filepath.Join(s.dir, "big")); string(got) != s.read("/big") {
		t.Error("what was left has been used")
	}
	s.local(t, ".ftpgate-part.big", "garbage")
	if err := os.Chtimes(part, time.Unix(1e9-100, 0), time.Unix(1e9-100, 0)); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(s.dir, "big"))
	ok(t, "get", "--continue", s.url+"big", s.dir)
	if got, _ := os.ReadFile(filepath.Join(s.dir, "big")); string(got) != s.read("/big") {
		t.Error("what was left of an older file has been used")
	}

	up := s.local(t, "up", "0123456789")
	s.write(t, "/up", "abcd")
	if out := ok(t, "put", "--json", "--continue", up, s.url+"up"); !strings.Contains(out, `"bytes":6,"resumed_at":4`) || s.read("/up") != "abcd456789" {
		t.Errorf("%s: %q", out, s.read("/up"))
	}
	if out := ok(t, "put", "--json", "--continue", up, s.url+"up"); !strings.Contains(out, `"skipped"`) {
		t.Errorf("again: %s", out)
	}
	s.write(t, "/up", "longer than that")
	fails(t, exitFailure, "not the beginning", "put", "--continue", up, s.url+"up")
	ok(t, "put", up, s.url+"up")
	if s.read("/up") != "0123456789" {
		t.Errorf("%q", s.read("/up"))
	}
}

func TestClientProbe(t *testing.T) {
	s := serve(t)
	out := ok(t, "probe", "--ca-file", s.ca, s.url)
	for _, want := range []string{"ok       greeting ", "ok       certificate ", "ok       round trip "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	code, out, errOut := ftpgate(t, "", "probe", "--json", s.url)
	if code != exitFailure || errOut != "" || !strings.Contains(out, `{"check":"certificate","state":"problem",`) {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	fails(t, exitUsage, "port", "probe", "host:port")
}
