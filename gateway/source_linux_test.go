package gateway

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/gateway/config"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestSourcePort: active data connections come from the configured port.
func TestSourcePort(t *testing.T) {
	port := ftptest.KeepPort(t)
	r := run(t, zerolog.InfoLevel, func(c *config.Config) {
		c.Listeners[0].ActiveMode, c.Listeners[0].SourcePort = true, port
	})
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, _ := r.dial("127.0.0.1")
	cmd(c, "USER alice")
	cmd(c, "PASS secret words")
	cmd(c, "PORT "+ftp.FormatHostPort(l.Addr().(*net.TCPAddr).AddrPort()))
	if got := cmd(c, "NLST"); !strings.HasPrefix(got, "150") {
		t.Fatalf("got %q", got)
	}
	conn, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if got := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Port(); got != port {
		t.Errorf("it comes from port %d", got)
	}
}

// TestSourcePortThatIsTaken: what would fail with the first transfer fails at the start.
func TestSourcePortThatIsTaken(t *testing.T) {
	taken, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	listen := func(active bool) error {
		g, err := New(&config.Config{Listeners: []config.Listener{{
			Name: "main", Address: netip.MustParseAddrPort("127.0.0.1:0"), ActiveMode: active,
			SourcePort: taken.Addr().(*net.TCPAddr).AddrPort().Port(),
		}}}, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		defer g.Shutdown(t.Context())
		return g.Listen(t.Context())
	}
	if err := listen(true); err == nil || !strings.Contains(err.Error(), "active_source_port") || !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("the error is %v", err)
	}
	if err := listen(false); err != nil {
		t.Errorf("without active mode the error is %v", err)
	}
}
