package ftpclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// TestBadAddresses would add lines to what is sent to a proxy.
func TestBadAddresses(t *testing.T) {
	d := refusing{}
	for _, address := range []string{"a\r\nX: y:21", "a b:21", "a\x00:21", "a:2\r\n1"} {
		if _, err := ftpclient.Dial(t.Context(), address, ftpclient.Options{Dialer: d}); !errors.Is(err, ftpclient.ErrBadName) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// refusing is a Dialer.
type refusing struct{}

func (refusing) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("it was dialled")
}

// TestReservedPorts have a server send us to its mail server, say.
func TestReservedPorts(t *testing.T) {
	for _, answer := range []string{"229 (|||25|)", "229 (|||1023|)", "229 (|||0|)", "229 (|||65536|)", "229 no port", "229 (|||-1|)"} {
		f := startFake(t, func(p *peer) {
			p.say("220 ready")
			p.want("EPSV")
			p.say(answer)
			p.want("PASV")
			p.say("227 (127,0,0,1,0,25)")
			p.rest()
		})
		c := f.login(patient())
		if _, err := c.Retrieve(t.Context(), "/x", 0); !errors.Is(err, ftpclient.ErrProtocol) {
			t.Errorf("%s: %v", answer, err)
		}
		if err := c.Noop(t.Context()); err != nil || strings.Contains(f.heard(), "RETR") {
			t.Errorf("%s: afterwards %v", answer, err)
		}
	}
}

// TestActiveThroughProxy tells whoever has asked for both.
func TestActiveThroughProxy(t *testing.T) {
	f := startFake(t, func(p *peer) { p.say("220 ready"); p.rest() })
	o := patient()
	o.Active, o.Dialer = true, &net.Dialer{}
	c := f.login(o)
	if _, err := c.Retrieve(t.Context(), "/x", 0); err == nil || !strings.Contains(err.Error(), "use passive mode") || !c.Usable() {
		t.Error(err)
	}
}

// TestZone goes to a link-local address, as the loopback's zone makes one: certificates have none.
func TestZone(t *testing.T) {
	l, err := net.Listen("tcp", "[::1%lo]:0")
	if err != nil {
		t.Skip("no IPv6 with zones here:", err)
	}
	defer l.Close()
	config, client := fakeTLS(t)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		p := &peer{fake: &fake{t: t}, Conn: conn}
		defer conn.Close()
		defer func() { _ = recover() }()
		p.secure(config)
		p.say("220 ready")
		_, _ = io.Copy(io.Discard, p)
	}()
	o := patient()
	o.Security, o.TLS = ftpclient.Implicit, client
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c, err := ftpclient.Dial(t.Context(), "[::1%lo]:"+port, o)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
