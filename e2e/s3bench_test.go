package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	s3BenchBucket = "bench"
	s3BenchAccess = "benchaccess"
	s3BenchSecret = "benchsecret"

	s3BenchLatency = 50 * time.Millisecond
	s3BenchFiles   = 500
	s3BenchKeys    = 20_000
)

// TestS3Bench is `make bench-s3`: the gateway in front of a versitygw, next to the same
// work done by the SDK alone, in rounds that alternate. It prints a table; what it says
// is in docs/performance.md.
//
//	FTPGATE_BENCH_S3         how many rounds; unset: the test is skipped
//	FTPGATE_TEST_VERSITYGW   the server
//	FTPGATE_BENCH_S3_ONLY    part of the names of the scenarios wanted
//	FTPGATE_BENCH_S3_SIZE    of the large file; 1 GiB
func TestS3Bench(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("FTPGATE_BENCH_S3"))
	if rounds == 0 {
		t.Skip("no benchmark wanted: FTPGATE_BENCH_S3 is not set")
	}
	l := newS3Lab(t)
	size := int64(gib)
	if n, err := strconv.ParseInt(os.Getenv("FTPGATE_BENCH_S3_SIZE"), 10, 64); err == nil {
		size = n
	}
	only := os.Getenv("FTPGATE_BENCH_S3_ONLY")
	fmt.Printf("\n%-36s %12s %9s %9s %9s %9s %9s\n", "median of "+strconv.Itoa(rounds), "direct", "gateway", "rate", "CPU", "first", "peak MiB")
	for _, s := range l.scenarios(size) {
		if !strings.Contains(s.name, only) {
			continue
		}
		var directs, gateways []result
		for range rounds {
			directs = append(directs, l.measure(s, true))
			gateways = append(gateways, l.measure(s, false))
		}
		d, g := median(directs), median(gateways)
		fmt.Printf("%-36s %6.2f %-5s %9.2f %9.2f %9.2f %9s %9d\n", s.name, s.amount/d.wall.Seconds(), s.unit,
			s.amount/g.wall.Seconds(), d.wall.Seconds()/g.wall.Seconds(), g.cpu.Seconds()/d.cpu.Seconds(),
			g.first.Round(time.Millisecond), g.peak>>20)
	}
}

// s3Lab is a versitygw, a way to it with latency, and what was put there.
type s3Lab struct {
	t         *testing.T
	near, far string // endpoints
	have      map[string]bool
}

// scenario is a piece of work, by SDK or over FTP.
type scenario struct {
	name    string
	amount  float64
	unit    string // of amount, a second
	far     bool   // every request waits
	prepare func(d *direct) error
	direct  func(ctx context.Context, d *direct) (first time.Duration, err error)
	logins  int // sessions that are there when the clock starts; 0: 1
	gateway func(c []*client) (first time.Duration)
}

type result struct {
	wall, cpu, first time.Duration
	peak             int // bytes, of the gateway
}

