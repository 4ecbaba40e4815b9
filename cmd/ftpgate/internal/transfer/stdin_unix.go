//go:build unix

package transfer

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// glance is how long a read waits before it looks whether it is still wanted.
const glance = 200 * time.Millisecond

// interruptible reads from a pipe or a terminal until ctx ends. A blocked read of either cannot be
// ended from outside, and making it not block would do so to all who share it.
func interruptible(ctx context.Context, f *os.File) io.Reader {
	if i, err := f.Stat(); err != nil || i.Mode().IsRegular() {
		return f
	}
	return &waiting{ctx, f}
}

type waiting struct {
	ctx context.Context
	f   *os.File
}

func (w *waiting) Read(b []byte) (int, error) {
	ready := []unix.PollFd{{Fd: int32(w.f.Fd()), Events: unix.POLLIN}}
	for {
		if w.ctx.Err() != nil {
			return 0, context.Cause(w.ctx)
		}
		n, err := unix.Poll(ready, int(glance.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, os.NewSyscallError("poll", err)
		}
		if n > 0 {
			return w.f.Read(b)
		}
	}
}
