//go:build !linux

package dtp

import (
	"io"
	"os"
)

// write sends all of b.
func (w *wire) write(b []byte) error {
	for w.arm(); ; {
		if w.ctx.Err() != nil {
			return w.fail(nil)
		}
		n, err := w.conn.Write(b)
		w.seen += int64(n)
		w.moved.Add(int64(n))
		b = b[n:]
		if err == nil {
			return nil
		}
		if !w.again(err) {
			return w.fail(err)
		}
	}
}

// read returns what has come, or io.EOF at the end.
func (w *wire) read(b []byte) (int, error) { return w.readNow(b, false) }

// readNow is read; with now, nothing is waited for: errNotYet. Here that is always said,
// since only a wait would tell.
func (w *wire) readNow(b []byte, now bool) (int, error) {
	if now {
		return 0, errNotYet
	}
	for w.arm(); ; {
		if w.ctx.Err() != nil {
			return 0, w.fail(nil)
		}
		n, err := w.conn.Read(b)
		w.seen += int64(n)
		if n > 0 {
			return n, nil
		}
		if err == io.EOF { //nolint:errorlint // net returns it bare
			return 0, io.EOF
		}
		if err != nil && !w.again(err) {
			return 0, w.fail(err)
		}
	}
}

// sendFile is not done here: the caller copies.
func (w *wire) sendFile(*os.File) (done bool, err error) { return false, nil }

// receiveFile is not done here: the caller copies.
func (w *wire) receiveFile(*os.File, io.Writer) (done bool, err error) { return false, nil }

// end has nothing to do here: no socket leaves the runtime's poller.
func (w *wire) end() {}

// settle is not possible here: what is queued is not known.
func (w *wire) settle() error { return nil }
