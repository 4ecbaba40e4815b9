//go:build linux

package gateway

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// soakPatience is for the server to get rid of an enemy: each of several timers, and then some.
const soakPatience = time.Minute

// enemy is one hostile client. What it does returns errors, since many run beside the test.
type enemy struct {
	*soak
	from   netip.Addr
	random *rand.ChaCha8
	open   []net.Conn
}

// newEnemy comes from one of five addresses of its kind, so that some share theirs and
// others do not.
func newEnemy(s *soak, kind, number int) *enemy {
	return &enemy{
		soak: s, from: netip.AddrFrom4([4]byte{127, 1, byte(kind), byte(1 + number%5)}),
		random: rand.NewChaCha8([32]byte{byte(kind), byte(number), byte(number >> 8)}),
	}
}

// leave closes what is still open at the enemy's end.
func (e *enemy) leave() {
	for _, c := range e.open {
		c.Close()
	}
}

// wire is a connection of an enemy.
type wire struct {
	net.Conn
	e *enemy
	r *bufio.Reader
}

func (e *enemy) dial(at netip.AddrPort) (*wire, error) {
	d := net.Dialer{
		Timeout: soakPatience, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(e.from, 0)),
		// Small segments make small buffers: hundreds of peers that do not read must not fill the machine.
		Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1000) })
		},
	}
	d.SetMultipathTCP(false)
	conn, err := d.Dial("tcp", at.String())
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(soakPatience))
	e.open = append(e.open, conn)
	return &wire{Conn: conn, e: e, r: bufio.NewReader(conn)}, nil
}

// greeted is a control connection to which the server has said hello.
func (e *enemy) greeted() (*wire, error) {
	w, err := e.dial(e.plain)
	if err != nil {
		return nil, err
	}
	return w, w.want("220")
}

// guest is logged in and may read.
func (e *enemy) guest() (*wire, error) {
	w, err := e.greeted()
	if err != nil {
		return nil, err
	}
	return w, errors.Join(w.cmd("331", "USER anonymous"), w.cmd("230", "PASS x"), w.cmd("200", "TYPE I"))
}

// mallory is logged in and may write. Many of them at once have to try more than once.
func (e *enemy) mallory() (*wire, error) {
	for limit := time.Now().Add(soakPatience); ; {
		w, err := e.greeted()
		if err != nil {
			return nil, err
		}
		if err := w.cmd("331", "USER mallory"); err != nil {
			return nil, err
		}
		err = w.cmd("230", "PASS secret words")
		if err == nil {
			return w, w.cmd("200", "TYPE I")
		}
		if !strings.Contains(err.Error(), "Too many logins at once") || time.Now().After(limit) {
			return nil, err
		}
		w.Close()
	}
}

// secure puts a control connection under TLS.
func (w *wire) secure() error {
	secure := tls.Client(w.Conn, w.e.trust)
	if err := secure.Handshake(); err != nil {
		return err
	}
	w.Conn, w.r = secure, bufio.NewReader(secure)
	return nil
}

func (w *wire) say(format string, args ...any) error {
	_, err := fmt.Fprintf(w, format+"\r\n", args...)
	return err
}

// reply reads one reply of one line.
func (w *wire) reply() (string, error) {
	line, err := w.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (w *wire) want(code string) error {
	line, err := w.reply()
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", code, err)
	}
	if !strings.HasPrefix(line, code) {
		return fmt.Errorf("got %q, want %s", line, code)
	}
	return nil
}

func (w *wire) cmd(code, line string) error {
	if err := w.say("%s", line); err != nil {
		return err
	}
	if err := w.want(code); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

// reserve sends EPSV and returns where to connect.
func (w *wire) reserve() (netip.AddrPort, error) {
	if err := w.say("EPSV"); err != nil {
		return netip.AddrPort{}, err
	}
	line, err := w.reply()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("waiting for 229: %w", err)
	}
	port, err := ftp.ParseExtendedPassiveReply(ftp.Replyf(229, "%s", strings.TrimPrefix(line, "229 ")))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("EPSV: %q", line)
	}
	return netip.AddrPortFrom(w.e.plain.Addr(), port), nil
}

// data connects to a passive port.
func (w *wire) data() (*wire, error) {
	at, err := w.reserve()
	if err != nil {
		return nil, err
	}
	return w.e.dial(at)
}

// transfer is begun, up to the 150.
func (w *wire) transfer(line string) (*wire, error) {
	d, err := w.data()
	if err != nil {
		return nil, err
	}
	return d, w.cmd("150", line)
}

// dropped returns when the server has ended the connection, or the error that it has not.
func (w *wire) dropped() error {
	if _, err := io.Copy(io.Discard, w.r); errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the server lets it stand")
	}
	return nil
}

// reset ends the connection without a goodbye.
func (w *wire) reset() {
	if c, ok := w.Conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	w.Close()
}
