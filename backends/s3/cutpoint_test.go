package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// The cut-point test over the wire: whatever ends an upload, and wherever, the bucket
// holds the old object or the whole new one, and no multipart upload lingers.

// cutServer is a server in front of a store.
type cutServer struct {
	*ftptest.Server
	*store
	part   int // the size of parts
	rounds int // of cutEverywhere
	mu     sync.Mutex
	ended  map[string]chan pi.TransferInfo // by path
}

// startCut starts a server. A user called "max-N" may store files of N bytes, "rw" any.
func startCut(t *testing.T, st *store, part int, stall time.Duration) *cutServer {
	s := &cutServer{store: st, part: part, ended: make(map[string]chan pi.TransferInfo)}
	fsys := st.backend(t, func(o *Options) {
		o.PartSize, o.Budget, o.MetadataCache = int64(part), NewBudget(1<<30), 0 // many wait for each other
		o.minPart = min(o.PartSize, minPartSize)
	}).Open("", 0)
	t.Cleanup(func() {
		if n := st.wire.Running(); n != 0 {
			t.Errorf("%d requests are still on their way", n)
		}
	})
	s.Server = ftptest.Start(t, ftptest.Options{
		Account: func(user string) *pi.Account {
			a := &pi.Account{User: user, FS: fsys, Access: pi.ReadWrite}
			if limit, ok := strings.CutPrefix(user, "max-"); ok {
				a.MaxUpload, _ = strconv.ParseInt(limit, 10, 64)
			}
			return a
		},
		Limits: pi.Limits{MaxConnectionsPerIP: 1000, StallTimeout: stall},
		Trace:  &pi.Trace{Transfer: func(_ pi.SessionInfo, i pi.TransferInfo) { s.end(i.Path) <- i }},
	})
	t.Cleanup(st.past.CloseIdleConnections)
	t.Cleanup(st.wire.CloseIdleConnections)
	return s
}

// end is where the report of the transfer to a path comes.
func (s *cutServer) end(path string) chan pi.TransferInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.ended[path]
	if c == nil {
		c = make(chan pi.TransferInfo, 1)
		s.ended[path] = c
	}
	return c
}

// cutScene is one upload that is going to be cut.
type cutScene struct {
	*cutServer
	t    *testing.T
	key  string
	old  string // "": there is nothing
	head string // of the old object, which stays
	sent string // all that the client means to send
	set  string // what comes before the upload: "REST 5"
	verb string
	cl   *ftptest.Client
	d    *ftptest.Data
}

// cutVariants are the scenes that every cut is tried in.
var cutVariants = []struct {
	name  string
	quick bool // also on servers with large parts
	set   func(c *cutScene)
}{
	{"STOR fresh", false, func(c *cutScene) { c.verb = "STOR" }},
	{"STOR replacing", true, func(c *cutScene) { c.verb, c.old = "STOR", sample("old", 100) }},
	{"APPE short", false, func(c *cutScene) { c.verb, c.old = "APPE", sample("old", 100); c.head = c.old }},
	{"APPE long", true, func(c *cutScene) { c.verb, c.old = "APPE", sample("old", 2*c.part+5); c.head = c.old }},
	{"REST short", false, func(c *cutScene) {
		c.verb, c.set, c.old = "STOR", "REST 50", sample("old", 100)
		c.head = c.old[:50]
	}},
	{"REST long", true, func(c *cutScene) {
		c.verb, c.set, c.old = "STOR", fmt.Sprint("REST ", c.part+3), sample("old", 2*c.part+5)
		c.head = c.old[:c.part+3]
	}},
}

// begin logs in and sends n bytes, all of which have arrived when it returns.
func (c *cutScene) begin(user string, n int) (*ftptest.Client, *ftptest.Data) {
	cl, d := c.start(user)
	d.Send(c.sent[:n])
	cl.WaitStored(n)
	return cl, d
}

func (c *cutScene) start(user string) (*ftptest.Client, *ftptest.Data) {
	c.t.Helper()
	cl := c.Login(user)
	cl.Cmd(200, "TYPE I")
	d := cl.Passive()
	if c.set != "" {
		cl.Cmd(350, c.set)
	}
	cl.Cmd(150, "%s %s", c.verb, c.key)
	c.cl, c.d = cl, d
	return cl, d
}

// is checks that the bucket holds the old object, or one of those allowed.
func (c *cutScene) is(when string, allowed ...string) {
	c.t.Helper()
	got, ok := c.get(c.t, c.key)
	switch {
	case !ok && c.old == "", ok && c.old != "" && got == c.old, ok && slices.Contains(allowed, got):
	case !ok:
		c.t.Errorf("%s: the old object is gone", when)
	default:
		c.t.Errorf("%s: there is an object of %d bytes; the old one had %d, the whole new one would have %d", when, len(got), len(c.old), len(c.head)+len(c.sent))
	}
}

// over waits for the end of the upload, and checks that nothing is left of it.
func (c *cutScene) over() {
	c.t.Helper()
	defer c.cl.Close()
	defer c.d.Close()
	select {
	case <-c.end("/" + c.key):
	case <-time.After(ftptest.Patience):
		c.t.Fatal("the upload does not end")
	}
	for _, key := range c.uploads(c.t) {
		if key == c.key {
			c.t.Error("its multipart upload lingers")
		}
	}
}

