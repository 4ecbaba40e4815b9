package e2e

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	clientBenchFiles = 100
	clientBenchFile  = 10 << 10
	clientBenchDelay = 10 * time.Millisecond // each way
)

// TestClientBench is `make bench-client`: the verbs of the binary next to curl and lftp, in
// rounds that alternate, against the gateway with a local directory. It prints a table; what
// it says is in docs/performance.md.
//
//	FTPGATE_BENCH_CLIENT        how many rounds; unset: the test is skipped
//	FTPGATE_BENCH_CLIENT_ONLY   a part of the names of those that are to run, such as "up: "
func TestClientBench(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("FTPGATE_BENCH_CLIENT"))
	if rounds == 0 {
		t.Skip("no benchmark wanted: FTPGATE_BENCH_CLIENT is not set")
	}
	dir := scratch(t)
	small := filepath.Join(dir, "srv", "small")
	if err := os.MkdirAll(small, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range clientBenchFiles {
		sample(t, filepath.Join(small, fmt.Sprintf("f%03d", i)), clientBenchFile)
	}
	sample(t, filepath.Join(dir, "srv", "big"), gib)
	g := start(t, fmt.Sprintf(`
listener "main" { address = "127.0.0.1:0" }
limits { max_connections_per_ip = 100 }
log { format = "json" }
backend "local" "bench" { root = %q }
user "bench" {
  password_hash = %q
  filesystem    = backend.local.bench
}
`, filepath.Join(dir, "srv"), passwordHash))
	near := g.address["main"].String()
	far := delayed(t, near, true)
	to := filepath.Join(dir, "to")

	type work struct {
		name     string
		n        float64
		unit     string
		commands map[string][]string // by client
	}
	// curl 7.88 waits for a second now and then when a reply comes as fast as on loopback, so it is
	// left out there.
	smallFrom := func(address string, connections int) map[string][]string {
		from := "ftp://bench:" + url.PathEscape(password) + "@" + address + "/small/"
		return map[string][]string{
			"ftpgate": {binary(t), "mirror", "--quiet", "--parallel", strconv.Itoa(connections), from, to},
			"curl":    {"curl", "-sS", "-o", to + "/#1", fmt.Sprintf("%sf[000-%03d]", from, clientBenchFiles-1)},
			"lftp":    {"lftp", "-c", fmt.Sprintf("set ftp:ssl-allow no; mirror --parallel=%d %s %s", connections, from, to)},
		}
	}
	big := "ftp://bench:" + url.PathEscape(password) + "@" + near + "/big"
	// Uploads go from what is served to another directory that is; all three store under the final names.
	up := filepath.Join(dir, "srv", "up")
	smallTo := func(address string, connections int) map[string][]string {
		there := "ftp://bench:" + url.PathEscape(password) + "@" + address + "/up/"
		return map[string][]string{
			"ftpgate": {binary(t), "mirror", "--quiet", "--in-place", "--parallel", strconv.Itoa(connections), small, there},
			"curl":    {"curl", "-sS", "-T", fmt.Sprintf("%s/f[000-%03d]", small, clientBenchFiles-1), there},
			"lftp":    {"lftp", "-c", fmt.Sprintf("set ftp:ssl-allow no; mirror -R --parallel=%d %s %s", connections, small, strings.TrimSuffix(there, "/"))},
		}
	}
	source := filepath.Join(dir, "srv", "big")
	bigTo := "ftp://bench:" + url.PathEscape(password) + "@" + near + "/up/big"
	fmt.Printf("\n%-44s %12s %12s %12s\n", "median of "+strconv.Itoa(rounds), "ftpgate", "of curl's", "of lftp's")
	for _, w := range []work{
		{"near, small files, one connection", clientBenchFiles, "/s", smallFrom(near, 1)},
		{"near, small files, 4 connections", clientBenchFiles, "/s", smallFrom(near, 4)},
		{"small files, one connection, 20 ms away", clientBenchFiles, "/s", smallFrom(far, 1)},
		{"small files, 4 connections, 20 ms away", clientBenchFiles, "/s", smallFrom(far, 4)},
		{"1 GiB", 1024, "MiB/s", map[string][]string{
			"ftpgate": {binary(t), "get", "--quiet", big, to},
			"curl":    {"curl", "-sS", "-o", to + "/big", big},
			"lftp":    {"lftp", "-c", "set ftp:ssl-allow no; get " + big + " -o " + to + "/big"},
		}},
		{"up: near, small files, one connection", clientBenchFiles, "/s", smallTo(near, 1)},
		{"up: near, small files, 4 connections", clientBenchFiles, "/s", smallTo(near, 4)},
		{"up: small files, one connection, 20 ms away", clientBenchFiles, "/s", smallTo(far, 1)},
		{"up: small files, 4 connections, 20 ms away", clientBenchFiles, "/s", smallTo(far, 4)},
		{"up: 1 GiB", 1024, "MiB/s", map[string][]string{
			"ftpgate": {binary(t), "put", "--quiet", "--in-place", source, bigTo},
			"curl":    {"curl", "-sS", "-T", source, bigTo},
			"lftp":    {"lftp", "-c", "set ftp:ssl-allow no; put " + source + " -o " + bigTo},
		}},
	} {
		only := os.Getenv("FTPGATE_BENCH_CLIENT_ONLY")
		if !strings.Contains(w.name, only) {
			continue
		}
		took := make(map[string][]time.Duration)
		for range rounds {
			for _, client := range []string{"ftpgate", "curl", "lftp"} {
				if client == "curl" && strings.HasPrefix(strings.TrimPrefix(w.name, "up: "), "near") {
					continue
				}
				for _, d := range []string{to, up} {
					if err := os.RemoveAll(d); err != nil {
						t.Fatal(err)
					}
					if err := os.Mkdir(d, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				c := w.commands[client]
				begin := time.Now()
				if out, err := exec.CommandContext(t.Context(), c[0], c[1:]...).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", client, err, out)
				}
				took[client] = append(took[client], time.Since(begin))
				if strings.HasPrefix(w.name, "up: ") {
					stored, err := filepath.Glob(filepath.Join(up, "[^.]*"))
					if want := map[bool]int{true: clientBenchFiles, false: 1}[w.n == clientBenchFiles]; err != nil || len(stored) != want {
						t.Fatalf("%s has stored %d files, %v", client, len(stored), err)
					}
				}
			}
		}
		rate := func(client string) float64 {
			if len(took[client]) == 0 {
				return math.NaN()
			}
			slices.Sort(took[client])
			return w.n / took[client][rounds/2].Seconds()
		}
		fmt.Printf("%-44s %6.0f %-5s %12.2f %12.2f\n", w.name, rate("ftpgate"), w.unit, rate("ftpgate")/rate("curl"), rate("ftpgate")/rate("lftp"))
	}
}

// scratch is a folder in memory, where there is one.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "ftpgate-bench")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func sample(t *testing.T, name string, size int64) {
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, io.LimitReader(newSource(), size)); err != nil {
		t.Fatal(err)
	}
}

