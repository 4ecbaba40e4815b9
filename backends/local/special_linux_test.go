package local_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// FIFOs, sockets and devices are refused without waiting for anybody.
func TestSpecialFiles(t *testing.T) {
	fsys, root := open(t, local.Options{})
	names := []string{"/fifo", "/socket", "/link"}
	must(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o666))
	must(t, os.Symlink("fifo", filepath.Join(root, "link")))
	t.Chdir(root) // the paths of sockets are short
	l, err := net.Listen("unix", "socket")
	must(t, err)
	defer l.Close()
	if os.Geteuid() == 0 {
		must(t, unix.Mknod("null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		must(t, unix.Mknod("loop", unix.S_IFBLK|0o666, int(unix.Mkdev(7, 200))))
		names = append(names, "/null", "/loop")
	} else {
		t.Log("devices are left out: only root can make them")
	}
	for _, name := range names {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, flag := range []int{vfs.ModeRead, vfs.ModeReplace, vfs.ModeAppend, vfs.ModeRestart} {
				f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
				if err == nil {
					_ = vfs.Abort(f)
				}
				wants(t, name, err, vfs.ErrNotRegular)
			}
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("opening %s waits", name)
		}
		info, err := fsys.Stat(name)
		must(t, err)
		if info.Mode().IsRegular() || info.IsDir() {
			t.Errorf("%s shows as %v", name, info.Mode())
		}
	}
	if got := list(t, fsys, "/"); len(got) != len(names) {
		t.Errorf("listed: %q", got)
	}
	// They can be moved and removed like anything else.
	must(t, fsys.Rename("/fifo", "/pipe"))
	must(t, fsys.Remove("/pipe"))
}
