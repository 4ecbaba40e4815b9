package transfer

import (
	"context"
	"errors"
	"io"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// errChanged is a file that is not what it was when the transfer of it began.
var errChanged = errors.New("the file changed on the server during the transfer")

// Cat writes a file to w. When it breaks off it goes on where it was, as what was written cannot be taken back.
func (m *Mover) Cat(ctx context.Context, path string, w io.Writer) error {
	var have int64
	var first ftpclient.Entry
	d := &download{Mover: m, path: path}
	return m.Site.Progress(ctx, func(c *ftpclient.Conn) (bool, error) {
		e, err := d.stat(ctx, c)
		if err != nil {
			return false, err
		}
		if have > 0 && (e.Size != first.Size || !e.ModTime.Equal(first.ModTime)) {
			return false, errChanged
		}
		first = e
		if have > 0 && have == e.Size && sizeIs(ctx, c, path, have) {
			return true, nil
		}
		r, err := c.Retrieve(ctx, path, have)
		if err != nil {
			return false, err
		}
		n, err := r.WriteTo(w)
		have += n
		if failed := r.Close(); err == nil {
			err = failed
		}
		return n > 0, err
	})
}
