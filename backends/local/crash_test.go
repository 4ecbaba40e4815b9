//go:build unix

package local_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// childVar names, in the environment of this test binary run again, what it
// does instead of testing; rootVar the directory in which it does it.
const (
	childVar = "FTPGATE_LOCAL_CHILD"
	rootVar  = "FTPGATE_LOCAL_ROOT"
)

var children = map[string]func(root string) error{
	"uploads":      childUploads,
	"unprivileged": childUnprivileged,
}

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVar)]; child != nil {
		if err := child(os.Getenv(rootVar)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func childCommand(t *testing.T, name, root string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVar+"="+name, rootVar+"="+root)
	cmd.Stderr = os.Stderr
	return cmd
}

// line is what an upload of the crash test consists of.
func line(i int) string { return fmt.Sprintf("%-62d\r\n", i) }

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

// childUploads begins uploads of every kind, says so, and goes on writing to
// one of them until it is killed.
func childUploads(root string) error {
	b, err := local.New(local.Options{Root: root})
	if err != nil {
		return err
	}
	alice, bob := b.Open("alice", window), b.Open("bob", 0)
	for name, u := range map[string]struct {
		flag int
		size int
	}{
		"/none": {vfs.ModeReplace, 0}, "/one": {vfs.ModeReplace, 1}, "/some": {vfs.ModeCreate, 1000},
		"/old": {vfs.ModeReplace, 10}, "/log": {vfs.ModeAppend, 10}, "/d/big": {vfs.ModeReplace, 100_000},
	} {
		f, err := alice.OpenFile(name, u.flag, vfs.NewFileMode)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(f, lines(u.size)); err != nil {
			return err
		}
	}
	short, err := bob.OpenFile("/short", vfs.ModeReplace, vfs.NewFileMode)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(short, lines(10)); err != nil {
		return err
	}
	f, err := alice.OpenFile("/going", vfs.ModeReplace, vfs.NewFileMode)
	if err != nil {
		return err
	}
	raw := vfs.OSFile(f) // as splice does
	for i := 0; ; i++ {
		if i == 1000 {
			fmt.Println("ready")
		}
		if _, err := raw.WriteString(line(i)); err != nil {
			return err
		}
	}
}

func TestKilledInMidUpload(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "old"), "the old state")
	put(t, filepath.Join(root, "log"), lines(5))
	must(t, os.Mkdir(filepath.Join(root, "d"), 0o755))
	cmd := childCommand(t, "uploads", root)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if said, err := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		t.Fatalf("the child said %q, %v", said, err)
	}

	// While it lives, nobody takes its files.
	b, _ := backend(t, local.Options{Root: root})
	b.Sweep(time.Now())
	alice := b.Open("alice", window)
	if got := staged(t, root); len(got) != 8 {
		t.Errorf("staged: %q", got)
	}
	notHeld(t, alice, "/d/big")

	must(t, cmd.Process.Signal(syscall.SIGKILL))
	_ = cmd.Wait()
	b.Sweep(time.Now())
	if got := staged(t, root); len(got) != 6 {
		t.Errorf("of the dead there are %q; the empty one and the one that cannot be resumed should be gone", got)
	}
	notHeld(t, alice, "/none")
	if locks, _ := filepath.Glob(filepath.Join(root, ".ftpgate", "*.lock")); len(locks) != 0 {
		t.Errorf("the dead still has %q", locks)
	}
	holds(t, alice, "/old", "the old state")
	holds(t, alice, "/log", lines(5))
	if got := strings.Join(list(t, alice, "/"), " "); got != "d log old" {
		t.Errorf("listed: %s", got)
	}
	if got := list(t, alice, "/d"); len(got) != 0 {
		t.Errorf("listed: %q", got)
	}

	for name, was := range map[string]int{"/one": 1, "/some": 1000, "/old": 10, "/d/big": 100_000} {
		heldSize(t, alice, name, int64(64*was))
		notHeld(t, b.Open("bob", window), name)
		must(t, store(alice, name, vfs.ModeAppend, line(was)))
		holds(t, alice, name, lines(was+1))
	}
	heldSize(t, alice, "/log", 64*15)
	must(t, store(alice, "/log", vfs.ModeAppend, "end"))
	holds(t, alice, "/log", lines(5)+lines(10)+"end")

	// The one that was being written is a whole beginning.
	size, err := vfs.Held(alice, "/going")
	must(t, err)
	f, err := alice.OpenFile("/going", vfs.ModeRestart, 0)
	must(t, err)
	_, err = f.Seek(size, io.SeekStart)
	must(t, err)
	want := lines(int(size/64) + 100)
	_, err = io.WriteString(f, want[size:])
	must(t, err)
	must(t, f.Close())
	if got, err := read(alice, "/going"); err != nil || got != want {
		t.Errorf("resumed from %d, the file differs (%d bytes, want %d; %v)", size, len(got), len(want), err)
	}
	if got := staged(t, root); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become nobody")
	}
	root := t.TempDir()
	must(t, os.Chmod(filepath.Dir(root), 0o755))
	for dir, mode := range map[string]os.FileMode{"upload": 0o733, "mine": 0o755, "fixed": 0o755, "closed": 0o700} {
		must(t, os.Mkdir(filepath.Join(root, dir), mode))
		must(t, os.Chmod(filepath.Join(root, dir), mode))
	}
	must(t, os.Chown(filepath.Join(root, "mine"), 65534, 65534))
	put(t, filepath.Join(root, "public"), "public")
	put(t, filepath.Join(root, "private"), "private")
	must(t, os.Chmod(filepath.Join(root, "private"), 0o600))
	cmd := childCommand(t, "unprivileged", root)
	cmd.Path = "/proc/self/exe" // the test binary may lie where nobody cannot look
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir = "/"
	must(t, cmd.Run())
}

