package dtp

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// settleFrom is how much that is queued is waited for in any case. It is more than a small file,
	// for which a wait would count, and little beside what a transfer with such a queue has taken.
	settleFrom = 64 << 10
	// settleFirst and settleLast are the shortest and the longest time between two looks at what
	// the peer has acknowledged, for which the kernel has no event. A FIN of the peer ends the wait at once.
	settleFirst = 2 * time.Millisecond
	settleLast  = 100 * time.Millisecond
)

// settle waits after a download until the peer has confirmed all of it, or ended the connection, where
// closing the socket could take the rest from it: if anything comes from the peer that nobody reads,
// the kernel answers with a reset and throws away what it has not sent. Before the wait comes
// the FIN, so that a peer that reads to the end closes.
func (w *wire) settle() error {
	queued := unacknowledged(w.raw)
	if queued == 0 || queued < settleFrom && !w.unread() {
		return nil
	}
	if w.conn.CloseWrite() != nil {
		return nil // the peer has reset it
	}
	w.arm()
	moved := time.Now()
	for step := settleFirst; ; step = min(2*step, settleLast) {
		ended, err := w.discard(step)
		left := unacknowledged(w.raw)
		switch {
		case w.ctx.Err() != nil:
			return w.fail(err)
		case ended, left == 0:
			return nil
		case left < queued:
			queued, moved = left, time.Now()
		case w.stall > 0 && time.Since(moved) >= w.stall:
			return ErrStalled
		}
	}
}

// discard reads and forgets for a time, at the longest, what comes from the peer. It reports
// whether no more can come.
func (w *wire) discard(wait time.Duration) (ended bool, err error) {
	w.mu.Lock()
	if !w.cut {
		_ = w.conn.SetReadDeadline(time.Now().Add(wait))
	}
	w.mu.Unlock()
	err = w.raw.Read(func(fd uintptr) bool {
		err := discardUpToLimit(int(fd))
		ended = err != nil && err != unix.EAGAIN
		return err != unix.EAGAIN
	})
	return ended || err != nil && !errors.Is(err, os.ErrDeadlineExceeded), err
}

// unread reports whether something has come that nobody has read.
func (w *wire) unread() (any bool) {
	_ = w.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		any = n > 0 && err == nil
	})
	return any
}
