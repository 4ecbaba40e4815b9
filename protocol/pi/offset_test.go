package pi_test

import (
	"context"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestOffsetOfRETR: the storage knows the offset of REST when a file is opened, and of no other transfer.
func TestOffsetOfRETR(t *testing.T) {
	offsets := make(chan int64, 1)
	fsys := hooked(tree(t, map[string]string{"/f": "0123456789"}), func(ctx context.Context, op, _ string) error {
		if op == "open" {
			offsets <- vfs.Offset(ctx)
		}
		return nil
	})
	c := ftptest.Start(t, ftptest.Options{FS: fsys}).Login("rw")
	c.Cmd(200, "TYPE I")
	for _, x := range []struct {
		rest string
		want int64
		data string
	}{{"", 0, "0123456789"}, {"REST 4", 4, "456789"}, {"", 0, "0123456789"}} {
		if x.rest != "" {
			c.Cmd(350, "%s", x.rest)
		}
		d := c.Passive()
		c.Cmd(150, "RETR f")
		got := d.Receive()
		c.Want(226)
		if got != x.data {
			t.Errorf("%s: %q", x.rest, got)
		}
		if got := <-offsets; got != x.want {
			t.Errorf("%s: the storage hears of %d", x.rest, got)
		}
	}
}
