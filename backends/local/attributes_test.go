//go:build unix

package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return info.Mode()
}

func TestModesWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o027} {
		old := unix.Umask(umask)
		t.Cleanup(func() { unix.Umask(old) })
		for _, o := range []local.Options{{}, {FileMode: 0o664, DirMode: 0o775}, {FileMode: 0o400, DirMode: 0o711}} {
			o.Root, o.Create = filepath.Join(t.TempDir(), "made"), true
			file, dir := fs.FileMode(0o644), fs.FileMode(0o755)
			if o.FileMode != 0 {
				file, dir = o.FileMode, o.DirMode
			}
			fsys, root := open(t, o)
			must(t, store(fsys, "/f", vfs.ModeReplace, "x"))
			must(t, store(fsys, "/g", vfs.ModeCreate, "x"))
			must(t, store(fsys, "/h", vfs.ModeAppend, "x"))
			must(t, fsys.Mkdir("/d", 0o755))
			must(t, fsys.MkdirAll("/e/e", 0o755))
			for name, want := range map[string]fs.FileMode{
				"": fs.ModeDir | dir, "f": file, "g": file, "h": file, "d": fs.ModeDir | dir, "e/e": fs.ModeDir | dir,
			} {
				if got := modeOf(t, filepath.Join(root, name)); got != want {
					t.Errorf("umask %03o: %q has mode %v, want %v", umask, name, got, want)
				}
			}
			// What is replaced keeps its mode, also one that the umask would not give.
			must(t, fsys.Chmod("/f", 0o606))
			must(t, store(fsys, "/f", vfs.ModeReplace, "new"))
			must(t, store(fsys, "/f", vfs.ModeAppend, "er"))
			if got := modeOf(t, filepath.Join(root, "f")); got != 0o606 {
				t.Errorf("umask %03o: the replaced file has mode %v", umask, got)
			}
			// So does what is resumed.
			keep(t, started(t, fsys, "/f", vfs.ModeReplace, "part"))
			must(t, store(fsys, "/f", vfs.ModeAppend, " and the rest"))
			holds(t, fsys, "/f", "part and the rest")
			if got := modeOf(t, filepath.Join(root, "f")); got != 0o606 {
				t.Errorf("umask %03o: the resumed file has mode %v", umask, got)
			}
		}
		unix.Umask(old)
	}
}

func TestOwnersOfWhatIsReplaced(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	fsys, root := open(t, local.Options{})
	must(t, fsys.Mkdir("/team", 0o755))
	must(t, os.Chown(filepath.Join(root, "team"), 0, 4242))
	must(t, os.Chmod(filepath.Join(root, "team"), 0o775|fs.ModeSetgid))
	owner := func(name string) (uid, gid uint32) {
		info, err := os.Stat(filepath.Join(root, name))
		must(t, err)
		st := info.Sys().(*syscall.Stat_t)
		return st.Uid, st.Gid
	}
	must(t, store(fsys, "/f", vfs.ModeReplace, "x"))
	must(t, os.Chown(filepath.Join(root, "f"), 1234, 2345))
	must(t, os.Chmod(filepath.Join(root, "f"), 0o755|fs.ModeSetuid))
	must(t, store(fsys, "/f", vfs.ModeReplace, "y"))
	if uid, gid := owner("f"); uid != 1234 || gid != 2345 {
		t.Errorf("replaced: owner %d, group %d", uid, gid)
	}
	if got := modeOf(t, filepath.Join(root, "f")); got != 0o755 {
		t.Errorf("the right to run as the owner went over to new content: %v", got)
	}
	must(t, fsys.Chmod("/f", 0o711|fs.ModeSetuid|fs.ModeSticky))
	if got := modeOf(t, filepath.Join(root, "f")); got != 0o711 {
		t.Errorf("a client set more than permissions: %v", got)
	}
	// A set-group-id directory gives its group to new files and directories.
	must(t, store(fsys, "/team/f", vfs.ModeReplace, "x"))
	must(t, fsys.Mkdir("/team/d", 0o755))
	must(t, fsys.Chmod("/team/d", 0o700))
	wide, _ := open(t, local.Options{Root: root, DirMode: 0o777})
	must(t, wide.Mkdir("/team/wide", 0))
	if got := modeOf(t, filepath.Join(root, "team/wide")); got != fs.ModeDir|fs.ModeSetgid|0o777 {
		t.Errorf("team/wide: %v", got)
	}
	for _, name := range []string{"team/f", "team/d"} {
		if _, gid := owner(name); gid != 4242 {
			t.Errorf("%s: group %d", name, gid)
		}
	}
	if got := modeOf(t, filepath.Join(root, "team/d")); got != fs.ModeDir|fs.ModeSetgid|0o700 {
		t.Errorf("team/d: %v", got)
	}
	wants(t, "chown", fsys.Chown("/none", 1, 1), fs.ErrNotExist)
	must(t, fsys.Chown("/f", 99, -1))
	if uid, gid := owner("f"); uid != 99 || gid != 2345 {
		t.Errorf("changed: owner %d, group %d", uid, gid)
	}
	info, err := fsys.Stat("/team/f")
	must(t, err)
	user, group, links := info.(vfs.Owned).Owner()
	if user != "root" || group != "4242" || links != 1 {
		t.Errorf("shown as %s, %s, %d", user, group, links)
	}
}