// median takes each value by itself; of the peak the largest.
func median(all []result) (m result) {
	middle := func(of func(result) time.Duration) time.Duration {
		var v []time.Duration
		for _, r := range all {
			v = append(v, of(r))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	for _, r := range all {
		m.peak = max(m.peak, r.peak)
	}
	m.wall = middle(func(r result) time.Duration { return r.wall })
	m.cpu = middle(func(r result) time.Duration { return r.cpu })
	m.first = middle(func(r result) time.Duration { return r.first })
	return m
}

func (l *s3Lab) scenarios(size int64) (all []scenario) {
	large := float64(size) / (1 << 20)
	small := content(10 << 10)
	key := func(i int) string { return fmt.Sprintf("small/f%05d", i) }
	for _, far := range []bool{false, true} {
		suffix := ""
		if far {
			suffix = ", 50 ms away"
		}
		all = append(all, scenario{
			name: "STOR large" + suffix, amount: large, unit: "MiB/s", far: far,
			direct:  func(ctx context.Context, d *direct) (time.Duration, error) { return 0, d.put(ctx, "up", size) },
			gateway: func(c []*client) time.Duration { l.stor(c[0], "up", size); return 0 },
		}, scenario{
			name: "RETR large, by ranges" + suffix, amount: large, unit: "MiB/s", far: far, prepare: l.large(size),
			direct:  func(ctx context.Context, d *direct) (time.Duration, error) { return 0, d.get(ctx, "large", size) },
			gateway: func(c []*client) time.Duration { return l.retr(c[0], "large", size) },
		}, scenario{
			name: "RETR large, one stream" + suffix, amount: large, unit: "MiB/s", far: far, prepare: l.large(size),
			direct:  func(ctx context.Context, d *direct) (time.Duration, error) { return 0, d.read(ctx, "large", nil) },
			gateway: func(c []*client) time.Duration { return l.retr(c[0], "large", size) },
		}, scenario{
			name: "LIST" + suffix, amount: s3BenchKeys, unit: "/s", far: far, prepare: l.keys,
			direct: func(ctx context.Context, d *direct) (time.Duration, error) {
				_, first, err := d.list(ctx, "many/")
				return first, err
			},
			gateway: l.list,
		})
	}
	all = append(all, scenario{
		name: "8 STOR at once", amount: 8 * large / 4, unit: "MiB/s",
		direct: func(ctx context.Context, d *direct) (time.Duration, error) {
			return 0, each(8, 8, func(i int) error { return d.put(ctx, "up"+strconv.Itoa(i), size/4) })
		},
		logins: 8,
		gateway: func(c []*client) time.Duration {
			_ = each(8, 8, func(i int) error { l.stor(c[i], "up"+strconv.Itoa(i), size/4); return nil })
			return 0
		},
	})
	for _, of := range []struct {
		sessions int
		far      bool
	}{{1, false}, {8, false}, {8, true}} {
		sessions, suffix := of.sessions, fmt.Sprintf(" small, %d at once", of.sessions)
		if of.far {
			suffix += ", 50 ms away"
		}
		share := s3BenchFiles / sessions
		all = append(all, scenario{
			name: "STOR" + suffix, far: of.far, amount: float64(share * sessions), unit: "/s",
			direct: func(ctx context.Context, d *direct) (time.Duration, error) {
				return 0, each(share*sessions, sessions, func(i int) error { return d.smallPut(ctx, key(i), small) })
			},
			logins: sessions,
			gateway: func(c []*client) time.Duration {
				return together(c, func(c *client, s int) {
					for i := range share {
						c.store(small, "STOR %s", key(s*share+i))
					}
				})
			},
		}, scenario{
			name: "RETR" + suffix, far: of.far, amount: float64(share * sessions), unit: "/s",
			prepare: func(d *direct) error {
				return each(s3BenchFiles, 8, func(i int) error { return d.smallPut(context.Background(), key(i), small) })
			},
			direct: func(ctx context.Context, d *direct) (time.Duration, error) {
				return 0, each(share*sessions, sessions, func(i int) error { return d.read(ctx, key(i), nil) })
			},
			logins: sessions,
			gateway: func(c []*client) time.Duration {
				return together(c, func(c *client, s int) {
					for i := range share {
						if got, code := c.fetch("RETR %s", key(s*share+i)); !bytes.Equal(got, small) {
							l.t.Errorf("RETR: %d bytes, %d", len(got), code)
						}
					}
				})
			},
		})
	}
	return all
}

// measure runs one round of a scenario, with a new gateway so that the peak is its own.
func (l *s3Lab) measure(s scenario, alone bool) (r result) {
	l.t.Helper()
	endpoint := l.near
	if s.prepare != nil {
		if err := s.prepare(newDirect(l.near)); err != nil {
			l.t.Fatal(err)
		}
	}
	if s.far {
		endpoint = l.far
	}
	if alone {
		d := newDirect(endpoint)
		begin, spent := time.Now(), ownCPU()
		first, err := s.direct(l.t.Context(), d)
		if err != nil {
			l.t.Fatalf("%s, directly: %v", s.name, err)
		}
		return result{wall: time.Since(begin), cpu: ownCPU() - spent, first: first}
	}
	g := start(l.t, fmt.Sprintf(`
listener "main" { address = "127.0.0.1:0" }
limits { max_connections_per_ip = 100 }
log { format = "json" }
backend "s3" "bench" {
  endpoint          = %q
  region            = "us-east-1"
  bucket            = %q
  path_style        = true
  access_key_id     = %q
  secret_access_key = %q
}
user "s3" {
  password_hash = %q
  filesystem    = backend.s3.bench
}
`, endpoint, s3BenchBucket, s3BenchAccess, s3BenchSecret, passwordHash))
	defer g.stop(l.t)
	clients := make([]*client, max(s.logins, 1))
	for i := range clients {
		clients[i] = login(l.t, g.address["main"], "s3") // a login costs what its hash costs
	}
	begin, spent := time.Now(), cpu(g.cmd.Process.Pid)
	r.first = s.gateway(clients)
	r.wall, r.cpu, r.peak = time.Since(begin), cpu(g.cmd.Process.Pid)-spent, g.memory(l.t, "VmHWM")
	for _, c := range clients {
		c.quit()
	}
	return r
}

func (l *s3Lab) stor(c *client, name string, size int64) {
	data := c.passive()
	c.do(150, "STOR %s", name)
	if _, err := io.CopyBuffer(struct{ io.Writer }{data}, io.LimitReader(newSource(), size), make([]byte, 1<<20)); err != nil {
		l.t.Errorf("STOR: %v", err)
	}
	data.Close()
	c.expect(226)
}

func (l *s3Lab) retr(c *client, name string, size int64) time.Duration {
	data := c.passive()
	begin := time.Now()
	c.do(150, "RETR %s", name)
	one, err := io.ReadFull(data, make([]byte, 1))
	first := time.Since(begin)
	n, err2 := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{data}, make([]byte, 1<<20))
	if n+int64(one) != size || err != nil || err2 != nil {
		l.t.Errorf("RETR: %d bytes, %v, %v", n, err, err2)
	}
	data.Close()
	c.expect(226)
	return first
}

func (l *s3Lab) list(all []*client) time.Duration {
	c := all[0]
	data := c.passive()
	begin := time.Now()
	c.do(150, "LIST many")
	one := make([]byte, 1)
	_, err := io.ReadFull(data, one)
	first := time.Since(begin)
	list, err2 := io.ReadAll(data)
	if n := bytes.Count(list, []byte("\n")); n != s3BenchKeys || err != nil || err2 != nil {
		l.t.Errorf("LIST: %d entries, %v, %v", n, err, err2)
	}
	data.Close()
	c.expect(226)
	return first
}

// together runs do in all sessions at once.
func together(all []*client, do func(c *client, s int)) time.Duration {
	_ = each(len(all), len(all), func(s int) error {
		do(all[s], s)
		return nil
	})
	return 0
}

// large puts the object that is downloaded, once.
func (l *s3Lab) large(size int64) func(*direct) error {
	return l.once("large", func(d *direct) error { return d.put(context.Background(), "large", size) })
}

func (l *s3Lab) keys(d *direct) error {
	return l.once("keys", func(d *direct) error {
		return each(s3BenchKeys, 16, func(i int) error {
			return d.smallPut(context.Background(), fmt.Sprintf("many/some-file-name-%06d.dat", i), nil)
		})
	})(d)
}

func (l *s3Lab) once(what string, do func(*direct) error) func(*direct) error {
	return func(d *direct) error {
		if l.have[what] {
			return nil
		}
		l.have[what] = true
		return do(d)
	}
}

// newS3Lab starts versitygw on loopback, its data in memory where the system has a place for that.
func newS3Lab(t *testing.T) *s3Lab {
	t.Helper()
	program := os.Getenv("FTPGATE_TEST_VERSITYGW")
	if program == "" {
		t.Fatal("FTPGATE_TEST_VERSITYGW does not say where versitygw is")
	}
	shm := "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		shm = ""
	}
	dir, err := os.MkdirTemp(shm, "ftpgate-bench-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var address netip.AddrPort
	for try := 0; ; try++ {
		address = freeAddress(t)
		cmd := exec.Command(program, "--port", address.String(), "--access", s3BenchAccess, "--secret", s3BenchSecret, "--quiet", "--keep-alive", "posix", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan struct{})
		go func() { _ = cmd.Wait(); close(exited) }()
		t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
		if answers(t, "http://"+address.String(), exited) {
			break
		}
		if try == 10 {
			t.Fatal("versitygw does not start")
		}
	}
	l := &s3Lab{t: t, near: "http://" + address.String(), have: make(map[string]bool)}
	target, err := url.Parse(l.near)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(s3BenchLatency) // this is what is measured
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	l.far = h.URL
	return l
}

// answers creates the bucket as soon as the server does; false if it has ended.
func answers(t *testing.T, endpoint string, exited <-chan struct{}) bool {
	d := newDirect(endpoint)
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := d.api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(s3BenchBucket)})
		cancel()
		if err == nil {
			return true
		}
		select {
		case <-exited:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freeAddress is one that nobody listens on, for now.
func freeAddress(t *testing.T) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}
