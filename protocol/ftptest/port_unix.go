//go:build unix

package ftptest

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// KeepPort keeps a port of 127.0.0.1 for the test: bound with SO_REUSEADDR and not listened
// on, so that only who shares it knowingly gets it.
func KeepPort(t testing.TB) uint16 {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	if err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(name.(*unix.SockaddrInet4).Port) //nolint:gosec // a port is 16 bits
}
