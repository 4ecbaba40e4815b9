package local_test

import (
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
	"github.com/ftpgate/ftpgate/protocol/vfs/vfstest"
)

const window = time.Hour

// newTree is one directory for vfstest; a restart is another Backend over it.
func newTree(t vfstest.TB, o local.Options) vfstest.Tree {
	o.Root = t.TempDir()
	var b *local.Backend
	open := func() {
		var err error
		if b, err = local.New(o); err != nil {
			t.Fatalf("New: %v", err)
		}
	}
	open()
	t.Cleanup(func() { _ = b.Close() })
	return vfstest.Tree{
		Open: func(owner string) afero.Fs { return b.Open(owner, window) },
		Restart: func() {
			if err := b.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			open()
		},
		Expire:    func() { b.Sweep(time.Now().Add(window + time.Minute)) },
		Forbidden: []string{o.Root},
	}
}

func TestContract(t *testing.T) {
	vfstest.Run(t, vfstest.Backend{New: func(t vfstest.TB) vfstest.Tree { return newTree(t, local.Options{}) }})
}

func TestReadOnlyContract(t *testing.T) {
	fsys, root := open(t, local.Options{})
	vfstest.Populate(t, fsys, vfstest.Sample())
	vfstest.RunReadOnly(t, vfs.ReadOnly(fsys), vfstest.Sample(), root)
}
