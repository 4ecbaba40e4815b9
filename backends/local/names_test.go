package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func TestReservedNameDoesNotExist(t *testing.T) {
	fsys, root := open(t, local.Options{})
	f := started(t, fsys, "/f", vfs.ModeReplace, "staged") // makes the staging directory
	defer vfs.Abort(f)
	put(t, filepath.Join(root, "in/file"), "inside")
	put(t, filepath.Join(root, "in/.FtpGate/file"), "hidden")
	if len(staged(t, root)) != 1 {
		t.Fatalf("nothing is staged where this test looks")
	}
	if err := os.Symlink(".ftpgate", filepath.Join(root, "door")); err == nil {
		// Whoever can make links on the host still shows nobody's partials to clients.
		must(t, os.Symlink("door/"+staged(t, root)[0], filepath.Join(root, "window")))
		must(t, os.Symlink(".ftpgate/"+staged(t, root)[0], filepath.Join(root, "window2")))
		must(t, os.Symlink("in/.FtpGate/file", filepath.Join(root, "window3")))
	}
	for _, path := range []string{
		"/.ftpgate", "/.FTPGATE", "/.ftpGate/x", "/in/.ftpgate", "/in/.FtpGate", "/in/.FtpGate/file",
		"/door/" + staged(t, root)[0], "/window", "/window2", "/window3",
	} {
		link := strings.HasPrefix(path, "/window")
		_, err := read(fsys, path)
		wants(t, "read "+path, err, fs.ErrNotExist)
		if info, err := fsys.Stat(path); !link || err == nil && info.Mode().IsRegular() {
			wants(t, "stat "+path, err, fs.ErrNotExist)
		}
		_, err = vfs.Held(fsys, path)
		wants(t, "held "+path, err, fs.ErrNotExist)
		if link {
			continue
		}
		wants(t, "remove "+path, fsys.Remove(path), fs.ErrNotExist)
		wants(t, "rename "+path, fsys.Rename(path, "/x"), fs.ErrNotExist)
		wants(t, "chmod "+path, fsys.Chmod(path, 0o777), fs.ErrNotExist)
		if strings.HasPrefix(path, "/door") {
			continue
		}
		for _, flag := range []int{vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend} {
			wants(t, "store "+path, store(fsys, path, flag, "x"), vfs.ErrBadName)
		}
		wants(t, "mkdir "+path, fsys.Mkdir(path, 0o755), vfs.ErrBadName)
		wants(t, "mkdir all "+path, fsys.MkdirAll(path, 0o755), vfs.ErrBadName)
		wants(t, "rename to "+path, fsys.Rename("/in/file", path), vfs.ErrBadName)
	}
	if d, err := fsys.Open("/door"); err == nil {
		d.Close()
		t.Errorf("the staging directory can be listed through a link")
	}
	for dir, want := range map[string][]string{"/": {"door", "in", "window", "window2", "window3"}, "/in": {"file"}} {
		if got := list(t, fsys, dir); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", dir, got, want)
		}
	}
	// Names that only look like it are names.
	for _, name := range []string{"/.ftpgate2", "/ftpgate", "/.ftpgate ", "/in/x.ftpgate"} {
		must(t, store(fsys, name, vfs.ModeReplace, "x"))
	}
}

func TestStagingDirectoryIsPrivate(t *testing.T) {
	root := t.TempDir()
	must(t, os.Mkdir(filepath.Join(root, ".ftpgate"), 0o777))
	must(t, os.Chmod(filepath.Join(root, ".ftpgate"), 0o777))
	fsys, _ := open(t, local.Options{Root: root})
	must(t, store(fsys, "/f", vfs.ModeReplace, "x"))
	info, err := os.Stat(filepath.Join(root, ".ftpgate"))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v", info.Mode())
	}

	// And nothing else than a directory will do.
	root = t.TempDir()
	must(t, os.Symlink(t.TempDir(), filepath.Join(root, ".ftpgate")))
	fsys, _ = open(t, local.Options{Root: root})
	if err := store(fsys, "/f", vfs.ModeReplace, "x"); err == nil {
		t.Errorf("staged through a link")
	}
}