func TestIdentity(t *testing.T) {
	fsys, root := open(t, local.Options{})
	put(t, filepath.Join(root, "a"), "x")
	put(t, filepath.Join(root, "c"), "x")
	must(t, os.Link(filepath.Join(root, "a"), filepath.Join(root, "b")))
	identity := func(name string) string {
		info, err := fsys.Stat(name)
		must(t, err)
		return info.(vfs.Identifier).Identity()
	}
	if identity("/a") != identity("/b") || identity("/a") == identity("/c") || identity("/a") == "" {
		t.Errorf("identities: %s %s %s", identity("/a"), identity("/b"), identity("/c"))
	}
	info, err := fsys.Stat("/a")
	must(t, err)
	user, group, links := info.(vfs.Owned).Owner()
	if links != 2 || user == "" || group == "" {
		t.Errorf("shown as %s, %s, %d", user, group, links)
	}
	if _, err := strconv.Atoi(user); err == nil && os.Geteuid() == 0 {
		t.Errorf("root is shown as %s", user)
	}
	top, err := fsys.Stat("/")
	must(t, err)
	if top.Name() != "/" || !top.IsDir() {
		t.Errorf("the root is %q, %v", top.Name(), top.Mode())
	}
}

func TestSyncPublishes(t *testing.T) {
	fsys, _ := open(t, local.Options{Sync: true})
	must(t, fsys.Mkdir("/d", 0o755))
	must(t, store(fsys, "/d/f", vfs.ModeReplace, "x"))
	must(t, store(fsys, "/d/f", vfs.ModeAppend, "y"))
	must(t, store(fsys, "/g", vfs.ModeCreate, "z"))
	must(t, fsys.Rename("/g", "/d/g"))
	holds(t, fsys, "/d/f", "xy")
	holds(t, fsys, "/d/g", "z")
}

func TestRoots(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "a", "b")
	if _, err := local.New(local.Options{Root: missing}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing root: %v", err)
	}
	b, _ := backend(t, local.Options{Root: missing, Create: true})
	again, _ := backend(t, local.Options{Root: missing, Create: true})
	must(t, store(again.Open("bob", 0), "/f", vfs.ModeReplace, "x"))
	holds(t, b.Open("alice", 0), "/f", "x")
	file := filepath.Join(missing, "f")
	if _, err := local.New(local.Options{Root: file, Create: true}); err == nil {
		t.Errorf("a file as the root")
	}
	// Looking leaves nothing behind.
	mirror := t.TempDir()
	fsys, _ := open(t, local.Options{Root: mirror})
	list(t, fsys, "/")
	notHeld(t, fsys, "/f")
	if entries, _ := os.ReadDir(mirror); len(entries) != 0 {
		t.Errorf("reading made %v", entries)
	}
}

func TestClosedBackend(t *testing.T) {
	b, root := backend(t, local.Options{})
	fsys := b.Open("alice", 0)
	must(t, store(fsys, "/f", vfs.ModeReplace, "x"))
	must(t, b.Close())
	_, err := fsys.Stat("/f")
	wants(t, "stat", err, fs.ErrClosed)
	wants(t, "store", store(fsys, "/f", vfs.ModeReplace, "y"), fs.ErrClosed)
	wants(t, "a second Close", b.Close(), fs.ErrClosed)
	b.Sweep(time.Now())
	if entries, _ := os.ReadDir(filepath.Join(root, ".ftpgate")); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// Somebody tidies up while the gateway runs.
func TestStagingDirectoryRemoved(t *testing.T) {
	fsys, root := open(t, local.Options{})
	must(t, store(fsys, "/f", vfs.ModeReplace, "one"))
	lost := started(t, fsys, "/g", vfs.ModeReplace, "lost")
	must(t, os.RemoveAll(filepath.Join(root, ".ftpgate")))
	if err := lost.Close(); err == nil {
		t.Errorf("a staged file that was removed was published")
	}
	for i := range 50 { // one of these gets the number of the directory that was
		name := "/d" + strconv.Itoa(i)
		must(t, fsys.Mkdir(name, 0o755))
		must(t, store(fsys, name+"/f", vfs.ModeReplace, "two"))
		holds(t, fsys, name+"/f", "two")
		must(t, fsys.RemoveAll(name))
	}
	must(t, store(fsys, "/f", vfs.ModeReplace, "two"))
	holds(t, fsys, "/f", "two")
	if got := list(t, fsys, "/"); strings.Join(got, " ") != "f" {
		t.Errorf("listed %q", got)
	}
}
