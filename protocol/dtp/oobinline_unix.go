//go:build unix && !linux

package dtp

import (
	"syscall"

	"golang.org/x/sys/unix"
)

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