// Clients see no staging directory, so it must not keep a directory from being removed.
func TestRemovingAroundAStagingDirectory(t *testing.T) {
	fsys, root := open(t, local.Options{})
	must(t, os.MkdirAll(filepath.Join(root, "d/.ftpgate"), 0o700))
	must(t, fsys.Remove("/d"))
	put(t, filepath.Join(root, "e/.ftpgate/staged"), "")
	wants(t, "remove", fsys.Remove("/e"), vfs.ErrNotEmpty)
	put(t, filepath.Join(root, "f/file"), "")
	wants(t, "remove", fsys.Remove("/f"), vfs.ErrNotEmpty)
}

func TestNamesThatBreakLinesAreLeftOut(t *testing.T) {
	var skipped []string
	fsys, root := open(t, local.Options{Skipped: func(dir, name string) { skipped = append(skipped, dir+" "+name) }})
	put(t, filepath.Join(root, "d/nl\r\n226 x"), "")
	put(t, filepath.Join(root, "d/cr\r"), "")
	put(t, filepath.Join(root, "d/nl\n"), "")
	put(t, filepath.Join(root, "d/\xff\xfe; =%\t"), "")
	for _, look := range []func() []string{
		func() []string { return list(t, fsys, "/d") },
		func() []string {
			d, err := fsys.Open("/d")
			must(t, err)
			defer d.Close()
			names, err := d.Readdirnames(-1)
			must(t, err)
			return names
		},
	} {
		skipped = nil
		if got := look(); !slices.Equal(got, []string{"\xff\xfe; =%\t"}) {
			t.Errorf("listed %q", got)
		}
		slices.Sort(skipped)
		if !slices.Equal(skipped, []string{"/d cr\r", "/d nl\n", "/d nl\r\n226 x"}) {
			t.Errorf("skipped %q", skipped)
		}
	}
}

func TestNamesTheHostCannotHold(t *testing.T) {
	fsys, _ := open(t, local.Options{})
	long := "/" + strings.Repeat("n", 256)
	for _, name := range []string{long, long + "/f", "/nul\x00", "/" + strings.Repeat("d/", 3000) + "f"} {
		for _, flag := range []int{vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend} {
			err := store(fsys, name, flag, "x")
			if !errors.Is(err, vfs.ErrBadName) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("store %.20q: %v", name, err)
			}
		}
	}
	wants(t, "256 bytes", fsys.Mkdir(long, 0o755), vfs.ErrBadName)
	must(t, store(fsys, long[:256], vfs.ModeReplace, "255 bytes"))
	holds(t, fsys, long[:256], "255 bytes")
}

func TestReadingIsBare(t *testing.T) {
	fsys, _ := open(t, local.Options{})
	must(t, store(fsys, "/f", vfs.ModeReplace, "0123456789"))
	f, err := fsys.Open("/f")
	must(t, err)
	if _, ok := f.(*os.File); !ok {
		t.Errorf("a file opened for reading is a %T", f)
	}
	if f.Name() != "/f" {
		t.Errorf("its name is %q", f.Name())
	}
	must(t, f.Close())
	_, err = f.Read(make([]byte, 1))
	wants(t, "read after close", err, fs.ErrClosed)
}

// What is spliced into the descriptor never passes Write.
func TestWritingPastTheWrapper(t *testing.T) {
	fsys, _ := open(t, local.Options{})
	for _, flag := range []int{vfs.ModeReplace, vfs.ModeAppend, vfs.ModeRestart} {
		must(t, store(fsys, "/f", vfs.ModeReplace, "0123456789"))
		f, err := fsys.OpenFile("/f", flag, vfs.NewFileMode)
		must(t, err)
		if flag == vfs.ModeRestart {
			_, err = f.Seek(4, io.SeekStart)
			must(t, err)
		}
		raw := vfs.OSFile(f)
		if raw == nil {
			t.Fatal("no descriptor")
		}
		_, err = raw.WriteString("raw")
		must(t, err)
		if info, err := f.Stat(); err != nil || info.Name() != "f" {
			t.Errorf("stat of the upload: %v", err)
		}
		must(t, f.Close())
		holds(t, fsys, "/f", map[int]string{
			vfs.ModeReplace: "raw", vfs.ModeAppend: "0123456789raw", vfs.ModeRestart: "0123raw",
		}[flag])
		if vfs.OSFile(f) != nil {
			t.Errorf("the descriptor is there after Close")
		}
	}
	f, err := fsys.OpenFile("/f", vfs.ModeRestart, 0)
	must(t, err)
	if vfs.OSFile(f) != nil {
		t.Errorf("a descriptor before the offset is known")
	}
	wants(t, "close without an offset", f.Close(), fs.ErrInvalid)
}
