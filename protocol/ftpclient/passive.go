package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// startPassive asks for a port and connects to it. Once this has worked, the command is
// sent along: the server then waits for the connection by itself.
func (t *transfer) startPassive() error {
	c := t.c
	ahead := c.ahead && c.passive && t.offset == 0
	mode := "EPSV"
	if c.noEPSV || c.o.NoEPSV && c.isIPv4() {
		mode = "PASV"
	}
	lines := []string{mode}
	if ahead {
		lines = append(lines, t.line)
	}
	if err := t.send(lines...); err != nil {
		return err
	}
	t.asked = ahead
	r, err := t.answer()
	if err != nil {
		return err
	}
	address, err := t.passiveAddress(mode, r)
	switch {
	case err == nil:
	case c.isBroken():
		return err
	case ahead:
		return t.portless(mode, r, err)
	case mode == "EPSV" && c.isIPv4() && (r.Code/100 == 5 || r.Code < 400):
		// Not known, not allowed, or an answer that makes no sense.
		c.noEPSV = true
		return t.startPassive()
	default:
		return t.over(err)
	}
	t.info.Mode = mode
	if err := t.connectData(address); err != nil {
		if ahead {
			return t.unconnected(err)
		}
		return t.over(pathError(t.verb, t.path, err))
	}
	if !ahead {
		if err := t.rest(); err != nil {
			return err
		}
		if err := t.send(t.line); err != nil {
			return err
		}
		t.asked = true
	}
	if t.eager {
		return nil
	}
	if err := t.begunSecurely(); err != nil {
		return err
	}
	c.passive = true
	return nil
}

// unconnected ends a transfer whose command is on its way although there is no connection for it. A server that
// refuses the command may have closed the port before anybody came.
func (t *transfer) unconnected(err error) error {
	t.limit(min(abortLimit, t.c.o.ReplyTimeout))
	r, failed := t.next()
	switch {
	case failed != nil:
		return err
	case r.Code >= 400:
		t.asked = false
		return t.refuse(t.verb, r)
	}
	return err
}

// portless ends a transfer whose command is on its way although there is no port for it.
func (t *transfer) portless(mode string, r ftp.Reply, err error) error {
	second, failed := t.answer()
	switch {
	case failed != nil:
		return failed
	case second.Code < 400:
		return t.c.breakOff(fmt.Errorf("%w: %d in answer to %s without a data connection", ErrProtocol, second.Code, t.verb))
	}
	t.asked = false
	t.c.passive = false // next time, one after the other
	if r.Code >= 400 {
		return t.refuse(mode, r)
	}
	return t.over(err)
}

// passiveAddress is where to connect to, according to the reply to EPSV or PASV.
func (t *transfer) passiveAddress(mode string, r ftp.Reply) (string, error) {
	c := t.c
	switch code := r.Code; {
	case code == 425, code == 426:
		return "", c.misplaced(mode, r)
	case code >= 400, code == 202: // "superfluous": not known
		return "", refusal(mode, t.path, r)
	case mode == "EPSV" && code != 229, mode == "PASV" && code != 227:
		return "", c.misplaced(mode, r)
	}
	var port uint16
	var err error
	if mode == "EPSV" {
		port, err = ftp.ParseExtendedPassiveReply(r)
		t.info.Announced = netip.AddrPortFrom(netip.Addr{}, port)
	} else {
		t.info.Announced, err = ftp.ParsePassiveReply(r)
		port = t.info.Announced.Port()
	}
	if err != nil || port == 0 {
		return "", pathError(mode, t.path, fmt.Errorf("%w: no address in %q", ErrProtocol, r))
	}
	if !isDataPort(port) {
		return "", pathError(mode, t.path, fmt.Errorf("%w: port %d is that of another service", ErrProtocol, port))
	}
	if mode == "PASV" && c.o.TrustPASV {
		return t.info.Announced.String(), nil
	}
	host := c.host
	if c.peer.IsValid() {
		host = c.peer.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), nil
}

// isDataPort reports whether a data connection may go to a port. Those below 1024 are of other services, mail for
// one, to which a hostile server would have us speak; ftp-data and ftps-data, which some firewalls are set up for, are not.
func isDataPort(port uint16) bool { return port >= 1024 || port == 20 || port == 989 }

func (c *Conn) isIPv4() bool {
	if c.peer.IsValid() {
		return c.peer.Is4()
	}
	ip, err := netip.ParseAddr(c.host)
	return err != nil || ip.Unmap().Is4() // of a name behind a proxy nobody knows
}

// connectData connects to the server's port.
func (t *transfer) connectData(address string) error {
	ctx, cancel := context.WithTimeoutCause(t.ctx, t.c.o.ConnectTimeout, ErrTimeout)
	defer cancel()
	conn, err := t.c.connect(ctx, address)
	if err != nil {
		return fmt.Errorf("data connection to %s: %w", address, err)
	}
	t.hold(newDataConn(conn, t.c.o.StallTimeout))
	return nil
}

// errNoActive is for people, who have set both.
var errNoActive = errors.New("active mode does not work through a proxy or Dialer, as the server would have to connect to this machine: use passive mode")
