//go:build unix

package transfer

import (
	"os"

	"golang.org/x/sys/unix"
)

// holdLock keeps what lock has claimed when f is closed, until release.
func holdLock(f *os.File) (release func()) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return func() {}
	}
	return func() { _ = unix.Close(fd) } // nothing is written through it
}

// lock claims a file until it is closed; false: another process, or another transfer of this one, has it.
func lock(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
