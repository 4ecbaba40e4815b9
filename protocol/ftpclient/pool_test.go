package ftpclient_test

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

func (s *own) pool(t *testing.T, dials *atomic.Int32) *ftpclient.Pool {
	p := &ftpclient.Pool{Dial: func(ctx context.Context) (*ftpclient.Conn, error) {
		if dials != nil {
			dials.Add(1)
		}
		c, err := ftpclient.Dial(ctx, s.Addr.String(), ftpclient.Options{})
		if err != nil {
			return nil, err
		}
		if err := c.Login(ctx, "rw", "rw", ""); err != nil {
			c.Close()
			return nil, err
		}
		return c, nil
	}}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestPoolReusesAndLimits(t *testing.T) {
	s := startOwn(t, nil)
	var dials atomic.Int32
	p := s.pool(t, &dials)
	p.MaxOpen = 3
	var used, most atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			c, err := p.Get(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if n := used.Add(1); n > most.Load() {
				most.Store(n)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
			used.Add(-1)
			p.Put(c)
		})
	}
	all.Wait()
	if n := dials.Load(); n > 3 || most.Load() > 3 {
		t.Errorf("%d connections were made, and %d used at once", n, most.Load())
	}
	var held []*ftpclient.Conn
	for range 3 {
		c, err := p.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for _, c := range held {
		p.Put(c)
	}
}

func TestPoolChecksHealth(t *testing.T) {
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("NOOP")
		p.say("200 fine")
		p.want("NOOP") // and it is gone
	})
	p := &ftpclient.Pool{CheckAfter: time.Nanosecond, Dial: func(ctx context.Context) (*ftpclient.Conn, error) { return f.dial(patient()) }}
	defer p.Close()
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Put(c)
	again, err := p.Get(t.Context())
	if err != nil || again != c {
		t.Fatal("a healthy connection was not used again", err)
	}
	p.Put(c)
	fresh, err := p.Get(t.Context())
	if err != nil || fresh == c || c.Usable() {
		t.Fatal("a lost connection was given out", err)
	}
	p.Put(fresh)
}

func TestPoolClosesIdleOnes(t *testing.T) {
	s := startOwn(t, nil)
	take := func(p *ftpclient.Pool, n int) (held []*ftpclient.Conn) {
		for range n {
			c, err := p.Get(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, c)
		}
		return held
	}
	p := s.pool(t, nil)
	p.MaxIdle = 2
	for i, c := range take(p, 3) {
		p.Put(c)
		if c.Usable() != (i < 2) {
			t.Errorf("number %d: usable is %v", i, c.Usable())
		}
	}
	short := s.pool(t, nil)
	short.IdleTimeout = time.Millisecond
	held := take(short, 3)
	for _, c := range held {
		short.Put(c)
	}
	ftptest.Eventually(t, "idle connections to be closed", func() bool {
		return !held[0].Usable() && !held[1].Usable() && !held[2].Usable()
	})
	last := take(p, 1)[0]
	p.Close()
	p.Put(last)
	if last.Usable() {
		t.Error("a connection lives on after its pool")
	}
	if _, err := p.Get(t.Context()); !errors.Is(err, ftpclient.ErrPoolClosed) {
		t.Error(err)
	}
}

// TestFS holds the adapter to what io/fs asks of one.
func TestFS(t *testing.T) {
	s := startOwn(t, nil)
	p := s.pool(t, nil)
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeDirAll(t.Context(), "/root/a/b"); err != nil {
		t.Fatal(err)
	}
	store(t, c, "/root/file", []byte("text"))
	store(t, c, "/root/empty", nil)
	store(t, c, "/root/a/b/deep.txt", random(100_000))
	p.Put(c)
	fsys := ftpclient.FS(t.Context(), p, "/root")
	if err := fstest.TestFS(fsys, "file", "empty", "a/b/deep.txt"); err != nil {
		t.Error(err)
	}
	if _, err := fs.ReadFile(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	f, err := fsys.Open("a/b/deep.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error("a file that was not read to its end:", err)
	}
}

// TestPoolAfterTheContext asks for a connection when the context is over already: the idle ones stay.
func TestPoolAfterTheContext(t *testing.T) {
	s := startOwn(t, nil)
	var dials atomic.Int32
	p := s.pool(t, &dials)
	p.CheckAfter = time.Nanosecond
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Put(c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if again, err := p.Get(t.Context()); err != nil || again != c || dials.Load() != 1 {
		t.Errorf("%v, %d dials", err, dials.Load())
	} else {
		p.Put(again)
	}
}
