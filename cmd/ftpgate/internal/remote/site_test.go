package remote

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestFullServer: a server that allows fewer connections than are wanted gets by with those, and nobody waits for a retry.
func TestFullServer(t *testing.T) {
	var open atomic.Int32
	s := ftptest.Start(t, ftptest.Options{
		FS: memory.New(memory.Options{}).Open("", 0),
		Admit: func(string, netip.Addr) string {
			if open.Add(1) > 2 {
				return "Too many connections."
			}
			return ""
		},
	})
	t.Cleanup(runtime.GC)
	u, err := ParseURL("ftp://" + s.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	site, err := Open(u, Credentials{User: anonymous, password: anonymousPassword}, Options{Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer site.Close()
	first, err1 := site.Get(t.Context())
	second, err2 := site.Get(t.Context())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	got := make(chan error)
	var third *ftpclient.Conn
	go func() {
		var err error
		third, err = site.Get(t.Context())
		got <- err
	}()
	ftptest.Eventually(t, "two more to be refused, for the two slots that are left", func() bool { return open.Load() == 4 })
	site.Put(first)
	if err := <-got; err != nil || third != first {
		t.Errorf("the third gets %v", err)
	}
	site.Put(second)
	site.Put(third)

	// With none in use, the refusal is the answer.
	other, err := Open(u, Credentials{User: anonymous, password: anonymousPassword}, Options{Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Get(context.Background()); !full(err) || errors.Is(err, context.Canceled) {
		t.Errorf("refused: %v", err)
	}
}

// TestTimeZone: the zone of listings reaches the client.
func TestTimeZone(t *testing.T) {
	zone := time.FixedZone("there", 3600)
	c, err := Options{TimeZone: zone}.ClientOptions(URL{Scheme: "ftp", Host: "h"})
	if err != nil || c.TimeZone != zone {
		t.Errorf("%v, %v", c.TimeZone, err)
	}
}

// TestAdviceBehindProxy: who is refused by a proxy is not told that there is no server.
func TestAdviceBehindProxy(t *testing.T) {
	direct, behind := Site{}, Site{o: Options{Dialer: &net.Dialer{}}}
	if direct.advice(syscall.ECONNREFUSED) == "" || behind.advice(syscall.ECONNREFUSED) != "" {
		t.Errorf("%q, %q", direct.advice(syscall.ECONNREFUSED), behind.advice(syscall.ECONNREFUSED))
	}
}
