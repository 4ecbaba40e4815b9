//go:build unix

package ftpclient

import "golang.org/x/sys/unix"

// readable reports whether a read of a socket would not wait.
func readable(fd uintptr) bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil || err != unix.EAGAIN && err != unix.EINTR //nolint:errorlint // a plain number
}
