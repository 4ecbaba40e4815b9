package dtp

import (
	"context"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// States of the kernel's tcp_states.h.
const (
	tcpEstablished = 1
	tcpClose       = 7
)

// discardLimit bounds what is thrown away at once of a peer that sends during its
// download, in bytes.
const discardLimit = 1 << 20

// Established reports whether both directions of c are open: the peer has sent
// neither FIN nor RST. It asks the kernel (TCP_INFO) and does not read.
func Established(c *net.TCPConn) bool { return state(c) == tcpEstablished }

// Dead reports whether nothing can be sent or received on c any more, because the peer has
// reset it or is out of reach. A peer that has sent FIN may still listen.
func Dead(c *net.TCPConn) bool { return state(c) == tcpClose }

// state is one of tcp_states.h, or 0.
func state(c *net.TCPConn) (s uint8) {
	control(c, func(fd int) {
		if info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO); err == nil {
			s = info.State
		}
	})
	return s
}

// peerGone reports whether the peer has closed or reset c and sent nothing
// that is still unread.
func peerGone(c *net.TCPConn) bool {
	gone := false
	control(c, func(fd int) {
		var b [1]byte
		n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		gone = err == nil && n == 0 || err != nil && err != unix.EAGAIN && err != unix.EINTR
	})
	return gone
}

// discardUnread throws away what has come and not been read.
func discardUnread(c *net.TCPConn) {
	control(c, func(fd int) { _ = discardUpToLimit(fd) })
}

// discardUpToLimit does so with no more than discardLimit bytes. It returns io.EOF, EAGAIN or
// another error when there was less.
func discardUpToLimit(fd int) error {
	var b [4 << 10]byte // only the length counts: with MSG_TRUNC, TCP copies nothing
	for left := discardLimit; left > 0; {
		switch n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_TRUNC|unix.MSG_DONTWAIT); {
		case n > 0:
			left -= n
		case err == nil:
			return io.EOF
		case err != unix.EINTR:
			return err
		}
	}
	return nil
}

// acknowledgeAtOnce has what comes next on c acknowledged without the usual wait of
// 40 ms. The kernel forgets it again by itself.
func acknowledgeAtOnce(c *net.TCPConn) {
	control(c, func(fd int) { _ = unix.SetsockoptInt(fd, unix.SOL_TCP, unix.TCP_QUICKACK, 1) })
}

// unacknowledged is how many bytes the peer has not confirmed yet.
func unacknowledged(raw syscall.RawConn) int64 {
	n := 0
	_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return int64(n)
}

func control(c *net.TCPConn, f func(fd int)) {
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// listenControl is set on listeners for control connections before bind.
func listenControl(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
	}); e != nil {
		return e
	}
	return err
}

// dialControl lets the kernel choose the local port when it connects, by all
// four ends, and not when the address is bound: otherwise ports that linger
// after earlier transfers run out. A kernel that does not know it is no worse
// off.
func dialControl(_ context.Context, _, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}
