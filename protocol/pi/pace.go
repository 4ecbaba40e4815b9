package pi

import (
	"context"
	"io"

	"github.com/spf13/afero"
	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// pace is a bandwidth: as many bytes as every one of some limiters lets pass, each
// of which may be shared with other sessions. Waiting for them happens on the
// storage's side of a transfer, so it is never taken for a stall of the client. A
// storage that looks at how long its clients take is told (vfs.Pacer).
type pace struct {
	ctx      context.Context
	limiters []*rate.Limiter
}

// chunk is how many bytes of n may be asked for at once.
func (p pace) chunk(n int) int {
	for _, l := range p.limiters {
		n = min(n, max(l.Burst(), 1))
	}
	return n
}

// wait returns when n bytes may pass, or when the command's context ends.
func (p pace) wait(n int) error {
	for _, l := range p.limiters {
		if err := l.WaitN(p.ctx, n); err != nil {
			return err
		}
	}
	return nil
}

type pacedReader struct {
	pace
	io.Reader
}

func (r pacedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b[:r.chunk(len(b))])
	if n > 0 {
		if err := r.wait(n); err != nil {
			return 0, err
		}
	}
	return n, err
}

type pacedWriter struct {
	pace
	io.Writer
	file afero.File // below the Writer
}

func (w pacedWriter) Write(b []byte) (done int, err error) {
	for done < len(b) {
		n := w.chunk(len(b) - done)
		vfs.Paced(w.file)
		if err := w.wait(n); err != nil {
			return done, err
		}
		n, err = w.Writer.Write(b[done : done+n])
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}
