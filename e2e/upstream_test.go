package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestCutPointsUpstream cuts uploads that go through the gateway to an FTP server, a gateway itself.
func TestCutPointsUpstream(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some ten seconds")
	}
	host := t.TempDir()
	behind := start(t, cutConfig(host, "60s"))
	usual := start(t, upstreamConfig(behind, "60s"))
	stalling := start(t, upstreamConfig(behind, "1s"))
	for _, w := range ways {
		for i, n := range points(w.size) {
			for j, v := range variants {
				t.Run(fmt.Sprintf("%s/%d/%s", w.name, n, v.name), func(t *testing.T) {
					t.Parallel()
					s := v.scene
					if s.g, s.backend = usual, "ftp"; !v.window { // what is held lies beside the file
						s.host = host
					}
					if w.name == "stall" {
						s.g = stalling
					}
					s.set(t, fmt.Sprintf("%s %d %d", w.name, i, j), w.size)
					s.check(t, "before", false)
					w.cut(t, &s, n)
					s.check(t, "after", n == len(s.content))
					if s.window {
						s.resume(t, n)
					}
					s.clear(t)
				})
			}
		}
	}
}

// TestKilledGatewayUpstream: the gateway is killed in mid-upload. The old file stays, and the next
// upload works; a server that drops what is cut keeps nothing of it.
func TestKilledGatewayUpstream(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	host := t.TempDir()
	behind := start(t, cutConfig(host, "60s"))
	g := start(t, upstreamConfig(behind, "60s"))
	s := scene{g: g, backend: "ftp", host: host, old: true}
	s.set(t, "killed", smallUpload)
	s.begin(t, smallUpload/2)
	s.check(t, "while it runs", false)
	g.kill()
	s.g = startFile(t, g.config, 1)
	s.watch(t)
	s.check(t, "after the restart", false)
	c := login(t, s.g.address["main"], s.user())
	c.store(s.content, "STOR %s", s.path())
	s.published(t, c)
	c.quit()
	if found, _ := filepath.Glob(filepath.Join(host, s.dir, ".ftpgate-*")); len(found) > 0 {
		t.Errorf("left behind: %q", found)
	}
}

// upstreamConfig has users on the directory of another gateway.
func upstreamConfig(behind *gateway, stall string) string {
	config := fmt.Sprintf(`
listener "main" { address = "127.0.0.1:0" }
limits {
  max_connections_per_ip = 500
  stall_timeout          = %q
}
log { format = "json" }
backend "ftp" "tree" {
  address         = %q
  user            = "local"
  password        = %q
  tls             = "none"
  max_connections = 200
}
`, stall, behind.address["main"], password)
	for _, x := range []struct{ name, more string }{
		{"ftp", ""}, {"ftp-watch", "  access = \"read-only\"\n"}, {"ftp-window", "  resume_window = \"10m\"\n"},
	} {
		config += fmt.Sprintf("user %q {\n  password_hash = %q\n  filesystem = backend.ftp.tree\n%s}\n", x.name, passwordHash, x.more)
	}
	return config
}
