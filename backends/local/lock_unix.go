//go:build unix

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// errLocked is what lockFile returns while somebody else holds the lock.
const errLocked = unix.EWOULDBLOCK

// lockFile locks f until it is closed, by whatever end of the process, and never waits.
func lockFile(f *os.File) error {
	return retry(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
}
