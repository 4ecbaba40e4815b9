package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway/config"
)

const patience = 20 * time.Second // for anything that should happen at once

// logBuffer is a log that tests can look at while it grows.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a gateway in this process.
type running struct {
	*Gateway
	t    *testing.T
	log  *logBuffer
	stop func()
}

// run serves a configuration until the test ends or stop is called: one listener and
// the user alice, whose password is "secret words", beside what change adds.
func run(t *testing.T, level zerolog.Level, change func(*config.Config)) *running {
	t.Helper()
	return runLogging(t, config.Log{Level: level.String(), Format: config.LogJSON}, change)
}

// runLogging is run with a log of some format.
func runLogging(t *testing.T, log config.Log, change func(*config.Config)) *running {
	t.Helper()
	c := &config.Config{
		Listeners: []config.Listener{{Name: "main", Address: netip.MustParseAddrPort("127.0.0.1:0")}},
		Limits:    config.Limits{MaxConnectionsPerIP: 200, LoginAttempts: 100, ShutdownTimeout: time.Second},
		Throttle:  config.Throttle{Failures: 3, Window: time.Hour, Ban: time.Hour},
		Users: []config.User{{
			Name: "alice", PasswordHash: "$2b$04$abcdefghijklmnopqrstuu04y42tkPF2BFR19Mw0wbfxqImORSUyq",
			Filesystem: config.Backend{Kind: "memory", Name: "m", Memory: &config.Memory{MaxSize: 1 << 20}},
			Access:     config.ReadWrite,
		}},
	}
	if change != nil {
		change(c)
	}
	r := &running{t: t, log: &logBuffer{}}
	var err error
	if r.Gateway, err = New(c, NewLog(r.log, log)); err != nil {
		t.Fatal(err)
	}
	if err := r.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve() }()
	r.stop = sync.OnceFunc(func() {
		if err := r.Shutdown(t.Context()); err != nil && !errors.Is(err, t.Context().Err()) {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// dial connects from an address of this machine and returns the first line.
func (r *running) dial(from string) (*bufio.ReadWriter, string) {
	r.t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}
	conn, err := d.Dial("tcp", r.Addrs()[0].String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	c := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
	line, _ := c.ReadString('\n')
	return c, line
}

// cmd sends a line and returns the answer.
func cmd(c *bufio.ReadWriter, line string) string {
	fmt.Fprintf(c, "%s\r\n", line)
	c.Flush()
	answer, _ := c.ReadString('\n')
	return answer
}

// fail gets an address banned.
func (r *running) fail(from string) {
	r.t.Helper()
	c, _ := r.dial(from)
	for range r.config.Throttle.Failures {
		cmd(c, "USER alice")
		if got := cmd(c, "PASS wrong"); !strings.HasPrefix(got, "530") {
			r.t.Fatalf("got %q", got)
		}
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// THREATS 13: who is banned is refused instead of greeted, in sessions that stand as
// well; others are served; the log has one line for the ban and none for each attempt.
func TestBan(t *testing.T) {
	r := run(t, zerolog.InfoLevel, nil)
	standing, _ := r.dial("127.0.0.1")
	r.fail("127.0.0.1")
	for range 50 {
		c, line := r.dial("127.0.0.1")
		if !strings.HasPrefix(line, "421 Too many failed logins") {
			t.Fatalf("got %q", line)
		}
		if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
			t.Errorf("then %q, %v", rest, err)
		}
	}
	cmd(standing, "USER alice")
	if got := cmd(standing, "PASS secret words"); !strings.HasPrefix(got, "421 Too many failed logins") {
		t.Errorf("got %q", got)
	}
	c, _ := r.dial("127.0.0.2")
	cmd(c, "USER alice")
	if got := cmd(c, "PASS secret words"); !strings.HasPrefix(got, "230") {
		t.Errorf("got %q", got)
	}
	r.stop()
	if log := r.log.String(); strings.Count(log, "banned after failed logins") != 1 || strings.Contains(log, "connection refused") {
		t.Errorf("logged\n%s", log)
	}
}

// Bans hold after a restart, in a file that nobody else can read.
func TestBansSurvive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	in := func(c *config.Config) { c.StateDir = dir }
	r := run(t, zerolog.InfoLevel, in)
	r.fail("127.0.0.1")
	eventually(t, "the file", func() bool {
		_, err := os.Stat(filepath.Join(dir, "bans.json"))
		return err == nil
	})
	r.fail("127.0.0.2") // in the pause after the file was written: saved at the end
	r.stop()
	info, err := os.Stat(filepath.Join(dir, "bans.json"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	r = run(t, zerolog.InfoLevel, in)
	for from, code := range map[string]string{"127.0.0.1": "421", "127.0.0.2": "421", "127.0.0.3": "220"} {
		if _, line := r.dial(from); !strings.HasPrefix(line, code) {
			t.Errorf("%s: %q", from, line)
		}
	}
}

// A file of bans that cannot be used is told of, and never ends the gateway.
func TestBanFileThatMakesNoSense(t *testing.T) {
	ban := func(network, until string) string {
		return fmt.Sprintf(`{"network":%q,"failures":3,"since":"2026-01-01T00:00:00Z","until":%q}`, network, until)
	}
	far := time.Now().Add(time.Hour).Format(time.RFC3339)
	for name, x := range map[string]struct {
		text string
		says string
		bans int
	}{
		"empty":   {"", "cannot be read", 0},
		"garbage": {"\x00\xff{[", "cannot be read", 0},
		"torn":    {`{"bans":[` + ban("192.0.2.1/32", far), "cannot be read", 0},
		"network": {`{"bans":[` + ban("192.0.2.300", far) + `]}`, "cannot be read", 0},
		"huge":    {strings.Repeat(" ", maxBanFile+1), "larger than", 0},
		"other":   {`{"something":"else"}`, "", 0},
		"null":    {`null`, "", 0},
		"all":     {`{"bans":[` + ban("0.0.0.0/0", far) + `,` + ban("192.0.2.0/24", far) + `,` + ban("::/64", far) + `]}`, "", 1},
		"over":    {`{"bans":[` + ban("192.0.2.1/32", "2026-01-01T01:00:00Z") + `]}`, "", 0},
		"good":    {`{"bans":[` + ban("192.0.2.1/32", far) + `]}`, "still hold", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "bans.json"), []byte(x.text), 0o600); err != nil {
				t.Fatal(err)
			}
			r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.StateDir = dir })
			if n := len(r.throttle.Bans()); n != x.bans || !strings.Contains(r.log.String(), x.says) {
				t.Errorf("%d bans, log\n%s", n, r.log)
			}
			r.fail("127.0.0.1")
			r.stop()
			if list, err := readBans(filepath.Join(dir, "bans.json")); err != nil || len(list.Bans) != x.bans+1 {
				t.Errorf("afterwards: %+v, %v", list, err)
			}
		})
	}
}

