package memory_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/vfs"
	"github.com/ftpgate/ftpgate/protocol/vfs/vfstest"
)

// tree is a backend whose clock the test can set forward.
func tree(o memory.Options) vfstest.Tree {
	var late atomic.Int64
	o.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	b := memory.New(o)
	return vfstest.Tree{
		Open:   func(owner string) afero.Fs { return b.Open(owner, time.Hour) },
		Expire: func() { late.Add(int64(time.Hour)) },
	}
}

func TestContract(t *testing.T) {
	vfstest.Run(t, vfstest.Backend{
		New: func(vfstest.TB) vfstest.Tree { return tree(memory.Options{}) },
		NewLimited: func(_ vfstest.TB, limit int64) vfstest.Tree {
			return tree(memory.Options{MaxSize: limit})
		},
	})
}

func TestReadOnly(t *testing.T) {
	files := vfstest.Sample()
	fsys := memory.New(memory.Options{}).Open("alice", time.Hour)
	vfstest.Populate(t, fsys, files)
	vfstest.RunReadOnly(t, vfs.ReadOnly(fsys), files)
}
