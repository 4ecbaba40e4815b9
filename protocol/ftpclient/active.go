package ftpclient

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// startActive listens, tells the server where, and takes its connection.
func (t *transfer) startActive() error {
	c := t.c
	local := addrPort(c.tcp.LocalAddr()).Addr()
	if !c.peer.IsValid() || !local.IsValid() {
		return t.over(pathError(t.verb, t.path, errNoActive))
	}
	config := net.ListenConfig{}
	config.SetMultipathTCP(false)
	l, err := config.Listen(t.ctx, "tcp", netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return t.over(pathError(t.verb, t.path, err))
	}
	defer l.Close()
	at := addrPort(l.Addr())
	if c.o.ActiveHost.IsValid() {
		at = netip.AddrPortFrom(c.o.ActiveHost.Unmap(), at.Port())
	}
	if err := t.announce(at); err != nil {
		return err
	}
	if err := t.rest(); err != nil {
		return err
	}
	if err := t.send(t.line); err != nil {
		return err
	}
	t.asked = true
	// The kernel takes the connection meanwhile, whether it comes before the 150 or after.
	if err := t.begun(); err != nil {
		return err
	}
	if err := t.accept(l.(*net.TCPListener)); err != nil {
		return err
	}
	return t.secured()
}

// announce sends EPRT, or PORT to a server that does not know it.
func (t *transfer) announce(at netip.AddrPort) error {
	c := t.c
	for {
		t.info.Mode, t.info.Announced = "EPRT", at
		line := "EPRT " + ftp.FormatExtendedPort(at)
		if c.noEPRT && at.Addr().Is4() {
			t.info.Mode = "PORT"
			line = "PORT " + ftp.FormatHostPort(at)
		}
		if err := t.send(line); err != nil {
			return err
		}
		r, err := t.answer()
		switch {
		case err != nil:
			return err
		case misplaced(line, r.Code):
			return c.misplaced(line, r)
		case r.Code/100 == 2:
			return nil
		case r.Code/100 == 5 && at.Addr().Is4() && !c.noEPRT:
			c.noEPRT = true
		default:
			return t.refuse(t.info.Mode, r)
		}
	}
}

// accept takes the connection that comes from the server. Others are closed.
func (t *transfer) accept(l *net.TCPListener) error {
	until := time.Now().Add(t.c.o.ConnectTimeout)
	t.whenCut(func() { _ = l.SetDeadline(past) })
	for {
		if !t.isCut() {
			_ = l.SetDeadline(until)
		}
		if t.isCut() {
			return errCut
		}
		conn, err := l.AcceptTCP()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("%w: no data connection came", ErrTimeout)
		}
		if err != nil {
			return err
		}
		if addrPort(conn.RemoteAddr()).Addr().WithZone("") != t.c.peer.WithZone("") {
			conn.Close() // whoever came first (RFC 2577 §3)
			continue
		}
		t.hold(newDataConn(conn, t.c.o.StallTimeout))
		return nil
	}
}
