package transfer

import (
	"context"
	"fmt"
	"io"
	"os"
)

// SendStream uploads what can be read only once; it is not tried again. Waiting for r ends with ctx if r is a file.
func (m *Mover) SendStream(ctx context.Context, r io.Reader, path string) (Result, error) {
	c, err := m.Site.Connect(ctx)
	if err != nil {
		return Result{}, err
	}
	stage, staged := streamName(path), !m.InPlace
	if staged {
		staged, err = m.Site.Renames(ctx, c, stage)
	}
	to := path
	if staged {
		to = stage
	}
	if f, ok := r.(*os.File); ok {
		r = interruptible(ctx, f)
	}
	if m.Moved != nil {
		r = &countedReader{r, m.Moved}
	}
	var n int64
	if err == nil {
		n, err = c.StoreFrom(ctx, to, r)
	}
	if err == nil && staged {
		if err = c.Rename(ctx, stage, path); err != nil {
			err = fmt.Errorf("%w; all of it stays there as %s; with --in-place it is stored under its own name at once", err, stage)
		}
		staged = false
	}
	m.Site.Put(c)
	if err != nil && staged {
		discard(ctx, m.Site, stage)
	}
	return Result{Bytes: n}, err
}
