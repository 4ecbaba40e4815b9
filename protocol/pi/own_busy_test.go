package pi_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestOwnFileOfBusyStorage: storage that cannot be asked for a while does not make a drop-box's own
// file somebody else's.
func TestOwnFileOfBusyStorage(t *testing.T) {
	var busy atomic.Bool
	s := ftptest.Start(t, ftptest.Options{FS: hooked(tree(t, nil), func(_ context.Context, op, path string) error {
		if op == "stat" && path == "/scan.tmp" && busy.Load() {
			return vfs.ErrTransient
		}
		return nil
	})})
	c := s.Login("dropbox")
	d := c.Passive()
	c.Cmd(150, "STOR scan.tmp")
	d.Send("mine")
	d.Close()
	c.Want(226)
	busy.Store(true)
	for _, line := range []string{"SIZE scan.tmp", "MDTM scan.tmp", "MLST scan.tmp", "MFMT 20200101000000 scan.tmp", "RNFR scan.tmp", "HASH scan.tmp"} {
		c.Cmd(450, "%s", line)
	}
	busy.Store(false)
	c.Cmd(213, "SIZE scan.tmp")
	c.Cmd(350, "RNFR scan.tmp")
	busy.Store(true)
	c.Cmd(450, "RNTO scan.pdf")
	busy.Store(false)
	c.Cmd(350, "RNFR scan.tmp")
	c.Cmd(250, "RNTO scan.pdf")
}