// cutWays are the ways to go away after n bytes. What they return may be there in the end,
// too, beside the old object.
var cutWays = []struct {
	name string
	cut  func(c *cutScene, n int) (allowed []string)
}{
	{"FIN of both", func(c *cutScene, n int) []string {
		cl, d := c.begin("rw", n)
		cl.Conn.Close()
		d.Close()
		return c.whole(n)
	}},
	{"RST of both", func(c *cutScene, n int) []string {
		cl, d := c.begin("rw", n)
		cl.Reset()
		d.Reset()
		return nil
	}},
	{"RST of data", func(c *cutScene, n int) []string {
		cl, d := c.begin("rw", n)
		d.Reset()
		cl.Want(426)
		return nil
	}},
	{"control lost first", func(c *cutScene, n int) []string {
		cl, _ := c.begin("rw", n) // the data connection stays open until the test ends
		cl.Conn.Close()
		return nil
	}},
	{"control reset first", func(c *cutScene, n int) []string {
		cl, _ := c.begin("rw", n)
		cl.Reset()
		return nil
	}},
	{"half close of control", func(c *cutScene, n int) []string {
		cl, d := c.begin("rw", n)
		cl.Conn.CloseWrite()
		d.Close()
		return c.whole(n)
	}},
	{"half close of data", func(c *cutScene, n int) []string { // is the end of the file
		cl, d := c.begin("rw", n)
		d.Conn.CloseWrite()
		cl.Want(226)
		want := c.head + c.sent[:n]
		if got, ok := c.get(c.t, c.key); !ok || got != want {
			c.t.Errorf("published %d bytes, not the %d sent", len(got), len(want))
		}
		return []string{want}
	}},
	{"ABOR", func(c *cutScene, n int) []string {
		cl, _ := c.begin("rw", n)
		cl.Cmd(426, "ABOR")
		cl.Want(226)
		return nil
	}},
	{"quota", func(c *cutScene, n int) []string {
		cl, d := c.start(fmt.Sprint("max-", max(len(c.head)+n, 1)))
		d.Conn.SetWriteDeadline(time.Now().Add(ftptest.Patience))
		_, _ = d.Conn.Write([]byte(c.sent[:n] + "xx")) // the server may hang up in the middle
		cl.Want(552)
		return nil
	}},
}

// whole is the new object, if all of it has been sent.
func (c *cutScene) whole(n int) []string {
	if n < len(c.sent) {
		return nil
	}
	return []string{c.head + c.sent}
}

// cutEverywhere runs test with every variant at every point, as so many parallel subtests.
func (s *cutServer) cutEverywhere(t *testing.T, prefix string, test func(c *cutScene, n int)) {
	many := 4*s.part + 99
	if s.part >= minPartSize {
		many = 2*s.part + 99
	}
	s.rounds++
	for i, v := range cutVariants {
		for j, n := range []int{0, 1, s.part - 1, s.part, s.part + 1, many} {
			if s.part >= minPartSize && (!v.quick || (i+j+s.rounds)%3 != 0) {
				continue // quick variants take turns, one for each point
			}
			t.Run(fmt.Sprintf("%s/%d", v.name, n), func(t *testing.T) {
				t.Parallel()
				c := &cutScene{cutServer: s, t: t, key: fmt.Sprintf("%s-%d-%d/report.bin", prefix, i, n)}
				c.sent = sample("new", many)
				v.set(c)
				if c.old != "" {
					c.put(t, c.key, c.old)
				}
				test(c, n)
			})
		}
	}
}

// eachCutStore runs test on every server there is: on the fake with small parts.
func eachCutStore(t *testing.T, test func(t *testing.T, st *store, part int)) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	eachStore(t, func(t *testing.T, st *store) {
		if st.fake == nil {
			test(t, st, minPartSize)
			return
		}
		test(t, newFake(t, fake.Options{MinPartSize: leastPart}), 64<<10)
	})
}

func TestCutPoints(t *testing.T) {
	eachCutStore(t, func(t *testing.T, st *store, part int) {
		s := startCut(t, st, part, 0)
		for i, w := range cutWays {
			t.Run(w.name, func(t *testing.T) {
				s.cutEverywhere(t, fmt.Sprint("way", i), func(c *cutScene, n int) {
					allowed := w.cut(c, n)
					c.is("at once", allowed...)
					c.over()
					c.is("in the end", allowed...)
				})
			})
		}
	})
}

// together begins an upload of every variant up to every point, and returns when all have begun.
func (s *cutServer) together(t *testing.T, prefix string, begin func(c *cutScene, n int)) (all []*cutScene) {
	var mu sync.Mutex
	t.Run("begin", func(sub *testing.T) {
		s.cutEverywhere(sub, prefix, func(c *cutScene, n int) {
			begin(c, n)
			mu.Lock()
			defer mu.Unlock()
			c.t = t
			all = append(all, c)
		})
	})
	return all
}

// TestCutStall: the client says nothing more.
func TestCutStall(t *testing.T) {
	eachCutStore(t, func(t *testing.T, st *store, part int) {
		const stall = 500 * time.Millisecond
		s := startCut(t, st, part, stall)
		for _, c := range s.together(t, "stall", func(c *cutScene, n int) {
			begun := time.Now()
			_, d := c.start("rw")
			d.Conn.SetWriteDeadline(begun.Add(ftptest.Patience))
			if _, err := d.Conn.Write([]byte(c.sent[:n])); err != nil && time.Since(begun) < stall { // on a busy machine the stall may come first
				c.t.Error(err)
			}
		}) {
			c.cl.Want(426)
			c.over()
			c.is("in the end")
		}
	})
}

// TestCutShutdown: the gateway is told to end, and does not wait for ever.
func TestCutShutdown(t *testing.T) {
	eachCutStore(t, func(t *testing.T, st *store, part int) {
		s := startCut(t, st, part, 0)
		all := s.together(t, "shutdown", func(c *cutScene, n int) { c.begin("rw", n) })
		reason := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		if err := s.Shutdown(ctx); !errors.Is(err, reason) {
			t.Errorf("Shutdown: %v", err)
		}
		for _, c := range all {
			c.over()
			c.is("in the end")
		}
	})
}
