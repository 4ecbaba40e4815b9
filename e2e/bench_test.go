package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The benchmarks run the real binary and load it over loopback, in one session
// unless they say otherwise. Beside the wall time they report what the server
// alone spent: its processor time, and for idle sessions its memory. See
// docs/performance.md.

const (
	gib         = 1 << 30
	smallFiles  = 2000
	listEntries = 50_000
	idleCount   = 2000
)

func benchGateway(b *testing.B) (g *gateway, host string) {
	b.Helper()
	host = b.TempDir()
	return start(b, fmt.Sprintf(`
listener "main" { address = "127.0.0.1:0" }
limits {
  max_connections        = 10000
  max_connections_per_ip = 10000
}
log { format = "json" }
backend "local" "home" { root = %q }
backend "memory" "scratch" { max_size = "4GiB" }
user "local" {
  password_hash = %q
  filesystem    = backend.local.home
}
user "memory" {
  password_hash = %q
  filesystem    = backend.memory.scratch
}
`, host, passwordHash, passwordHash)), host
}

// cpu is the processor time that a process has used; 0 where nothing tells. The
// kernel counts it in hundredths of a second.
func cpu(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// charge returns what reports the server's processor time since then, for each
// of count things that a round does, in seconds or microseconds as unit says.
func (g *gateway) charge(b *testing.B, count float64, unit string) func() {
	before := cpu(g.cmd.Process.Pid)
	return func() {
		spent := cpu(g.cmd.Process.Pid) - before
		value := float64(spent) / float64(b.N) / count
		if strings.HasPrefix(unit, "server-s/") {
			value /= float64(time.Second)
		} else {
			value /= float64(time.Microsecond)
		}
		b.ReportMetric(value, unit)
	}
}

// zeros is an endless source that costs a reader nothing.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func BenchmarkRetr1GiB(b *testing.B) {
	g, host := benchGateway(b)
	f, err := os.Create(filepath.Join(host, "large"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.CopyN(f, zeros{}, gib); err != nil {
		b.Fatal(err)
	}
	f.Close()
	c := login(b, g.address["main"], "local")
	buffer := make([]byte, 1<<20)
	b.SetBytes(gib)
	done := g.charge(b, 1, "server-s/GiB")
	for b.Loop() {
		data := c.passive()
		c.do(150, "RETR large")
		n := int64(0)
		for {
			k, err := data.Read(buffer)
			n += int64(k)
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		data.Close()
		c.expect(226)
		if n != gib {
			b.Fatalf("%d bytes", n)
		}
	}
	done()
}

func BenchmarkStor1GiB(b *testing.B) {
	for _, user := range []string{"local", "memory"} {
		b.Run(user, func(b *testing.B) {
			g, _ := benchGateway(b)
			c := login(b, g.address["main"], user)
			buffer := make([]byte, 1<<20)
			b.SetBytes(gib)
			done := g.charge(b, 1, "server-s/GiB")
			for b.Loop() {
				data := c.passive()
				c.do(150, "STOR large")
				for range gib / len(buffer) {
					if _, err := data.Write(buffer); err != nil {
						b.Fatal(err)
					}
				}
				data.Close()
				c.expect(226)
			}
			done()
		})
	}
}

// BenchmarkSmallFiles moves 2,000 files of 1 KiB.
func BenchmarkSmallFiles(b *testing.B) {
	small := content(1024)
	for _, user := range []string{"local", "memory"} {
		b.Run("up/"+user, func(b *testing.B) {
			g, _ := benchGateway(b)
			c := login(b, g.address["main"], user)
			done := g.charge(b, smallFiles, "server-µs/file")
			for b.Loop() {
				for i := range smallFiles {
					c.store(small, "STOR f%d", i)
				}
			}
			done()
		})
		b.Run("down/"+user, func(b *testing.B) {
			g, _ := benchGateway(b)
			c := login(b, g.address["main"], user)
			for i := range smallFiles {
				c.store(small, "STOR f%d", i)
			}
			done := g.charge(b, smallFiles, "server-µs/file")
			for b.Loop() {
				for i := range smallFiles {
					if got, _ := c.fetch("RETR f%d", i); len(got) != len(small) {
						b.Fatalf("%d bytes", len(got))
					}
				}
			}
			done()
		})
	}
}

// BenchmarkListing lists a directory of 50,000 entries.
func BenchmarkListing(b *testing.B) {
	g, host := benchGateway(b)
	for i := range listEntries {
		f, err := os.Create(filepath.Join(host, fmt.Sprintf("file-%06d.dat", i)))
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	for _, verb := range []string{"LIST", "MLSD", "NLST"} {
		b.Run(verb, func(b *testing.B) {
			c := login(b, g.address["main"], "local")
			first := time.Duration(0)
			done := g.charge(b, listEntries/1000, "server-µs/1000-entries")
			for b.Loop() {
				data := c.passive()
				begun := time.Now()
				c.send("%s", verb)
				c.expect(150)
				one := make([]byte, 1)
				if _, err := io.ReadFull(data, one); err != nil {
					b.Fatal(err)
				}
				first += time.Since(begun)
				list, err := io.ReadAll(data)
				if err != nil {
					b.Fatal(err)
				}
				data.Close()
				c.expect(226)
				if n := bytes.Count(list, []byte("\n")); n != listEntries {
					b.Fatalf("%d entries", n)
				}
			}
			done()
			b.ReportMetric(float64(first.Microseconds())/float64(b.N), "µs-to-first-byte")
		})
	}
}

// BenchmarkLogin connects, logs in with a hash of the least cost and says goodbye.
func BenchmarkLogin(b *testing.B) {
	g, _ := benchGateway(b)
	done := g.charge(b, 1, "server-µs/login")
	for b.Loop() {
		c := login(b, g.address["main"], "local")
		c.quit()
	}
	done()
}

// BenchmarkIdleSessions reports the memory of a session that has logged in and listed, and waits.
func BenchmarkIdleSessions(b *testing.B) {
	for b.Loop() {
		g, _ := benchGateway(b)
		warm := login(b, g.address["main"], "local")
		warm.names("/")
		before := resident(b, g)
		for range idleCount {
			c := login(b, g.address["main"], "local")
			c.names("/")
		}
		b.ReportMetric(float64(resident(b, g)-before)/idleCount, "B/session")
		g.stop(b)
	}
}

// resident is how many bytes of memory the gateway occupies.
func resident(b *testing.B, g *gateway) int {
	b.Helper()
	return statusBytes(b, g.cmd.Process.Pid, "VmRSS:")
}

// statusBytes is a number of bytes that the kernel tells of a process.
func statusBytes(t testing.TB, pid int, field string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("nothing here tells how much memory a process has")
	}
	_, rest, _ := strings.Cut(string(status), field)
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
