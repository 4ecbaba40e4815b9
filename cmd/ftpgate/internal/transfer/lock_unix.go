//go:build unix

package transfer

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock claims a file until it is closed; false: another process, or another transfer of this one, has it.
func lock(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
