//go:build unix

package ftpclient_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestReplyTooMany has a second 226 come after a transfer, when its call is over. The next command must not be sent, and
// above all not be answered by it.
func TestReplyTooMany(t *testing.T) {
	config, client := fakeTLS(t)
	for name, security := range map[string]ftpclient.Security{"plain": ftpclient.Plain, "TLS": ftpclient.Implicit} {
		t.Run(name, func(t *testing.T) {
			again, said := make(chan bool), make(chan bool)
			f := startFake(t, func(p *peer) {
				if security == ftpclient.Implicit {
					p.secure(config)
				}
				p.say("220 ready")
				p.want("DELE")
				p.say("250 gone")
				<-again
				p.say("250 gone")
				close(said)
				p.rest()
			})
			o := patient()
			o.Security, o.TLS = security, client
			k := &keepDialed{}
			o.Dialer = k
			c := f.login(o)
			if err := c.Delete(t.Context(), "/a"); err != nil {
				t.Fatal(err)
			}
			close(again)
			<-said
			k.untilReadable(t)
			if err := c.Delete(t.Context(), "/b"); !errors.Is(err, ftpclient.ErrProtocol) {
				t.Error("it was believed to be deleted:", err)
			}
			if c.Usable() || slices.Contains(f.heardLines(), "DELE /b") {
				t.Errorf("it sent %q", f.heard())
			}
		})
	}
}

// TestEndWhileIdle has the server close the connection. The next command is not sent: nobody would know what became of it.
func TestEndWhileIdle(t *testing.T) {
	closed := make(chan bool)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("NOOP")
		p.say("200 ok")
		p.Close()
		close(closed)
	})
	var sent []string
	o := patient()
	o.Trace = &ftpclient.Trace{Sent: func(line string) { sent = append(sent, line) }}
	k := &keepDialed{}
	o.Dialer = k
	c := f.login(o)
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-closed
	k.untilReadable(t)
	if err := c.Delete(t.Context(), "/x"); err == nil || errors.Is(err, fs.ErrNotExist) || c.Usable() {
		t.Error(err)
	}
	if slices.Contains(sent, "DELE /x") {
		t.Errorf("it sent %q", sent)
	}
}

// TestPoolLooks has the server close a connection that has been in the pool for a moment only. It is not given out: what its
// user sends first may be something that cannot be repeated.
func TestPoolLooks(t *testing.T) {
	closed := make(chan bool)
	f := startFake(t, func(p *peer) {
		p.say("220 ready")
		p.want("NOOP")
		p.say("200 ok")
		p.Close()
		closed <- true
	})
	o := patient()
	k := &keepDialed{}
	o.Dialer = k
	p := &ftpclient.Pool{Dial: func(context.Context) (*ftpclient.Conn, error) { return f.dial(o) }}
	defer p.Close()
	for range 2 {
		c, err := p.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Error("the connection was not there any more:", err)
		} else {
			<-closed
			k.untilReadable(t)
		}
		p.Put(c)
	}
}

// keepDialed is a Dialer that keeps its last connection.
type keepDialed struct{ conn *net.TCPConn }

func (k *keepDialed) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		k.conn = conn.(*net.TCPConn)
	}
	return conn, err
}

// untilReadable waits until what the server has sent has come.
func (k *keepDialed) untilReadable(t *testing.T) {
	t.Helper()
	raw, err := k.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	ftptest.Eventually(t, "nothing has come", func() bool {
		came := false
		err := raw.Control(func(fd uintptr) {
			var b [1]byte
			_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			came = !errors.Is(err, unix.EAGAIN)
		})
		return came || err != nil
	})
}