// A state_dir that cannot be written costs a line in the log.
func TestStateDirThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.StateDir = dir })
	r.fail("127.0.0.1")
	r.stop()
	if !strings.Contains(r.log.String(), "cannot be kept for the next run") {
		t.Errorf("logged\n%s", r.log)
	}
}

// Who may connect to a listener is said in its block; neither is worth a log line.
func TestListenerNetworks(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Listeners[0].AllowFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/30")}
		c.Listeners[0].DenyFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
	})
	for from, want := range map[string]string{"127.0.0.1": "220", "127.0.0.2": "421 Connections from your address", "127.0.0.4": "421 Connections from your address"} {
		if _, line := r.dial(from); !strings.HasPrefix(line, want) {
			t.Errorf("%s: %q", from, line)
		}
	}
	if strings.Contains(r.log.String(), "connection refused") {
		t.Errorf("logged\n%s", r.log)
	}
}

// order sends a request to an admin endpoint.
func order(t *testing.T, c *http.Client, method, url string, change func(*http.Request)) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(q)
	}
	a, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	return a.StatusCode, strings.TrimSpace(string(text))
}

func TestAdmin(t *testing.T) {
	dir := t.TempDir()
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.StateDir = dir
		c.Admin = &config.Admin{Address: netip.MustParseAddrPort("127.0.0.1:0")}
	})
	base := "http://" + r.admin.Addr().String()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if code, text := order(t, client, "GET", base+"/bans", nil); code != 200 || text != `{"bans":[]}` {
		t.Errorf("%d %s", code, text)
	}
	r.fail("127.0.0.1")
	r.fail("127.0.0.2")
	r.fail("127.0.0.3")
	var list BanList
	_, text := order(t, client, "GET", base+"/bans", nil)
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list.Bans) != 3 || list.Bans[0].Name() != "127.0.0.1" {
		t.Errorf("%s, %v", text, err)
	}
	for _, x := range []struct {
		method, path string
		code         int
		answer       string
	}{
		{"DELETE", "/bans/127.0.0.1", 200, `{"lifted":1}`},
		{"DELETE", "/bans/127.0.0.1", 404, `{"error":"127.0.0.1 is not banned"}`},
		{"DELETE", "/bans/127.0.0.2%2F32", 200, `{"lifted":1}`},
		{"DELETE", "/bans/x", 400, `{"error":"\"x\": it is neither an address nor a network"}`},
		{"DELETE", "/bans", 200, `{"lifted":1}`},
		{"DELETE", "/bans", 200, `{"lifted":0}`},
	} {
		if code, text := order(t, client, x.method, base+x.path, nil); code != x.code || text != x.answer {
			t.Errorf("%s %s: %d %s", x.method, x.path, code, text)
		}
	}
	if _, line := r.dial("127.0.0.1"); !strings.HasPrefix(line, "220") {
		t.Errorf("got %q", line)
	}
	r.stop()
	if list, err := readBans(filepath.Join(dir, "bans.json")); err != nil || len(list.Bans) != 0 {
		t.Errorf("lifted bans come back: %+v, %v", list, err)
	}
}

