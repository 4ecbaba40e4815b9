package transfer

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// cutter dials connections of which the first that has received so many bytes is cut.
type cutter struct {
	mu    sync.Mutex
	after int // bytes; 0: never again
}

func (c *cutter) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return &cutConn{Conn: conn, c: c}, err
}

type cutConn struct {
	net.Conn
	c    *cutter
	seen int
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	if c.seen += n; c.c.after > 0 && c.seen > c.c.after {
		c.c.after = 0
		c.Close()
		return 0, syscall.ECONNRESET
	}
	return n, err
}

// TestFetchResumes: a download that breaks off goes on from where it was, and what is not whole has no name.
func TestFetchResumes(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("", 0)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	if err := afero.WriteFile(fsys, "/big", content, 0o644); err != nil {
		t.Fatal(err)
	}
	s := ftptest.Start(t, ftptest.Options{FS: fsys})
	t.Cleanup(runtime.GC)
	u, err := remote.ParseURL("ftp://rw@" + s.Addr.String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	user, err := remote.Sources{Getenv: func(name string) string {
		return map[string]string{remote.EnvPassword: "rw"}[name]
	}}.Find(u)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	for _, retries := range []int{0, 2} {
		again := 0
		site, err := remote.Open(u, user, remote.Options{
			Dialer: &cutter{after: 300_000},
			Backoff: remote.Backoff{Retries: retries, First: time.Millisecond, Again: func(error, time.Duration) {
				again++
				if _, err := root.Stat("big"); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the file has its name before it is whole: %v", err)
				}
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer site.Close()
		m := &Mover{Site: site, Root: root}
		r, err := m.Fetch(t.Context(), "big", "big", nil)
		if retries == 0 {
			if err == nil || !remote.Transient(err) {
				t.Errorf("without retries: %+v, %v", r, err)
			}
			continue
		}
		got, _ := root.ReadFile("big")
		if err != nil || again != 1 || r.Bytes != int64(len(content)) || !bytes.Equal(got, content) {
			t.Errorf("%+v after %d retries, %d bytes: %v", r, again, len(got), err)
		}
	}
}