var passivePort = regexp.MustCompile(`^229 .*\(\|\|\|(\d+)\|\)`)

// delayed is an address from which everything comes to a server, and back, late; its passive
// ports too. Connections stand at once, which is a round trip less than in truth.
func delayed(t *testing.T, server string, control bool) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", server)
			if err != nil {
				_ = c.Close()
				continue
			}
			go late(s, c, nil)
			if !control {
				go late(c, s, nil)
				continue
			}
			go late(c, s, func(line []byte) []byte {
				m := passivePort.FindSubmatch(line)
				if m == nil {
					return line
				}
				_, port, _ := net.SplitHostPort(delayed(t, "127.0.0.1:"+string(m[1]), false))
				return []byte("229 Entering Extended Passive Mode (|||" + port + "|)\r\n")
			})
		}
	}()
	return l.Addr().String()
}

// late copies what comes, or each line of it as changed.
func late(to, from net.Conn, change func([]byte) []byte) {
	type piece struct {
		b  []byte
		at time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		r := bufio.NewReaderSize(from, 64<<10)
		for {
			var b []byte
			var err error
			if change != nil {
				if b, err = r.ReadBytes('\n'); len(b) > 0 {
					b = change(b)
				}
			} else {
				b = make([]byte, 32<<10)
				var n int
				n, err = from.Read(b)
				b = b[:n]
			}
			if len(b) > 0 {
				pieces <- piece{b, time.Now().Add(clientBenchDelay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		if _, err := to.Write(p.b); err != nil {
			break
		}
	}
	if c, ok := to.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
	for range pieces { //nolint:revive // nobody wants the rest
	}
}