// childUnprivileged serves a root that it cannot write: what it may write lies
// below, one directory of which it may not even list.
func childUnprivileged(root string) error {
	b, err := local.New(local.Options{Root: root})
	if err != nil {
		return err
	}
	defer b.Close()
	fsys := b.Open("alice", window)
	var wrong []string
	expect := func(what string, err, kind error) {
		if kind == nil && err != nil || kind != nil && !isKind(err, kind) {
			wrong = append(wrong, fmt.Sprintf("%s: %v, want %v", what, err, kind))
		}
	}
	list := func(dir string) error {
		d, err := fsys.Open(dir)
		if err != nil {
			return err
		}
		defer d.Close()
		names, err := d.Readdirnames(-1)
		for _, name := range names {
			if name == ".ftpgate" {
				return fmt.Errorf("%s lists it", dir)
			}
		}
		return err
	}
	for _, dir := range []string{"/mine", "/upload"} {
		expect("new in "+dir, store(fsys, dir+"/f", vfs.ModeReplace, "one"), nil)
		expect("append in "+dir, store(fsys, dir+"/f", vfs.ModeAppend, " two"), nil)
		if got, err := read(fsys, dir+"/f"); got != "one two" {
			expect(dir+" holds "+got, err, nil)
		}
		f, err := fsys.OpenFile(dir+"/g", vfs.ModeReplace, vfs.NewFileMode)
		if err != nil {
			return err
		}
		_, _ = io.WriteString(f, "part")
		expect("keep in "+dir, f.(vfs.Keeper).Keep(), nil)
		if n, err := vfs.Held(fsys, dir+"/g"); n != 4 {
			expect("held in "+dir, err, nil)
		}
		expect("mkdir in "+dir, fsys.Mkdir(dir+"/d", 0o755), nil)
		expect("remove in "+dir, fsys.Remove(dir+"/d"), nil)
		expect("rename in "+dir, fsys.Rename(dir+"/f", dir+"/h"), nil)
	}
	_, err = read(fsys, "/public")
	expect("read /public", err, nil)
	_, err = read(fsys, "/private")
	expect("read /private", err, os.ErrPermission)
	_, err = read(fsys, "/closed/x")
	expect("read /closed/x", err, os.ErrPermission)
	expect("list /", list("/"), nil)
	expect("list /mine", list("/mine"), nil)
	expect("list /upload", list("/upload"), os.ErrPermission)
	expect("list /closed", list("/closed"), os.ErrPermission)
	// Told before a byte is sent.
	for _, name := range []string{"/f", "/public", "/fixed/f", "/closed/f"} {
		for _, flag := range []int{vfs.ModeReplace, vfs.ModeAppend} {
			_, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
			expect("store "+name, err, os.ErrPermission)
		}
	}
	expect("mkdir /d", fsys.Mkdir("/d", 0o755), os.ErrPermission)
	expect("remove /public", fsys.Remove("/public"), os.ErrPermission)
	expect("rename /public", fsys.Rename("/public", "/x"), os.ErrPermission)
	expect("chmod /public", fsys.Chmod("/public", 0o777), os.ErrPermission)
	expect("chtimes /public", fsys.Chtimes("/public", time.Now(), time.Now()), os.ErrPermission)
	expect("remove all /", fsys.RemoveAll("/"), os.ErrInvalid)
	if len(wrong) > 0 {
		return fmt.Errorf("%s", strings.Join(wrong, "\n"))
	}
	return nil
}
