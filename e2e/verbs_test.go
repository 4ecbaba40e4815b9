//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
)

// place is a server that the verbs of the binary are tried on.
type place struct {
	url      string // of a directory where the user may do everything, with a "/" at its end
	password string
	ca       string // file, or ""
	root     string // the directory, on this machine
}

// places are the gateway, in clear text and over TLS, and the servers of others, over TLS. Those of others are missing without
// FTPGATE_TEST_PEERS, which is a failure with E2E_REQUIRE=1 or FTPGATE_TEST_PEERS_REQUIRE=1.
func places(t *testing.T, use func(t *testing.T, p place)) {
	t.Run("ftpgate", func(t *testing.T) {
		l := newLab(t)
		use(t, place{url: "ftp://owner@" + l.at("v4").String() + "/", password: password, root: l.home})
	})
	t.Run("ftpgate-tls", func(t *testing.T) {
		dir := t.TempDir()
		a := ftptest.NewAuthority(t)
		cert, key := ftptest.PEM(t, a.Server())
		put(t, dir, "cert.pem", cert)
		if err := os.Chmod(put(t, dir, "key.pem", key), 0o600); err != nil {
			t.Fatal(err)
		}
		root := t.TempDir()
		g := start(t, fmt.Sprintf(`
listener "main" {
  address = "127.0.0.1:0"
  tls {
    cert_file     = %q
    key_file      = %q
    session_reuse = "require"
  }
}
log { format = "json" }
backend "local" "home" { root = %q }
user "owner" {
  password_hash = %q
  filesystem    = backend.local.home
}
`, dir+"/cert.pem", dir+"/key.pem", root, passwordHash))
		use(t, place{"ftpes://owner@" + g.address["main"].String() + "/", password, put(t, dir, "ca.pem", a.PEM()), root})
	})
	if os.Getenv("E2E_REQUIRE") == "1" {
		t.Setenv("FTPGATE_TEST_PEERS_REQUIRE", "1")
	}
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			o := peers.Start(t, name, peers.Options{TLS: true})
			at := "ftpes://" + o.User + "@" + o.Addr + "/%2F" + strings.TrimPrefix(o.Dir, "/")
			use(t, place{strings.TrimSuffix(at, "/") + "/", o.Password, put(t, t.TempDir(), "ca.pem", o.Authority.PEM()), o.Root})
		})
	}
}

// verb runs the binary and returns its output, its errors and its exit code.
func (p place) verb(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	if p.ca != "" {
		args = append(args, "--ca-file", p.ca)
	}
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Env = p.env(t)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func (p place) env(t *testing.T) []string {
	return append(os.Environ(), "FTPGATE_PASSWORD="+p.password, "FTPGATE_USER=", "NETRC=", "HOME="+t.TempDir())
}

// ok runs a verb that must succeed in silence, and returns its output.
func (p place) ok(t *testing.T, args ...string) string {
	t.Helper()
	out, errOut, code := p.verb(t, args...)
	if code != 0 || errOut != "" {
		t.Errorf("ftpgate %q: exit code %d: %s%s", args, code, out, errOut)
	}
	return out
}

// TestVerbs: the verbs do on every server what they say.
func TestVerbs(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		t.Run("files", p.files)
		t.Run("mirror", p.mirror)
		t.Run("probe", p.probe)
		t.Run("terminated", p.terminated)
	})
}

// left is what the verbs have left in the directory, but for the gateway's own.
func (p place) left(t *testing.T) (names []string) {
	t.Helper()
	all, err := os.ReadDir(p.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Name() != ".ftpgate" {
			names = append(names, e.Name())
		}
	}
	return names
}

