//go:build unix

package ftpclient

import "golang.org/x/sys/unix"

// readable reports whether a read of a socket would not wait.
func readable(fd uintptr) bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == nil || err != unix.EAGAIN && err != unix.EINTR //nolint:errorlint // a plain number
}

// hasFailed reports whether a socket has an error that no call has returned, such as the peer's RST.
func hasFailed(fd uintptr) bool {
	errno, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	return err == nil && errno != 0
}