// A web page can make a browser ask, but not under a name of this machine and not
// without telling where it comes from.
func TestAdminIsNotForBrowsers(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Admin = &config.Admin{Address: netip.MustParseAddrPort("127.0.0.1:0")}
	})
	r.throttle.Restore([]auth.Ban{{Network: netip.MustParsePrefix("192.0.2.1/32"), Until: time.Now().Add(time.Hour)}})
	url := "http://" + r.admin.Addr().String() + "/bans"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, x := range []struct {
		host, origin string
		code         int
	}{
		{"127.0.0.1", "", 200},
		{"127.9.9.9:80", "", 200},
		{"[::1]:8021", "", 200},
		{"localhost:8021", "", 200},
		{"rebound.example:8021", "", 403},
		{"192.0.2.1", "", 403},
		{"localhost.example", "", 403},
		{"127.0.0.1", "http://evil.example", 403},
		{"127.0.0.1", "null", 403},
	} {
		for _, method := range []string{"GET", "DELETE"} {
			if method == "DELETE" && x.code == 200 {
				continue
			}
			code, text := order(t, client, method, url, func(q *http.Request) {
				q.Host = x.host
				if x.origin != "" {
					q.Header.Set("Origin", x.origin)
				}
			})
			if code != x.code || code == 403 && strings.Contains(text, "192.0.2.1") {
				t.Errorf("%s as %s from %q: %d %s", method, x.host, x.origin, code, text)
			}
		}
	}
	if len(r.throttle.Bans()) != 1 {
		t.Error("the ban is gone")
	}
}

func TestAdminSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	with := func(c *config.Config) { c.Admin = &config.Admin{Socket: path} }
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close() // as after a crash
	r := run(t, zerolog.InfoLevel, with)
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", info, err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", path)
	}}}
	if code, text := order(t, client, "GET", "http://x/bans", nil); code != 200 || text != `{"bans":[]}` {
		t.Errorf("%d %s", code, text)
	}

	// Neither a gateway that runs nor a file that is no socket is pushed aside.
	second, err := New(r.config, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), "another ftpgate") {
		t.Errorf("got %v", err)
	}
	second.Shutdown(t.Context())
	r.stop()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenAdmin(t.Context(), r.config.Admin); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Error("the file is gone")
	}
}

// Health probes fill no log and get nobody banned.
func TestHealthProbes(t *testing.T) {
	for level, want := range map[zerolog.Level]int{zerolog.InfoLevel: 0, zerolog.DebugLevel: 20} {
		r := run(t, level, nil)
		before := len(r.log.String())
		for range 20 {
			d := net.Dialer{}
			conn, err := d.DialContext(t.Context(), "tcp", r.Addrs()[0].String())
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
		eventually(t, "all to be seen", func() bool {
			return level == zerolog.InfoLevel || strings.Count(r.log.String(), "without a word") == want
		})
		if _, line := r.dial("127.0.0.1"); !strings.HasPrefix(line, "220") {
			t.Errorf("got %q", line)
		}
		if level == zerolog.InfoLevel && len(r.log.String()) != before {
			t.Errorf("logged\n%s", r.log.String()[before:])
		}
		if n := len(r.throttle.Bans()); n != 0 {
			t.Errorf("%d bans", n)
		}
		r.stop()
	}
}

// An address that connects too often is refused until the minute is over; others are
// served, and it is no reason for a ban.
func TestConnectRate(t *testing.T) {
	r := run(t, zerolog.InfoLevel, func(c *config.Config) { c.Limits.ConnectRate = 3 })
	for i, want := range []string{"220", "220", "220", "421 Too many connections from your address in a short time", "421"} {
		if _, line := r.dial("127.0.0.1"); !strings.HasPrefix(line, want) {
			t.Errorf("connection %d: %q", i, line)
		}
	}
	if _, line := r.dial("127.0.0.2"); !strings.HasPrefix(line, "220") {
		t.Errorf("got %q", line)
	}
	if len(r.throttle.Bans()) != 0 || strings.Contains(r.log.String(), "connection refused") {
		t.Errorf("logged\n%s", r.log)
	}

	c := &connects{limit: 2, exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	now := time.Now()
	for i, x := range []struct {
		from  string
		after time.Duration
		want  bool
	}{
		{"2001:db8::1", 0, true},
		{"2001:db8::2", 0, true},
		{"2001:db8::3", 59 * time.Second, false},
		{"2001:db8:0:1::1", 59 * time.Second, true},
		{"10.1.2.3", 0, true}, {"10.1.2.3", 0, true}, {"10.1.2.3", 0, true},
		{"2001:db8::3", time.Minute, true},
	} {
		if got := c.take(netip.MustParseAddr(x.from), now.Add(x.after)); got != x.want {
			t.Errorf("%d: %s after %v: %v", i, x.from, x.after, got)
		}
	}
	for a := netip.MustParseAddr("192.0.2.1"); len(c.counts) < maxCounted; a = a.Next() {
		c.take(a, now.Add(time.Minute))
	}
	c.take(netip.MustParseAddr("198.51.100.1"), now.Add(time.Minute))
	if len(c.counts) != 1 { // THREATS 23
		t.Errorf("%d addresses are counted", len(c.counts))
	}
}
