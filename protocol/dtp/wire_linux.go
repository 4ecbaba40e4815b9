package dtp

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// sendChunk is asked of each sendfile: it returns earlier, when the send
	// buffer is full, and never holds up an abort for longer than it takes to
	// queue a chunk.
	sendChunk = 1 << 20
	// pipeSize is asked for the pipe of an upload; the kernel may give less.
	pipeSize = 1 << 20
)

// write sends all of b.
func (w *wire) write(b []byte) error {
	if err := w.join(); err != nil { // alerts and key updates of an upload under TLS
		return w.fail(err)
	}
	for {
		var fault error
		err := w.raw.Write(func(fd uintptr) bool {
			for len(b) > 0 {
				if w.ctx.Err() != nil {
					return true
				}
				n, err := unix.Write(int(fd), b)
				switch {
				case n > 0:
					w.seen += int64(n)
					w.moved.Add(int64(n))
					b = b[n:]
				case err == unix.EAGAIN:
					w.arm()
					return false
				case err != unix.EINTR:
					fault = os.NewSyscallError("write", err)
					return true
				}
			}
			return true
		})
		switch {
		case err == nil && fault == nil && len(b) == 0:
			return nil
		case err == nil:
			return w.fail(fault)
		case !w.again(err):
			return w.fail(err)
		}
	}
}

// read returns what has come, or io.EOF at the end.
func (w *wire) read(b []byte) (int, error) { return w.readNow(b, false) }

// readNow is read; with now, nothing is waited for: errNotYet.
func (w *wire) readNow(b []byte, now bool) (int, error) {
	for {
		var n int
		var end, empty bool
		var fault error
		err := w.readable(func(fd uintptr) bool {
			for {
				if w.ctx.Err() != nil {
					return true
				}
				var err error
				n, err = unix.Read(int(fd), b)
				switch err {
				case nil:
					end = n == 0
					w.seen += int64(n)
					return true
				case unix.EAGAIN:
					if now {
						empty = true
						return true
					}
					return false
				case unix.EINTR:
				default:
					n, fault = 0, os.NewSyscallError("read", err)
					return true
				}
			}
		})
		switch {
		case empty:
			return 0, errNotYet
		case end:
			return 0, io.EOF
		case err == nil && fault == nil && n > 0:
			return n, nil
		case err == nil:
			return 0, w.fail(fault)
		case now && errors.Is(err, os.ErrDeadlineExceeded) && w.ctx.Err() == nil:
			return 0, errNotYet // of an interval that has ended meanwhile
		case !w.again(err):
			return 0, w.fail(err)
		}
	}
}

// sendFile sends f from its offset to its end. Not done and no error: the
// kernel does not do it for this file, or something failed; copying the rest
// works or finds out what.
func (w *wire) sendFile(f *os.File) (done bool, err error) {
	file, err := f.SyscallConn()
	if err != nil {
		return false, nil
	}
	for {
		refused := false
		ferr := file.Control(func(from uintptr) {
			err = w.raw.Write(func(to uintptr) bool {
				for {
					if w.ctx.Err() != nil {
						return true
					}
					n, err := unix.Sendfile(int(to), int(from), nil, sendChunk)
					switch {
					case n > 0:
						w.seen += int64(n)
						w.moved.Add(int64(n))
					case err == nil:
						done = true
						return true
					case err == unix.EAGAIN:
						w.arm()
						return false
					case err != unix.EINTR:
						refused = true
						return true
					}
				}
			})
		})
		switch {
		case done:
			return true, nil
		case refused || ferr != nil:
			return false, nil
		case err == nil || !w.again(err):
			return false, w.fail(err)
		}
	}
}

// receiveFile receives to the end of the connection into f, at its offset,
// through a pipe. Not done and no error: the kernel does not do it here. What
// the kernel cannot put into f goes to dst, which takes it or says why not.
func (w *wire) receiveFile(f *os.File, dst io.Writer) (done bool, err error) {
	file, err := f.SyscallConn()
	if err != nil {
		return false, nil
	}
	var pipe [2]int
	if unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return false, nil
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	size, err := unix.FcntlInt(uintptr(pipe[1]), unix.F_SETPIPE_SZ, pipeSize)
	if err != nil {
		size = pipeSize // of what is asked; the pipe takes what it can
	}
	for {
		refused, left := false, 0
		var fault error
		ferr := file.Control(func(to uintptr) {
			err = w.readable(func(from uintptr) bool {
				for {
					if w.ctx.Err() != nil {
						return true
					}
					n, err := unix.Splice(int(from), nil, pipe[1], nil, size, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
					switch {
					case n > 0:
						w.seen += int64(n) //nolint:unconvert // an int on 32-bit systems
						left = w.pump(pipe[0], int(to), int(n))
						return true
					case err == nil:
						done = true
						return true
					case err == unix.EAGAIN:
						return false
					case err == unix.EINVAL || err == unix.ENOSYS || err == unix.EOPNOTSUPP:
						refused = true
						return true
					case err != unix.EINTR:
						// Never left to a later read: the kernel reports a reset
						// once, and after that the end of the file.
						fault = os.NewSyscallError("splice", err)
						return true
					}
				}
			})
		})
		switch {
		case done:
			return true, nil
		case left > 0:
			return false, w.spill(pipe[0], left, dst)
		case refused || ferr != nil:
			return false, nil
		case fault != nil:
			return false, w.fail(fault)
		case err == nil && w.ctx.Err() == nil:
		case err == nil || !w.again(err):
			return false, w.fail(err)
		}
	}
}

// pump moves n bytes from the pipe to the file and says how many it could not.
func (w *wire) pump(pipe, file, n int) (left int) {
	for n > 0 {
		k, err := unix.Splice(pipe, nil, file, nil, n, unix.SPLICE_F_MOVE)
		if err == unix.EINTR {
			continue
		}
		if k <= 0 {
			return n
		}
		n -= int(k)
		w.moved.Add(int64(k)) //nolint:unconvert // an int on 32-bit systems
	}
	return 0
}

// spill writes the n bytes that are left in the pipe to dst, whose error then
// says why the kernel could not.
func (w *wire) spill(pipe, n int, dst io.Writer) error {
	b := make([]byte, n)
	for at := 0; at < n; {
		k, err := unix.Read(pipe, b[at:])
		if err == unix.EINTR {
			continue
		}
		if k <= 0 {
			return os.NewSyscallError("read", err)
		}
		at += k
	}
	k, err := dst.Write(b)
	if err == nil && k < n {
		err = io.ErrShortWrite
	}
	w.moved.Add(int64(k))
	return err
}
