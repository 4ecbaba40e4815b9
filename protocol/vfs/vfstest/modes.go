package vfstest

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Contract, 2: the five modes, and nothing else.
var modes = theme{"modes", []clause{
	{name: "read", check: modeRead},
	{name: "replace", check: modeReplace},
	{name: "create", check: modeCreate},
	{name: "append", check: modeAppend},
	{name: "restart", check: modeRestart},
	{name: "one-seek", check: oneSeek},
	{name: "no-seek-elsewhere", check: noSeekElsewhere},
	{name: "other-flags", check: otherFlags},
	{name: "below", check: openBelow},
	{name: "directory", check: openDirectory},
}}

var writeModes = []int{vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart}

func modeRead(t *tree) {
	t.put("/f", "0123456789")
	f := t.open("/f", vfs.ModeRead)
	if _, err := f.Write([]byte("x")); err == nil {
		t.Errorf("a file opened for reading can be written")
	}
	got := make([]byte, 4)
	t.seek(f, 3)
	_, err := io.ReadFull(f, got)
	t.ok(err, "read after seek")
	if string(got) != "3456" {
		t.Errorf("read %q at 3", got)
	}
	_, err = f.ReadAt(got, 6)
	t.ok(err, "read at 6")
	if string(got) != "6789" {
		t.Errorf("read %q at 6", got)
	}
	info, err := f.Stat()
	t.ok(err, "stat of the open file")
	if info.Size() != 10 || info.Name() != "f" {
		t.Errorf("the open file is %q of %d bytes", info.Name(), info.Size())
	}
	t.ok(f.Close(), "close")
	t.holds("/f", "0123456789")

	_, err = t.fs.OpenFile("/none", vfs.ModeRead, 0)
	t.fails(err, "reading a missing file", fs.ErrNotExist)
	_, err = t.fs.Open("/none")
	t.fails(err, "Open of a missing file", fs.ErrNotExist)
	t.missing("/none")
}

func modeReplace(t *tree) {
	t.put("/f", "first and longer")
	t.holds("/f", "first and longer")
	t.put("/f", "second")
	t.holds("/f", "second")
	t.put("/f", "")
	t.holds("/f", "")
	t.lists("/", "f")
}

func modeCreate(t *tree) {
	f := t.open("/f", vfs.ModeCreate)
	t.write(f, "mine")
	t.publish(f)
	t.holds("/f", "mine")

	f, err := t.fs.OpenFile("/f", vfs.ModeCreate, vfs.NewFileMode)
	if err == nil {
		t.mustAbort(f, vfs.ModeCreate)
		t.write(f, "other")
		err = f.Close()
	}
	t.fails(err, "creating what exists", fs.ErrExist)
	t.holds("/f", "mine")
}

func modeAppend(t *tree) {
	f := t.open("/new", vfs.ModeAppend)
	t.write(f, "start")
	t.publish(f)
	t.holds("/new", "start")
	if !t.props.Append {
		_, err := t.fs.OpenFile("/new", vfs.ModeAppend, vfs.NewFileMode)
		t.fails(err, "ModeAppend where Properties.Append does not hold", vfs.ErrUnsupported)
		t.holds("/new", "start")
		return
	}
	for _, more := range []string{" more", "", " end"} {
		f = t.open("/new", vfs.ModeAppend)
		t.write(f, more)
		t.publish(f)
	}
	t.holds("/new", "start more end")
	f = t.open("/new", vfs.ModeAppend)
	t.publish(f)
	t.holds("/new", "start more end")

	big := pattern("big", 700_001)
	t.put("/big", big)
	f = t.open("/big", vfs.ModeAppend)
	t.write(f, pattern("tail", 300_001))
	t.publish(f)
	t.holds("/big", big+pattern("tail", 300_001))
}

func modeRestart(t *tree) {
	big := pattern("old", 600_000)
	t.put("/f", big)
	if !t.props.Restart {
		_, err := t.fs.OpenFile("/f", vfs.ModeRestart, vfs.NewFileMode)
		t.fails(err, "ModeRestart where Properties.Restart does not hold", vfs.ErrUnsupported)
		t.holds("/f", big)
		return
	}
	for _, n := range []int{600_000, 599_999, 262_145, 262_144, 262_143, 1, 0} {
		t.put("/f", big)
		f := t.open("/f", vfs.ModeRestart)
		t.seek(f, int64(n))
		t.write(f, "new ")
		t.write(f, "tail")
		t.publish(f)
		t.holds("/f", big[:n]+"new tail")
	}
	// Keeping a head and writing nothing cuts the file.
	t.put("/f", "0123456789")
	f := t.open("/f", vfs.ModeRestart)
	t.seek(f, 4)
	t.publish(f)
	t.holds("/f", "0123")

	_, err := t.fs.OpenFile("/none", vfs.ModeRestart, vfs.NewFileMode)
	t.fails(err, "restarting a missing file", fs.ErrNotExist)
	t.missing("/none")
}

