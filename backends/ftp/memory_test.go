package ftp

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// heap is what is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemory: 64 sessions that upload and continue files at once take no more for larger ones. The server is
// in this process, and in the figure.
func TestMemory(t *testing.T) {
	const (
		sessions = 64
		size     = 4 << 20
		most     = sessions * 384 << 10
	)
	l, err := local.New(local.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := ftptest.Start(t, ftptest.Options{
		FS: l.Open("", 0), Limits: pi.Limits{MaxConnectionsPerIP: 3 * sessions}, Change: func(_ string, a *pi.Account) { a.Commit = pi.CommitLenient },
	})
	t.Cleanup(func() { // before descriptors are counted
		s.Close()
		l.Close()
		for range 3 {
			runtime.GC() // it closes the pipes that splice has used
		}
	})
	u := &upstream{address: s.Addr.String(), user: "rw", password: "rw"}
	fsys := u.backend(t, u.options()).Open("", 0)
	chunk := make([]byte, 64<<10)
	before := heap()
	for _, flag := range []int{vfs.ModeReplace, vfs.ModeAppend} {
		files := make([]afero.File, sessions)
		var all sync.WaitGroup
		for i := range files {
			all.Go(func() {
				f, err := fsys.OpenFile(fmt.Sprintf("/f%d", i), flag, vfs.NewFileMode)
				if err != nil {
					t.Error(err)
					return
				}
				for n := 0; n < size && err == nil; n += len(chunk) {
					_, err = f.Write(chunk)
				}
				if err != nil {
					t.Error(err)
				}
				files[i] = f
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
		if grown := heap() - before; grown > most {
			t.Errorf("%d sessions take %d KiB for %d KiB", sessions, grown>>10, sessions*size>>10)
		} else {
			t.Logf("mode %#x: %d KiB", flag, grown>>10)
		}
		for _, f := range files {
			all.Go(func() {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	var all sync.WaitGroup
	for i := range sessions {
		all.Go(func() {
			f, err := fsys.Open(fmt.Sprintf("/f%d", i))
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if n, err := io.Copy(io.Discard, f); n != 2*size || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	all.Wait()
	if grown := heap() - before; grown > most {
		t.Errorf("after it, %d KiB are in use", grown>>10)
	}
}

// TestListingMemory: a directory that is read in pieces takes no more than a piece.
func TestListingMemory(t *testing.T) {
	u, below := startOwn(t)
	const entries = 100_000
	for i := range entries {
		if err := below.Mkdir(fmt.Sprintf("/a directory with a rather long name, number %d", i), 0); err != nil {
			t.Fatal(err)
		}
	}
	fsys := u.backend(t, u.options()).Open("", 0)
	before := heap()
	d, err := fsys.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n := 0
	for {
		got, err := d.Readdir(100)
		if n += len(got); err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%(entries/4) == 0 {
			if grown := heap() - before; grown > 8<<20 {
				t.Fatalf("%d KiB after %d entries", grown>>10, n)
			}
		}
	}
	if n != entries {
		t.Errorf("%d entries", n)
	}
}
