package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// The cut-point test: whatever ends an upload, and wherever, everybody sees
// the old file or the whole new one, and nothing else. Where the user has a
// resume window, what had arrived is held and the upload goes on from there.

const (
	smallUpload = 3<<20 + 17 // more than the gateway's and the kernel's buffers
	largeUpload = 64 << 20
	fileName    = "report.bin"
)

var oldContent = []byte("what was there before\n")

// scene is one upload that is going to be cut.
type scene struct {
	g       *gateway
	backend string // local or memory
	host    string // of local: its directory on this machine
	window  bool   // the user has a resume window
	old     bool   // the name is taken
	append  bool   // go on with APPE, not with REST and STOR

	dir     string // of the gateway, this scene's own
	content []byte // the whole new file
	since   int    // lines in the log before the upload
	watcher *client
}

func (s *scene) user() string {
	if s.window {
		return s.backend + "-window"
	}
	return s.backend
}

func (s *scene) path() string { return s.dir + "/" + fileName }

// set lays the scene out.
func (s *scene) set(t *testing.T, dir string, size int) {
	t.Helper()
	s.dir, s.content = "/"+dir, content(size)
	c := login(t, s.g.address["main"], s.backend)
	c.do(257, "MKD %s", s.dir)
	if s.old {
		c.store(oldContent, "STOR %s", s.path())
	}
	c.quit()
	s.watch(t)
}

func (s *scene) watch(t *testing.T) {
	t.Helper()
	s.watcher = login(t, s.g.address["main"], s.backend+"-watch")
}

// begin starts the upload; n bytes have arrived when it returns.
func (s *scene) begin(t *testing.T, n int) (*client, *net.TCPConn) {
	t.Helper()
	s.since = s.g.log.length()
	c := login(t, s.g.address["main"], s.user())
	data := c.passive()
	c.do(150, "STOR %s", s.path())
	if _, err := data.Write(s.content[:n]); err != nil {
		t.Fatal(err)
	}
	c.arrived(n)
	return c, data
}

// check holds what everybody sees against what may be seen. The new file may only
// be there if it may be complete.
func (s *scene) check(t *testing.T, when string, complete bool) {
	t.Helper()
	allowed := map[string][]byte{}
	if s.old {
		allowed["old"] = oldContent
	}
	if complete {
		allowed["new"] = s.content
	}
	hold := func(where string, names []string, get func() ([]byte, bool)) {
		t.Helper()
		if len(names) == 0 && !s.old {
			return
		}
		if !slices.Equal(names, []string{fileName}) {
			t.Fatalf("%s: %s shows %q", when, where, names)
		}
		got, ok := get()
		if !ok {
			t.Fatalf("%s: %s shows a file that cannot be read", when, where)
		}
		for _, content := range allowed {
			if bytes.Equal(got, content) {
				return
			}
		}
		t.Fatalf("%s: %s has a file of %d bytes that is none of %v (the new one has %d)",
			when, where, len(got), slices.Sorted(maps.Keys(allowed)), len(s.content))
	}
	hold("the gateway", s.watcher.names(s.dir), func() ([]byte, bool) {
		got, code := s.watcher.fetch("RETR %s", s.path())
		return got, code == 226
	})
	if s.host != "" {
		entries, err := os.ReadDir(filepath.Join(s.host, s.dir))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		hold("the directory", names, func() ([]byte, bool) {
			got, err := os.ReadFile(filepath.Join(s.host, s.path()))
			return got, err == nil
		})
	}
}

