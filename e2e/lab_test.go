//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lab is a gateway with a user for each job, and the directories behind it.
type lab struct {
	*gateway
	mirror  string // anonymous: read-only
	dropbox string // scanner (on_conflict = "rename") and camera: upload only
	home    string // owner and patient: everything; patient can resume
	work    string // where clients run
	ipv6    bool
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{mirror: t.TempDir(), dropbox: t.TempDir(), home: t.TempDir(), work: t.TempDir()}
	listeners := "listener \"v4\" { address = \"127.0.0.1:0\" }\n"
	if probe, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		probe.Close()
		l.ipv6 = true
		listeners += "listener \"v6\" { address = \"[::1]:0\" }\n"
	}
	user := func(name, filesystem, more string) string {
		return fmt.Sprintf("user %q {\n  password_hash = %q\n  filesystem = %s\n%s}\n", name, passwordHash, filesystem, more)
	}
	l.gateway = start(t, listeners+fmt.Sprintf(`
limits { max_connections_per_ip = 100 }
log { format = "json" }
backend "local" "mirror" { root = %q }
backend "local" "dropbox" { root = %q }
backend "local" "home" { root = %q }
backend "memory" "scratch" { max_size = "512MiB" }
anonymous { filesystem = backend.local.mirror }
`, l.mirror, l.dropbox, l.home)+
		user("scanner", "backend.local.dropbox", "  access = \"drop-box\"\n  on_conflict = \"rename\"\n")+
		user("camera", "backend.local.dropbox", "  access = \"drop-box\"\n")+
		user("owner", "backend.local.home", "")+
		user("careful", "backend.local.home", "  on_conflict = \"refuse\"\n")+
		user("patient", "backend.local.home", "  resume_window = \"10m\"\n")+
		user("memory", "backend.memory.scratch", ""))
	return l
}

// families are the names of the listeners, "v4" and "v6".
func (l *lab) families(t *testing.T) []string {
	if !l.ipv6 {
		t.Log("SKIPPED for IPv6: this machine has no ::1")
		return []string{"v4"}
	}
	return []string{"v4", "v6"}
}

func (l *lab) at(family string) netip.AddrPort { return l.address[family] }

// url names a path as a user sees it. The user "" is anonymous.
func (l *lab) url(family, user, path string) string {
	u := url.URL{Scheme: "ftp", Host: l.at(family).String(), Path: path}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String()
}

// need skips the test if a client is not installed, or fails it where all must be.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("E2E_REQUIRE") == "1" || os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", program)
		}
		t.Skipf("%s is not installed", program)
	}
}

// command prepares a client program to run in the lab's work directory.
func (l *lab) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, name)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = l.work
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC", "HOME="+l.work, "TERM=dumb")
	// A session of its own: some clients write to the terminal whatever is asked of them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// run runs a client that must succeed, and returns what it wrote to its output.
func (l *lab) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, text, code := l.try(t, "", name, args...)
	if code != 0 {
		t.Fatalf("%s %q ended with %d\n%s\nlog of the gateway:\n%s", name, args, code, text, l.log.tail(20))
	}
	return out
}

// try runs a client with input and returns its output, output with errors, and exit code.
func (l *lab) try(t *testing.T, input, name string, args ...string) (out, text string, code int) {
	t.Helper()
	cmd := l.command(t, name, args...)
	var stdout bytes.Buffer
	var both transcript
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout = io.MultiWriter(&stdout, &both)
	cmd.Stderr = &both
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s %q: %v\n%s", name, args, err, both.String())
	}
	if cmd.ProcessState.ExitCode() < 0 {
		t.Fatalf("%s %q: %v\n%s", name, args, cmd.ProcessState, both.String())
	}
	return stdout.String(), both.String(), cmd.ProcessState.ExitCode()
}

// transcript is all that a client writes. Its output and its errors come from a
// goroutine each.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// put writes a file of a directory of this machine.
func put(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// same expects a file to have this content.
func same(t *testing.T, dir, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s has %d bytes, want %d, or other ones", name, len(got), len(want))
	}
}

// missing expects that there is no such file.
func missing(t *testing.T, dir, name string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s: %v, want none", name, err)
	}
}

// listed are the names in a directory of this machine that clients can see.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".ftpgate" {
			names = append(names, e.Name())
		}
	}
	return names
}
