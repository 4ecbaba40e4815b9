package pi_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// TestActivePort: all active data connections come from the endpoint's port. While one
// stands a second one to the same port of the client is 425, which says why; then it works again.
func TestActivePort(t *testing.T) {
	port := ftptest.KeepPort(t)
	l := newLog()
	s := ftptest.Start(t, ftptest.Options{
		FS: tree(t, map[string]string{"/f": "text"}), Endpoint: pi.Endpoint{ActivePort: port}, Trace: l.trace(),
	})
	a, b := s.Login("rw"), s.Login("rw")
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	mine := listener.Addr().(*net.TCPAddr).AddrPort()
	accept := func() *net.TCPConn {
		conn, err := listener.AcceptTCP()
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.RemoteAddr().(*net.TCPAddr).AddrPort(); got != netip.AddrPortFrom(s.Addr.Addr(), port) {
			t.Errorf("it comes from %s", got)
		}
		return conn
	}
	a.Cmd(200, "PORT %s", ftp.FormatHostPort(mine))
	a.Cmd(150, "STOR up")
	upload := accept()
	b.Cmd(200, "PORT %s", ftp.FormatHostPort(mine))
	if r := b.Cmd(425, "RETR f"); !strings.Contains(r.String(), "still holds your port") {
		t.Errorf("got %s", r)
	}
	if got := l.String(); !strings.Contains(got, "transfer RETR /f failed 425") {
		t.Errorf("reported\n%s", got)
	}
	upload.Close()
	a.Want(226)
	b.Cmd(200, "PORT %s", ftp.FormatHostPort(mine))
	b.Cmd(150, "RETR f")
	accept().Close()
	b.Reply() // 226, or 426: this end did not wait for it
	// Another target is nobody else's business.
	d := b.Active()
	b.Cmd(150, "RETR f")
	if got := d.Accept().Receive(); got != "text" {
		t.Errorf("received %q", got)
	}
	b.Want(226)
}