func oneSeek(t *tree) {
	if !t.props.Restart {
		return
	}
	t.put("/f", "0123456789")
	before := t.snapshot()

	f := t.open("/f", vfs.ModeRestart)
	_, err := f.Write([]byte("x"))
	t.fails(err, "Write before Seek", fs.ErrInvalid)
	t.failsSomehow(f.Close(), "Close after a failed Write")
	t.unchanged(before, "Write before Seek")

	f = t.open("/f", vfs.ModeRestart)
	t.fails(f.Close(), "Close without Seek", fs.ErrInvalid)
	t.unchanged(before, "Close without Seek")

	for _, bad := range []struct {
		what   string
		offset int64
		whence int
	}{
		{"beyond the size", 11, io.SeekStart},
		{"far beyond the size", 1 << 62, io.SeekStart},
		{"to a negative offset", -1, io.SeekStart},
		{"from the end", 0, io.SeekEnd},
		{"from here", 0, io.SeekCurrent},
		{"from nowhere", 0, 7},
	} {
		f = t.open("/f", vfs.ModeRestart)
		_, err = f.Seek(bad.offset, bad.whence)
		t.fails(err, "Seek "+bad.what, fs.ErrInvalid)
		t.failsSomehow(f.Close(), "Close after Seek "+bad.what)
		t.unchanged(before, "Seek "+bad.what)
	}

	f = t.open("/f", vfs.ModeRestart)
	t.seek(f, 5)
	_, err = f.Seek(5, io.SeekStart)
	t.fails(err, "a second Seek", fs.ErrInvalid)
	t.abort(f)
	f = t.open("/f", vfs.ModeRestart)
	t.seek(f, 5)
	t.write(f, "x")
	_, err = f.Seek(5, io.SeekStart)
	t.fails(err, "Seek after Write", fs.ErrInvalid)
	t.abort(f)
	t.unchanged(before, "a second Seek")
}

func noSeekElsewhere(t *tree) {
	for _, flag := range []int{vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend} {
		f := t.open("/f", flag)
		_, err := f.Seek(0, io.SeekStart)
		t.fails(err, "Seek in "+modeName(flag), fs.ErrInvalid)
		t.abort(f)
	}
}

func otherFlags(t *tree) {
	t.put("/f", "there")
	t.mkdir("/d")
	before := t.snapshot()
	bits := []int{os.O_WRONLY, os.O_RDWR, os.O_CREATE, os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_SYNC}
	for set := range 1 << len(bits) {
		flag := 0
		for i, bit := range bits {
			if set&(1<<i) != 0 {
				flag |= bit
			}
		}
		if flag == vfs.ModeRead || slices.Contains(writeModes, flag) {
			continue
		}
		for _, name := range []string{"/f", "/new", "/d"} {
			f, err := t.fs.OpenFile(name, flag, vfs.NewFileMode)
			if err == nil {
				_ = f.Close()
			}
			t.fails(err, fmt.Sprintf("opening %q with %s", name, modeName(flag)), fs.ErrInvalid)
		}
	}
	t.unchanged(before, "other flags")
}

// openBelow: creating below a file or a missing directory (contract, 6).
func openBelow(t *tree) {
	if t.props.ImpliedDirs {
		t.put("/none/f", "x")
		t.holds("/none/f", "x")
		t.isDir("/none")
		return
	}
	t.put("/f", "file")
	before := t.snapshot()
	for _, flag := range writeModes {
		if flag == vfs.ModeRestart && !t.props.Restart {
			continue
		}
		for name, want := range map[string]error{
			"/f/x": vfs.ErrNotDir, "/f/x/y": vfs.ErrNotDir,
			"/none/x": fs.ErrNotExist, "/none/x/y": fs.ErrNotExist,
		} {
			f, err := t.fs.OpenFile(name, flag, vfs.NewFileMode)
			if err == nil {
				t.mustAbort(f, flag)
				err = f.Close()
			}
			t.fails(err, fmt.Sprintf("%q in %s", name, modeName(flag)), want)
		}
	}
	_, err := t.fs.OpenFile("/f/x", vfs.ModeRead, 0)
	t.fails(err, "reading below a file", vfs.ErrNotDir, fs.ErrNotExist)
	t.unchanged(before, "creating below nothing")
}

func openDirectory(t *tree) {
	t.mkdir("/d")
	t.put("/d/f", "x")
	before := t.snapshot()
	for _, name := range []string{"/", "/d"} {
		if name == "/d" && t.props.ImpliedDirs {
			continue // an object of that name may stand beside the prefix
		}
		for _, flag := range writeModes {
			if flag == vfs.ModeRestart && !t.props.Restart {
				continue
			}
			f, err := t.fs.OpenFile(name, flag, vfs.NewFileMode)
			if err == nil {
				t.mustAbort(f, flag)
				err = f.Close()
			}
			want := []error{vfs.ErrIsDir}
			if flag == vfs.ModeCreate {
				want = append(want, fs.ErrExist)
			}
			t.fails(err, fmt.Sprintf("%q in %s", name, modeName(flag)), want...)
		}
	}
	d := t.open("/d", vfs.ModeRead)
	info, err := d.Stat()
	t.ok(err, "stat of the open directory")
	if !info.IsDir() {
		t.Errorf("the open directory is %v", info.Mode())
	}
	if _, err := d.Read(make([]byte, 1)); err == nil || ended(err) {
		t.Errorf("a directory can be read like a file: %v", err)
	}
	t.unchanged(before, "opening directories for writing")
}
