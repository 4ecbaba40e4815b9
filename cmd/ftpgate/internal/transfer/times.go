package transfer

import (
	"context"
	"sync"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Times are those of uploaded files that have not been set yet. Many are set at once: one by one, each would
// cost a round trip, which is a third of the time of a small file far away. The zero Times is empty.
type Times struct {
	mu    sync.Mutex
	files []ftpclient.FileTime
}

// timesAtOnce is how many times gather, at most, while uploads go on.
const timesAtOnce = 32

// later takes a time note, and sets those that have gathered if they are enough. What fails then, Set tries again.
func (t *Times) later(ctx context.Context, c *ftpclient.Conn, f ftpclient.FileTime) {
	t.mu.Lock()
	t.files = append(t.files, f)
	var enough []ftpclient.FileTime
	if len(t.files) >= timesAtOnce {
		enough, t.files = t.files, nil
	}
	t.mu.Unlock()
	_ = t.set(ctx, c, enough)
}

// Set sets all that have gathered.
func (t *Times) Set(ctx context.Context, s *remote.Site) error {
	if len(t.files) == 0 {
		return nil
	}
	return s.Do(ctx, func(c *ftpclient.Conn) error {
		files := t.files
		t.files = nil
		return t.set(ctx, c, files)
	})
}

// set keeps for later what could not be tried. A server that refuses has its reasons, or cannot.
func (t *Times) set(ctx context.Context, c *ftpclient.Conn, files []ftpclient.FileTime) (err error) {
	for i, failed := range c.SetModTimes(ctx, files) {
		if failed != nil && !isRefusal(failed) {
			t.mu.Lock()
			t.files = append(t.files, files[i])
			t.mu.Unlock()
			err = failed
		}
	}
	return err
}