func (p place) files(t *testing.T) {
	work := t.TempDir()
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	a, b := put(t, work, "a b.txt", []byte("alpha\r\n\n")), put(t, work, "big", big)

	p.ok(t, "mkdir", "-p", p.url+"x/y")
	p.ok(t, "put", "-P", "2", a, b, p.url+"x/y/")
	if got, err := os.ReadFile(filepath.Join(p.root, "x/y/big")); err != nil || !bytes.Equal(got, big) {
		t.Errorf("put: %d bytes, %v", len(got), err)
	}
	var e struct {
		Name, Type string
		Size       int64
	}
	if out := p.ok(t, "ls", "--json", p.url+"x/y/big"); json.Unmarshal([]byte(out), &e) != nil || e.Size != int64(len(big)) || e.Type != "file" {
		t.Errorf("ls --json: %s", out)
	}
	if out := p.ok(t, "cat", p.url+"x/y/a%20b.txt"); out != "alpha\r\n\n" {
		t.Errorf("cat: %q", out)
	}

	// A download that an earlier run has begun goes on.
	to := t.TempDir()
	part := put(t, to, ".ftpgate-part.big", big[:1<<20])
	if err := os.Chtimes(part, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if out := p.ok(t, "get", "--json", "--continue", p.url+"x/y/big", to); !strings.Contains(out, `"bytes":3145728,"resumed_at":1048576`) {
		t.Errorf("get --continue: %s", out)
	}
	if got, err := os.ReadFile(filepath.Join(to, "big")); err != nil || !bytes.Equal(got, big) {
		t.Errorf("get: %d bytes, %v", len(got), err)
	}
	// So does an upload, of what another client has left under the final name.
	if err := os.Truncate(filepath.Join(p.root, "x/y/big"), 1<<20); err != nil {
		t.Fatal(err)
	}
	if out := p.ok(t, "put", "--json", "--continue", b, p.url+"x/y/big"); !strings.Contains(out, `"resumed_at":1048576`) {
		t.Errorf("put --continue: %s", out)
	}
	if got, err := os.ReadFile(filepath.Join(p.root, "x/y/big")); err != nil || !bytes.Equal(got, big) {
		t.Errorf("put --continue: %d bytes, %v", len(got), err)
	}

	p.ok(t, "mv", p.url+"x/y/big", p.url+"x/moved")
	p.ok(t, "rm", p.url+"x/moved")
	for _, args := range [][]string{
		{"cat", p.url + "none"}, {"get", p.url + "none", to}, {"rm", p.url + "x/moved"}, {"rm", p.url + "x/"}, {"mkdir", p.url + "x"},
	} {
		if out, errOut, code := p.verb(t, args...); code != 1 || out != "" || !strings.Contains(errOut, "ftpgate: ") {
			t.Errorf("%q: exit code %d: %s%s", args, code, out, errOut)
		}
	}
	if _, _, code := p.verb(t, "rm", "-r", p.url+"x/."); code != 2 {
		t.Errorf("rm -r of .: exit code %d", code)
	}
	p.ok(t, "rm", "-r", p.url+"x")
	if left := p.left(t); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func (p place) mirror(t *testing.T) {
	from := t.TempDir()
	for i := range 20 {
		put(t, from, fmt.Sprintf("d%d/sub/f%d", i%3, i), bytes.Repeat([]byte{byte(i)}, i*5000))
	}
	put(t, from, "a b", []byte("alpha"))
	put(t, from, "skip.tmp", []byte("x"))
	up := []string{"mirror", "--parallel", "4", "--exclude", "*.tmp", from, p.url + "site"}
	if out := p.ok(t, append(up, "--dry-run")...); strings.Count(out, "copy ") != 21 {
		t.Errorf("dry run: %s", out)
	}
	if left := p.left(t); len(left) > 0 {
		t.Errorf("the dry run has made %q", left)
	}
	p.ok(t, up...)
	if out := p.ok(t, append(up, "--json")...); out != "" {
		t.Errorf("again: %s", out)
	}
	to := filepath.Join(t.TempDir(), "copy")
	down := []string{"mirror", "--delete", p.url + "site/", to}
	put(t, to, "extra/x", []byte("x"))
	p.ok(t, down...)
	os.Remove(filepath.Join(from, "skip.tmp"))
	if out, err := exec.CommandContext(t.Context(), "diff", "-r", from, to).CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	if out := p.ok(t, append(down, "--json")...); out != "" {
		t.Errorf("down again: %s", out)
	}
	// What is gone here goes there, if wanted; not with a source that has nothing.
	if err := os.RemoveAll(filepath.Join(from, "d0")); err != nil {
		t.Fatal(err)
	}
	if out := p.ok(t, append(up, "--delete", "--json")...); !strings.Contains(out, `"delete directory","path":"d0"`) {
		t.Errorf("delete: %s", out)
	}
	if _, err := os.Stat(filepath.Join(p.root, "site/d0")); err == nil {
		t.Error("d0 is still there")
	}
	if _, errOut, code := p.verb(t, "mirror", "--delete", t.TempDir(), p.url+"site"); code != 1 || !strings.Contains(errOut, "source is empty") {
		t.Errorf("an empty source: exit code %d: %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(p.root, "site/d1")); err != nil {
		t.Error(err)
	}
	p.ok(t, "rm", "-r", p.url+"site")
}

// probe: the doctor finds nothing wrong with servers that are well.
func (p place) probe(t *testing.T) {
	out := p.ok(t, "probe", p.url)
	if !strings.Contains(out, "ok       passive ") || strings.Contains(out, "problem ") || strings.Contains(out, "ftpclient:") {
		t.Errorf("%s", out)
	}
	if left := p.left(t); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// terminated: of an upload that SIGTERM ends, nothing is there under any name.
func (p place) terminated(t *testing.T) {
	args := []string{"put", "-", p.url + "cut"}
	if p.ca != "" {
		args = append(args, "--ca-file", p.ca)
	}
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	cmd.Env = p.env(t)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds: when all of it is gone, the upload goes on.
	if _, err := in.Write(make([]byte, 1<<20)); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(errOut.String(), "interrupted") {
		t.Errorf("%v: %s", err, errOut.String())
	}
	ftptest.Eventually(t, "the server to drop it", func() bool { return len(p.left(t)) == 0 })
}

// TestVerbTLS: what is wrong with TLS is told in words that help.
func TestVerbTLS(t *testing.T) {
	l := newLab(t)
	clear := place{password: password}
	for _, x := range []struct{ scheme, says string }{
		{"ftpes", "refused TLS"},
		{"ftps", "ftpes://"},
	} {
		u := url.URL{Scheme: x.scheme, User: url.User("owner"), Host: l.at("v4").String(), Path: "/"}
		if _, errOut, code := clear.verb(t, "ls", "--timeout", "2s", "--retries", "0", u.String()); code != 1 || !strings.Contains(errOut, x.says) {
			t.Errorf("%s: exit code %d: %s", x.scheme, code, errOut)
		}
	}
}
