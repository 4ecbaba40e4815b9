package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// mount mounts a filesystem for the time of the test, or skips it.
func mount(t *testing.T, source, target, kind string, flags uintptr, options string) {
	t.Helper()
	must(t, os.MkdirAll(target, 0o755))
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		t.Skipf("not shown here: mounting %s needs more rights (%v)", kind, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", target, err)
		}
	})
}

func TestFullDisk(t *testing.T) {
	root := filepath.Join(t.TempDir(), "disk")
	mount(t, "ftpgate-test", root, "tmpfs", 0, "size=1m,nr_inodes=100,mode=755")
	free := func() uint64 {
		var st unix.Statfs_t
		must(t, unix.Statfs(root, &st))
		return st.Bfree
	}
	b, _ := backend(t, local.Options{Root: root})
	fsys := b.Open("alice", window)
	must(t, store(fsys, "/old", vfs.ModeReplace, "the old state"))
	before := free()
	big := strings.Repeat("x", 2<<20)
	for _, flag := range []int{vfs.ModeReplace, vfs.ModeAppend} {
		for _, name := range []string{"/old", "/new"} {
			f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
			must(t, err)
			_, err = io.WriteString(f, big)
			wants(t, "write", err, vfs.ErrNoSpace)
			wants(t, "close", f.Close(), vfs.ErrNoSpace)
		}
	}
	f, err := fsys.OpenFile("/new", vfs.ModeCreate, vfs.NewFileMode)
	must(t, err)
	if _, err := vfs.OSFile(f).WriteString(big); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("past the wrapper: %v", err)
	}
	must(t, vfs.Abort(f))
	holds(t, fsys, "/old", "the old state")
	if got := list(t, fsys, "/"); len(got) != 1 || len(staged(t, root)) != 0 {
		t.Errorf("listed: %q, staged: %q", got, staged(t, root))
	}
	if after := free(); after != before {
		t.Errorf("%d blocks are lost", before-after)
	}

	// The head of an append does not fit a second time.
	must(t, store(fsys, "/half", vfs.ModeReplace, big[:600<<10]))
	err = store(fsys, "/half", vfs.ModeAppend, "more")
	wants(t, "append", err, vfs.ErrNoSpace)
	holds(t, fsys, "/half", big[:600<<10])
	// But what was cut is continued as it is.
	must(t, fsys.Remove("/half"))
	keep(t, started(t, fsys, "/half", vfs.ModeReplace, big[:600<<10]))
	f, err = fsys.OpenFile("/half", vfs.ModeAppend, vfs.NewFileMode)
	must(t, err)
	_, err = io.WriteString(f, big)
	wants(t, "resume", err, vfs.ErrNoSpace)
	must(t, vfs.Abort(f))
	heldSize(t, fsys, "/half", 600<<10)
	must(t, store(fsys, "/half", vfs.ModeAppend, "end"))
	holds(t, fsys, "/half", big[:600<<10]+"end")

	// Out of inodes.
	for i := 0; err == nil || i == 0; i++ {
		err = fsys.Mkdir("/d"+strings.Repeat("d", i), 0o755)
	}
	wants(t, "mkdir", err, vfs.ErrNoSpace)
	wants(t, "store", store(fsys, "/new", vfs.ModeReplace, "x"), vfs.ErrNoSpace)
}

func TestMountsBelowTheRoot(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, at string){
		"another filesystem": func(t *testing.T, at string) { mount(t, "ftpgate-test", at, "tmpfs", 0, "size=1m,mode=755") },
		// The device is the same, and still nothing can be renamed across.
		"the same filesystem": func(t *testing.T, at string) { mount(t, t.TempDir(), at, "", unix.MS_BIND, "") },
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			root, mnt := filepath.Join(top, "root"), filepath.Join(top, "root", "a", "mnt")
			prepare(t, mnt)
			b, _ := backend(t, local.Options{Root: root, Sync: true})
			fsys := b.Open("alice", window)
			must(t, fsys.MkdirAll("/a/mnt/b/c", 0o755))
			for _, name := range []string{"/a/f", "/a/mnt/f", "/a/mnt/b/c/f"} {
				must(t, store(fsys, name, vfs.ModeReplace, "one"))
				must(t, store(fsys, name, vfs.ModeAppend, " two"))
				wants(t, "exclusive create", store(fsys, name, vfs.ModeCreate, "x"), fs.ErrExist)
				must(t, store(fsys, name+"2", vfs.ModeCreate, "x"))
				must(t, fsys.Rename(name+"2", name+"3"))
				holds(t, fsys, name, "one two")
				must(t, vfs.Abort(started(t, fsys, name, vfs.ModeReplace, "x")))
				keep(t, started(t, fsys, name, vfs.ModeReplace, "part"))
			}
			if got := list(t, fsys, "/a/mnt"); strings.Join(got, " ") != "b f f3" {
				t.Errorf("listed: %q", got)
			}
			if got := staged(t, mnt); len(got) != 2 {
				t.Errorf("staged on the mount: %q", got)
			}
			wants(t, "rename across", fsys.Rename("/a/f", "/a/mnt/g"), vfs.ErrUnsupported)
			holds(t, fsys, "/a/f", "one two")
			if err := fsys.Remove("/a/mnt"); err == nil {
				t.Errorf("a mount was removed")
			}

			// A restart finds what is held there, too.
			started(t, fsys, "/a/mnt/b/c/new", vfs.ModeReplace, "cut")
			must(t, b.Close())
			again, _ := backend(t, local.Options{Root: root})
			fsys = again.Open("alice", window)
			heldSize(t, fsys, "/a/mnt/b/c/new", 3)
			for _, name := range []string{"/a/f", "/a/mnt/f", "/a/mnt/b/c/f"} {
				heldSize(t, fsys, name, 4)
				must(t, store(fsys, name, vfs.ModeAppend, "!"))
				holds(t, fsys, name, "part!")
			}
			again.Sweep(time.Now().Add(2 * window))
			if got := append(staged(t, mnt), staged(t, root)...); len(got) != 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}
