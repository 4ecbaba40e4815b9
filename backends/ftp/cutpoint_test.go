package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// cutter is a dialer whose connections break at a place of the test's choice, once.
type cutter struct {
	control string // the address of control connections

	mu    sync.Mutex
	verb  string // of the command at which the control connection breaks; "": none
	reply bool   // the command still arrives, and only its reply is lost
	bytes int    // of uploads that arrive before the data connection breaks; -1: all
	done  bool
}

var errCut = errors.New("cut by the test")

func (x *cutter) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, x: x, control: address == x.control}, nil
}

// arm sets the place.
func (x *cutter) arm(verb string, reply bool, bytes int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.verb, x.reply, x.bytes, x.done = verb, reply, bytes, false
}

func (x *cutter) fired() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.done
}

type cutConn struct {
	net.Conn
	x       *cutter
	control bool

	mu   sync.Mutex
	deaf bool // what comes now is lost
}

func (c *cutConn) Write(b []byte) (int, error) {
	x := c.x
	x.mu.Lock()
	here := !x.done && c.control && x.verb != "" && strings.Contains("\n"+string(b), "\n"+x.verb)
	data := !x.done && !c.control && x.bytes >= 0
	allowed := len(b)
	if data {
		allowed = min(x.bytes, allowed)
		x.bytes -= allowed
		here = allowed < len(b)
	}
	reply := x.reply
	x.done = x.done || here
	x.mu.Unlock()
	switch {
	case here && c.control && reply:
		c.mu.Lock()
		c.deaf = true
		c.mu.Unlock()
	case here:
		n, _ := c.Conn.Write(b[:allowed*min(1, len(b)-allowed)])
		if data {
			_ = c.Conn.(*net.TCPConn).SetLinger(0)
		}
		c.Conn.Close()
		return n, errCut
	}
	return c.Conn.Write(b)
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaf {
		c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

const oldContent = "the old state"

// TestCutPoints breaks uploads at every command and in the data: what Close says is true, and
// readers see the old state or the whole new one.
func TestCutPoints(t *testing.T) {
	t.Run("ftpgate", func(t *testing.T) {
		u, below := startOwn(t)
		cutPoints(t, u, func(dir string) []string { return list(t, below, dir) })
	})
	t.Run("gateway behind gateway", func(t *testing.T) {
		u, below := startChain(t)
		cutPoints(t, u, func(dir string) []string { return list(t, below, dir) })
	})
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			u := startPeer(t, name)
			cutPoints(t, u, func(string) []string {
				entries, err := os.ReadDir(u.root)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, e := range entries {
					names = append(names, e.Name())
				}
				return names
			})
		})
	}
}

func cutPoints(t *testing.T, u *upstream, below func(dir string) []string) {
	x := &cutter{control: u.address}
	o := u.options()
	o.Client.Dialer = x
	x.arm("", false, -1)
	watcher := u.backend(t, u.options()).Open("", 0)
	content := strings.Repeat("new content\n", 30_000)
	cut := func(what, verb string, reply bool, bytes int) {
		for _, flag := range []int{vfs.ModeReplace, vfs.ModeAppend, vfs.ModeRestart, vfs.ModeCreate} {
			for _, exists := range []bool{true, false} {
				if exists && flag == vfs.ModeCreate || !exists && flag == vfs.ModeRestart {
					continue
				}
				t.Run(fmt.Sprintf("%s/%#x/%t", what, flag, exists), func(t *testing.T) {
					fsys := u.backend(t, o).Open("", 0)
					if exists {
						if err := put(watcher, "/f", oldContent); err != nil {
							t.Fatal(err)
						}
					}
					want := content
					if exists && flag != vfs.ModeReplace {
						want = oldContent + content
					}
					x.arm(verb, reply, bytes)
					err := send(fsys, flag, content)
					fired := x.fired()
					x.arm("", false, -1)
					if !fired {
						t.Fatal("nothing was cut")
					}
					if err == nil && verb == "" {
						t.Error("an upload of which a part is lost succeeded")
					}
					if errors.Is(err, errCut) || err != nil && !errors.Is(err, vfs.ErrTransient) {
						t.Errorf("the error is %v", err)
					}
					got, readErr := afero.ReadFile(watcher, "/f")
					switch {
					case err == nil && (readErr != nil || string(got) != want):
						t.Errorf("Close said nil, and there are %d bytes, %v", len(got), readErr)
					case err != nil && exists && string(got) != oldContent:
						t.Errorf("Close said %v, and there are %d bytes, %v", err, len(got), readErr)
					case err != nil && !exists && readErr == nil:
						t.Errorf("Close said %v, and there are %d bytes", err, len(got))
					}
					if err != nil {
						if err := send(fsys, flag, content); err != nil {
							t.Errorf("the next upload: %v", err)
						}
					}
					if names := list(t, watcher, "/"); !slices.Equal(names, []string{"f"}) {
						t.Errorf("there are %q", names)
					}
					// Nothing hidden is left either, once the server has noticed.
					ftptest.Eventually(t, "nothing else to be there", func() bool { return slices.Equal(below("/"), []string{"f"}) })
					if err := watcher.Remove("/f"); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
	for _, verb := range []string{"USER", "STOR", "RNFR", "RNTO", "EPSV"} {
		cut("before "+verb, verb, false, -1)
		cut("reply to "+verb, verb, true, -1)
	}
	for _, n := range []int{0, 1, len(content) / 2, len(content) - 1} {
		cut(fmt.Sprintf("data/%d", n), "", false, n)
	}
}

func send(fsys afero.Fs, flag int, content string) error {
	f, err := fsys.OpenFile("/f", flag, vfs.NewFileMode)
	if err != nil {
		return err
	}
	if flag == vfs.ModeRestart {
		if _, err := f.Seek(int64(len(oldContent)), io.SeekStart); err != nil {
			return errors.Join(err, vfs.Abort(f))
		}
	}
	_, _ = io.WriteString(f, content) // an error comes back from Close
	return f.Close()
}

// TestCancelledAtOnce: an upstream that says nothing more does not hold its user. Its own limits are hours away.
func TestCancelledAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := New(Options{Address: l.Addr().String(), Client: ftpclient.Options{ConnectTimeout: time.Hour, ReplyTimeout: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	fsys := vfs.WithContext(ctx, b.Open("", 0))
	over := make(chan error, 1)
	go func() {
		_, err := fsys.Stat("/f")
		over <- err
	}()
	conn, err := l.Accept() // and no greeting
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) { // after waitForConnection it is another error
		t.Error(err)
	}
}