// resume completes an upload of which n bytes had arrived.
func (s *scene) resume(t *testing.T, n int) {
	t.Helper()
	c := login(t, s.g.address["main"], s.user())
	defer c.quit()
	if n == 0 { // nothing was held
		c.store(s.content, "STOR %s", s.path())
		s.published(t, c)
		return
	}
	if size := c.do(213, "SIZE %s", s.path()); size != strconv.Itoa(n) {
		t.Fatalf("SIZE of what is held is %s, but %d bytes had arrived\n%s", size, n, s.g.log.about(s.dir))
	}
	if names := c.names(s.dir); len(names) > 1 || len(names) == 1 && (names[0] != fileName || !s.old) {
		t.Fatalf("what is held shows up in a listing: %q", names)
	}
	if s.append {
		c.store(s.content[n:], "APPE %s", s.path())
	} else {
		c.do(350, "REST %d", n)
		c.store(s.content[n:], "STOR %s", s.path())
	}
	s.published(t, c)
}

// published expects the whole new file and nothing else.
func (s *scene) published(t *testing.T, c *client) {
	t.Helper()
	if got, _ := c.fetch("RETR %s", s.path()); !bytes.Equal(got, s.content) {
		t.Fatalf("the completed file has %d bytes, want %d, or differs", len(got), len(s.content))
	}
	if names := c.names(s.dir); !slices.Equal(names, []string{fileName}) {
		t.Fatalf("after completion the directory shows %q", names)
	}
}

// A way for a client to go away from an upload of which n bytes have arrived. It
// returns when the gateway is done with it.
type way struct {
	name string
	size int
	cut  func(t *testing.T, s *scene, n int)
}

var ways = []way{
	{"control closed before data", smallUpload, func(t *testing.T, s *scene, n int) {
		c, _ := s.begin(t, n) // the data connection stays open until the test ends
		c.control.Close()
		s.check(t, "at once", n == len(s.content))
		s.g.gone(t, c.address(), s.since)
	}},
	{"data ends, control gone", smallUpload, func(t *testing.T, s *scene, n int) {
		c, data := s.begin(t, n)
		c.control.Close()
		data.Close()
		s.check(t, "at once", n == len(s.content))
		s.g.gone(t, c.address(), s.since)
	}},
	{"data reset", smallUpload, func(t *testing.T, s *scene, n int) {
		c, data := s.begin(t, n)
		data.SetLinger(0)
		data.Close()
		c.expect(426)
		c.quit()
		s.g.gone(t, c.address(), s.since)
	}},
	{"ABOR", smallUpload, func(t *testing.T, s *scene, n int) {
		c, _ := s.begin(t, n)
		c.do(426, "ABOR")
		c.expect(226)
		c.quit()
		s.g.gone(t, c.address(), s.since)
	}},
	{"stall", smallUpload, func(t *testing.T, s *scene, n int) {
		// All is under way before the gateway begins to wait: a client that is held up by the machine would stall earlier.
		s.since = s.g.log.length()
		c := login(t, s.g.address["main"], s.user())
		data := c.passive()
		sent := make(chan error, 1)
		go func() {
			_, err := data.Write(s.content[:n])
			sent <- err
		}()
		c.do(150, "STOR %s", s.path())
		c.expect(426)
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		c.quit()
		s.g.gone(t, c.address(), s.since)
	}},
	{"client killed", largeUpload, func(t *testing.T, s *scene, n int) {
		address := killClient(t, s, n)
		s.check(t, "at once", n == len(s.content))
		s.g.gone(t, address, s.since)
	}},
}

// points are where an upload of this size is cut.
func points(size int) []int { return []int{0, 1, size / 3, size - 1, size} }

// variants are the scenes that every cut point is tried in.
var variants = []struct {
	name string
	scene
}{
	{"fresh", scene{}},
	{"replacing", scene{old: true}},
	{"held fresh", scene{window: true}},
	{"held replacing", scene{window: true, old: true, append: true}},
}

func TestCutPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some ten seconds")
	}
	host := t.TempDir()
	usual := start(t, cutConfig(host, "60s"))
	stallHost := t.TempDir()
	stalling := start(t, cutConfig(stallHost, "1s"))
	for _, w := range ways {
		for _, backend := range []string{"local", "memory"} {
			for i, n := range points(w.size) {
				for j, v := range variants {
					t.Run(fmt.Sprintf("%s/%s/%d/%s", w.name, backend, n, v.name), func(t *testing.T) {
						t.Parallel()
						s := v.scene
						s.g, s.backend, s.host = usual, backend, host
						if w.name == "stall" {
							s.g, s.host = stalling, stallHost
						}
						if backend == "memory" {
							s.host = ""
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
}

// clear removes the scene: memory is short.
func (s *scene) clear(t *testing.T) {
	t.Helper()
	c := login(t, s.g.address["main"], s.backend)
	if len(c.names(s.dir)) > 0 {
		c.do(250, "DELE %s", s.path())
	}
	c.do(250, "RMD %s", s.dir)
	c.quit()
}

// TestKilledGateway cuts uploads by killing the gateway, and starts it again on the same directory.
func TestKilledGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	host := t.TempDir()
	config := cutConfig(host, "60s")
	g := start(t, config)
	type cut struct {
		scene
		n int
	}
	var cuts []cut
	add := func(v scene, dir string, size, n int) {
		s := v
		s.g, s.backend, s.host = g, "local", host
		s.set(t, dir, size)
		s.begin(t, n)
		s.check(t, "while it runs", false)
		cuts = append(cuts, cut{s, n})
	}
	for i, n := range points(smallUpload) {
		for j, v := range variants {
			add(v.scene, fmt.Sprintf("killed %d %d", i, j), smallUpload, n)
		}
	}
	add(scene{window: true, old: true}, "killed large", largeUpload, largeUpload/2)
	inMemory := scene{g: g, backend: "memory"}
	inMemory.set(t, "killed", smallUpload)
	inMemory.begin(t, smallUpload/2)

	g.kill()
	g = startFile(t, g.config, 1)
	for _, c := range cuts {
		t.Run(fmt.Sprintf("%s/%d", c.dir[1:], c.n), func(t *testing.T) {
			c.g = g
			c.watch(t)
			c.check(t, "after the restart", c.n == len(c.content))
			if c.window {
				c.resume(t, c.n)
			}
		})
	}
	t.Run("memory", func(t *testing.T) { // starts empty, and works
		inMemory.g = g
		inMemory.watch(t)
		if names := inMemory.watcher.names("/"); len(names) != 0 {
			t.Fatalf("the tree in memory begins with %q", names)
		}
		inMemory.set(t, "again", 1000)
		inMemory.resume(t, 0)
	})
}

// TestLenientCommit: a device that hangs up at once loses nothing under commit = "lenient".
func TestLenientCommit(t *testing.T) {
	host := t.TempDir()
	g := start(t, cutConfig(host, "60s"))
	s := scene{g: g, backend: "local", host: host}
	s.set(t, "lenient", smallUpload)
	c := login(t, g.address["main"], "local-lenient")
	data := c.passive()
	c.do(150, "STOR %s", s.path())
	data.Write(s.content)
	c.control.Close()
	data.Close()
	g.gone(t, c.address(), 0)
	s.published(t, s.watcher)
}

// cutConfig has a local and a memory backend, with four users on each.
func cutConfig(host, stall string) string {
	user := func(backend, name, more string) string {
		return fmt.Sprintf("user %q {\n  password_hash = %q\n  filesystem = backend.%s.tree\n%s}\n", name, passwordHash, backend, more)
	}
	config := fmt.Sprintf(`
listener "main" { address = "127.0.0.1:0" }
limits {
  max_connections_per_ip = 500
  stall_timeout          = %q
}
log { format = "json" }
backend "local" "tree" { root = %q }
backend "memory" "tree" { max_size = "2GiB" }
`, stall, host)
	for _, b := range []string{"local", "memory"} {
		config += user(b, b, "") +
			user(b, b+"-window", "  resume_window = \"10m\"\n") +
			user(b, b+"-watch", "  access = \"read-only\"\n") +
			user(b, b+"-lenient", "  commit = \"lenient\"\n")
	}
	return config
}
