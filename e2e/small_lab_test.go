//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
)

// newSmallLab starts a gateway with the listener "main", the user "owner", and what else
// a test is about: attributes of the two, and more of the configuration.
func newSmallLab(t *testing.T, listener, user, more string) *lab {
	t.Helper()
	need(t, "curl")
	l := &lab{home: t.TempDir(), work: t.TempDir()}
	l.gateway = start(t, fmt.Sprintf(`
listener "main" {
  address = "127.0.0.1:0"
  %s
}
log { format = "json" }
backend "local" "home" { root = %q }
user "owner" {
  password_hash = %q
  filesystem    = backend.local.home
  %s
}
%s`, listener, l.home, passwordHash, user, more))
	return l
}

// order gives the running gateway an order, such as those of ftpgate ban.
func (g *gateway) order(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.Command(binary(t), append(args, "--config", g.config)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// terminate sends SIGTERM and returns when the gateway has begun to stop.
func (g *gateway) terminate(t *testing.T) {
	t.Helper()
	g.ended = true
	g.cmd.Process.Signal(syscall.SIGTERM)
	if _, err := g.log.wait(t.Context(), func(l logLine) bool { return l.Message == "stopping; running transfers may finish" }); err != nil {
		t.Fatal(err)
	}
}
