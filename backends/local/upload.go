package local

import (
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// upload is a file opened for writing. What is written lies in a staged file
// until Close publishes it. It belongs to one goroutine at a time.
type upload struct {
	fs   *Fs
	name string // the virtual path
	flag int
	spot spot // where it will be published; links have been followed
	mode fs.FileMode

	base    attrs // the finished file when the upload opened
	exists  bool  // there was one
	partial *partial

	keep  int64 // how many bytes of the base or partial are kept
	sized bool  // keep is decided: Seek has been called, or is not needed

	st     *staging
	staged string   // its name in st
	file   *os.File // nil until something is staged
	took   bool     // the staged file is the partial itself

	failed error // the first error: Close returns it and publishes nothing
	ended  bool
}

var (
	_ afero.File     = (*upload)(nil)
	_ vfs.Aborter    = (*upload)(nil)
	_ vfs.Keeper     = (*upload)(nil)
	_ vfs.FreeCloser = (*upload)(nil)
	_ vfs.RawFile    = (*upload)(nil)
)

// upload opens name for writing. The staged file of an upload from nothing is
// made at once, which shows most of what could go wrong; a head is copied only
// when the bytes come.
func (f *Fs) upload(name string, flag int, perm fs.FileMode) (*upload, error) {
	u := &upload{fs: f, name: name, flag: flag, mode: f.b.fileMode(perm), sized: flag != vfs.ModeRestart}
	if err := u.open(); err != nil {
		u.spot.close()
		return nil, err
	}
	return u, nil
}

func (u *upload) open() (err error) {
	b := u.fs.b
	if u.flag == vfs.ModeCreate {
		// A link of that name exists, wherever it leads.
		if u.spot, err = b.locate(u.name, true); err != nil {
			return err
		}
		if a, err := u.spot.dir.lstat(u.spot.base); err == nil {
			if a.mode.IsDir() {
				return vfs.ErrIsDir
			}
			return fs.ErrExist
		} else if err != syscall.ENOENT {
			return err
		}
	} else if u.spot, u.base, u.exists, err = b.find(u.name, true); err != nil {
		return err
	}
	switch {
	case u.base.mode.IsDir():
		return vfs.ErrIsDir
	case !u.base.mode.IsRegular():
		return vfs.ErrNotRegular
	}
	if u.flag == vfs.ModeAppend || u.flag == vfs.ModeRestart {
		if err := u.findHead(); err != nil {
			return err
		}
	}
	if u.exists {
		u.mode = u.base.mode.Perm()
	}
	if b.uid != 0 {
		if err := u.spot.dir.writable(); err != nil {
			return err
		}
	}
	if u.sized && u.keep == 0 {
		return u.stage()
	}
	return nil
}

// findHead decides what APPE and REST continue: the owner's held partial, or the finished file.
func (u *upload) findHead() (err error) {
	u.partial, err = u.fs.held(u.name, u.spot.parent, fingerprint(u.base, u.exists))
	if err != nil {
		return err
	}
	if u.partial == nil && !u.exists && u.flag == vfs.ModeRestart {
		return fs.ErrNotExist
	}
	if u.flag == vfs.ModeAppend {
		u.keep = u.headSize()
	}
	return nil
}

func (u *upload) headSize() int64 {
	if u.partial != nil {
		return u.partial.size
	}
	return u.base.size
}

// Name returns the virtual path.
func (u *upload) Name() string { return u.name }

// Seek says, once and before the first Write, how many bytes REST keeps.
func (u *upload) Seek(offset int64, whence int) (int64, error) {
	err := u.usable()
	switch {
	case err != nil:
	case u.sized || whence != io.SeekStart || offset < 0 || offset > u.headSize():
		err = fs.ErrInvalid
		if !u.sized {
			u.failed = err // there is no saying what should be kept
		}
	default:
		u.keep, u.sized = offset, true
		return offset, nil
	}
	return 0, wrap("seek", u.name, err)
}

func (u *upload) Write(p []byte) (int, error) {
	err := u.prepare()
	var n int
	if err == nil {
		n, err = u.file.Write(p)
	}
	u.fail(err)
	return n, wrap("write", u.name, err)
}

func (u *upload) WriteString(s string) (int, error) { return u.Write([]byte(s)) }

// OSFile returns the staged file, for splice. It is nil if nothing can be
// staged; Write and Close then tell why.
func (u *upload) OSFile() *os.File {
	if err := u.prepare(); err != nil {
		u.fail(err)
		return nil
	}
	return u.file
}

// prepare makes sure that bytes can be written.
func (u *upload) prepare() error {
	if err := u.usable(); err != nil {
		return err
	}
	if err := u.fs.cancelled(); err != nil {
		return err
	}
	if u.file != nil {
		return nil
	}
	if err := u.fs.b.enter(); err != nil {
		return err
	}
	defer u.fs.b.leave()
	return u.stage()
}

func (u *upload) usable() error {
	if u.ended {
		return fs.ErrClosed
	}
	return u.failed
}

func (u *upload) fail(err error) {
	if u.failed == nil {
		u.failed = err
	}
}

// Stat describes what has been staged so far.
func (u *upload) Stat() (fs.FileInfo, error) {
	err := u.prepare()
	var a attrs
	if err == nil {
		a, err = statFile(u.file)
	}
	if err != nil {
		return nil, wrap("stat", u.name, err)
	}
	return u.fs.b.info(u.name, a), nil
}

// Sync brings what has been staged so far to the medium.
func (u *upload) Sync() error {
	err := u.prepare()
	if err == nil {
		err = u.file.Sync()
	}
	return wrap("sync", u.name, err)
}

// What else an afero.File can do is not part of any mode for writing.

func (u *upload) refuse(op string) error { return wrap(op, u.name, fs.ErrInvalid) }

func (u *upload) Read([]byte) (int, error)           { return 0, u.refuse("read") }
func (u *upload) ReadAt([]byte, int64) (int, error)  { return 0, u.refuse("read") }
func (u *upload) WriteAt([]byte, int64) (int, error) { return 0, u.refuse("write") }
func (u *upload) Truncate(int64) error               { return u.refuse("truncate") }
func (u *upload) Readdir(int) ([]fs.FileInfo, error) {
	return nil, wrap("readdir", u.name, vfs.ErrNotDir)
}
func (u *upload) Readdirnames(int) ([]string, error) {
	return nil, wrap("readdir", u.name, vfs.ErrNotDir)
}
