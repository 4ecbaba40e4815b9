package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	password = "secret words"
	// passwordHash is bcrypt of password at the least cost, so that tests spend their time elsewhere.
	passwordHash = "$2b$04$abcdefghijklmnopqrstuu04y42tkPF2BFR19Mw0wbfxqImORSUyq"

	patience = 30 * time.Second // for anything that should happen at once
)

func TestMain(m *testing.M) {
	if os.Getenv(uploadChild) != "" {
		os.Exit(childUpload())
	}
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

var built struct {
	once sync.Once
	dir  string
	err  error
}

// binary builds ftpgate once, under the race detector if the tests are. With
// E2E_BINARY set, that one is tested instead.
func binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("E2E_BINARY"); path != "" {
		return path
	}
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "ftpgate-e2e-"); built.err != nil {
			return
		}
		args := []string{"build", "-trimpath", "-o", built.dir}
		cgo := "CGO_ENABLED=0"
		if raceEnabled {
			args, cgo = append(args, "-race"), "CGO_ENABLED=1"
		}
		cmd := exec.Command("go", append(args, "github.com/ftpgate/ftpgate/cmd/ftpgate")...)
		cmd.Env = append(os.Environ(), cgo)
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "ftpgate")
}

// gateway is a running ftpgate.
type gateway struct {
	address map[string]netip.AddrPort // of each listener, by name
	log     *logLines
	config  string // path of the configuration

	cmd   *exec.Cmd
	ended bool          // by the test
	done  chan struct{} // closed when the process has been waited for
	err   error         // how it ended; after done
}

// start runs ftpgate with this configuration until the test ends, and returns
// when all its listeners stand.
func start(t testing.TB, config string) *gateway {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.hcl")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return startFile(t, path, strings.Count(config, "listener \""))
}

func startFile(t testing.TB, path string, listeners int) *gateway {
	t.Helper()
	g := &gateway{
		address: make(map[string]netip.AddrPort), config: path,
		log: newLogLines(), done: make(chan struct{}),
		cmd: exec.Command(binary(t), "serve", "--config", path),
	}
	stderr, err := g.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		g.log.collect(stderr)
		g.err = g.cmd.Wait()
		g.log.end()
		close(g.done)
	}()
	t.Cleanup(func() {
		g.stop(t)
		for _, word := range []string{"DATA RACE", "panic: ", `"stack"`} {
			if strings.Contains(g.log.text(), word) {
				t.Errorf("%q in the log of the gateway:\n%s", word, g.log.text())
				break
			}
		}
	})
	for range listeners {
		line, err := g.log.wait(t.Context(), func(l logLine) bool {
			_, known := g.address[l.Listener]
			return l.Message == "listening" && !known
		})
		if err != nil {
			t.Fatalf("the gateway does not listen: %v\n%s", err, g.log.text())
		}
		g.address[line.Listener], err = netip.ParseAddrPort(line.Address)
		if err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// stop asks the gateway to stop and expects that it does so well.
func (g *gateway) stop(t testing.TB) {
	t.Helper()
	select {
	case <-g.done:
		if !g.ended {
			t.Errorf("the gateway has ended by itself: %v\n%s", g.err, g.log.tail(20))
		}
		return
	default:
	}
	g.ended = true
	g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.done:
		if g.err != nil {
			t.Errorf("the gateway ended with %v\n%s", g.err, g.log.text())
		}
	case <-time.After(patience):
		g.cmd.Process.Kill()
		<-g.done
		t.Errorf("the gateway did not stop on SIGTERM\n%s", g.log.text())
	}
}

// memory is a figure of the gateway's process in bytes: VmRSS is what it occupies,
// VmHWM the most that it ever did.
func (g *gateway) memory(t testing.TB, figure string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		t.Skip("nothing here tells how much memory a process has")
	}
	_, rest, _ := strings.Cut(string(status), figure+":")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// kill ends the gateway without warning.
func (g *gateway) kill() {
	g.ended = true
	g.cmd.Process.Kill()
	<-g.done
}

// logLine is a line of the gateway's log, as far as tests look at it.
type logLine struct {
	Message  string `json:"message"`
	Listener string `json:"listener"`
	Address  string `json:"address"`
	Session  string `json:"session"`
	Client   string `json:"client"` // its end of the control connection
	User     string `json:"user"`
	Path     string `json:"path"`
	Outcome  string `json:"outcome"`
	Reply    int    `json:"reply"`
}

// logLines collects a log and lets tests wait for a line of it.
type logLines struct {
	mu    sync.Mutex
	raw   []string
	lines []logLine
	ended bool
	more  chan struct{} // closed and replaced when a line comes or the log ends
}

func newLogLines() *logLines { return &logLines{more: make(chan struct{})} }

func (l *logLines) collect(r io.Reader) {
	for s := bufio.NewReader(r); ; {
		raw, err := s.ReadString('\n')
		if raw = strings.TrimSuffix(raw, "\n"); raw != "" {
			var line logLine
			json.Unmarshal([]byte(raw), &line) // a line that is no JSON has no message
			l.mu.Lock()
			l.raw, l.lines = append(l.raw, raw), append(l.lines, line)
			l.wake()
			l.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (l *logLines) end() {
	l.mu.Lock()
	l.ended = true
	l.wake()
	l.mu.Unlock()
}

func (l *logLines) wake() {
	close(l.more)
	l.more = make(chan struct{})
}

func (l *logLines) text() string { return l.tail(1 << 30) }

// length is how many lines there are.
func (l *logLines) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.raw)
}

// tail are the last n lines.
func (l *logLines) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.raw[max(0, len(l.raw)-n):], "\n")
}

// about are the lines that contain word.
func (l *logLines) about(word string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, line := range l.raw {
		if strings.Contains(line, word) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// wait returns the first line that is wanted, whether it has come already or not.
func (l *logLines) wait(ctx context.Context, wanted func(logLine) bool) (logLine, error) {
	return l.waitFrom(ctx, 0, wanted)
}

// waitFrom is wait without the first lines of the log.
func (l *logLines) waitFrom(ctx context.Context, next int, wanted func(logLine) bool) (logLine, error) {
	for limit := time.After(patience); ; {
		l.mu.Lock()
		lines, ended, more := l.lines[next:], l.ended, l.more
		l.mu.Unlock()
		for _, line := range lines {
			if wanted(line) {
				return line, nil
			}
		}
		next += len(lines)
		if ended {
			return logLine{}, errors.New("the log has ended")
		}
		select {
		case <-more:
		case <-limit:
			return logLine{}, fmt.Errorf("no such log line within %v", patience)
		case <-ctx.Done():
			return logLine{}, ctx.Err()
		}
	}
}
