package dtp

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A busy upload is direct: its socket has left the runtime's poller, and the
// worker waits for it by itself, with poll.
//
// The poller is edge-triggered: every segment that arrives wakes the thread that
// waits for all connections, only to find that the worker is reading already. That
// was 12 wake-ups for each MiB, and a fifth of the processor time (docs/performance.md).
//
// A direct wait holds a thread. So it is short, and only those that bring
// enough may do it again; the others join the poller for their wait.
const (
	// directFrom is how much must come through the poller first.
	directFrom = 1 << 20
	// directWait is the longest direct wait, in milliseconds. An abort may take so long.
	directWait = 10
	// directShare is what a direct wait must bring on average, in bytes.
	directShare = 4 << 10
)

// readable calls try with the socket until it is done, and waits in between for
// something to read. The error is that of a deadline that passed.
func (w *wire) readable(try func(fd uintptr) (done bool)) error {
	if w.direct < 0 && w.seen-w.joined >= directFrom {
		w.leave()
	}
	for still := 0; w.direct >= 0; {
		if try(uintptr(w.direct)) {
			return nil
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.direct), Events: unix.POLLIN}}, directWait) //nolint:gosec // a descriptor is small
		if w.waits++; (n > 0 || errors.Is(err, unix.EINTR)) && w.waits*directShare <= w.seen-w.joined {
			continue
		}
		if w.join() == nil {
			break
		}
		// No descriptor is free to join with, so the stall must be noticed here.
		if n > 0 {
			still = 0
		} else if still += directWait; w.stall > 0 && int64(still) >= w.stall.Milliseconds() {
			return os.ErrDeadlineExceeded
		}
	}
	return w.raw.Read(func(fd uintptr) bool {
		done := try(fd)
		if !done {
			w.arm()
		}
		return done
	})
}

// leave takes the socket out of the poller: closing the connection does, while a
// duplicate of its descriptor keeps the socket open.
func (w *wire) leave() {
	w.joined, w.waits = w.seen, 0 // also when it fails: not again at once
	err := w.raw.Control(func(fd uintptr) {
		if d, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			w.direct = d
		}
	})
	if err == nil && w.direct >= 0 {
		_ = w.conn.Close()
	}
}

// join gives a direct socket back to the poller, as another connection of the
// transfer. When no descriptor is free for that, it stays direct.
func (w *wire) join() error {
	if w.direct < 0 {
		return nil
	}
	if w.file == nil {
		w.file = os.NewFile(uintptr(w.direct), "")
	}
	c, err := net.FileConn(w.file)
	if err != nil {
		return err
	}
	conn := c.(*net.TCPConn) // as the one it was before
	raw, err := conn.SyscallConn()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	_ = w.file.Close()
	w.direct, w.file, w.joined = -1, nil, w.seen
	w.mu.Lock()
	w.conn, w.raw = conn, raw
	w.mu.Unlock()
	w.transfer.replace(conn)
	if w.armed {
		w.renew() // after interrupt it sets nothing, and every try looks at the context first
	}
	return nil
}

// end joins for the last time, or closes as Transfer.Close would. Then an upload under TLS ends without our
// close_notify, for want of a descriptor; the client has sent its own by then, and the 226 follows.
func (w *wire) end() {
	if w.join() != nil {
		if !w.transfer.whole {
			_ = unix.SetsockoptLinger(w.direct, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		}
		_ = w.file.Close()
		w.direct = -1
	}
}
