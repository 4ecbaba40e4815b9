package pi_test

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// hook is called before each operation of a hookFs with its context and path. What it
// returns is the operation's error; it may wait, or panic. The operations are
// stat, open, read, write, seek, close, abort, keep, readdir, mkdir, remove, rename, chmod,
// chtimes, held, paced and "hint" with the number.
type hook func(ctx context.Context, op, path string) error

// hookFs is a filesystem whose operations pass a hook.
type hookFs struct {
	afero.Fs
	ctx   context.Context
	hook  hook
	extra map[string]fs.FileInfo // what the root holds besides, by path
}

func hooked(fsys afero.Fs, h hook) *hookFs {
	return &hookFs{Fs: fsys, ctx: context.Background(), hook: h}
}

func (h *hookFs) WithContext(ctx context.Context) afero.Fs {
	return &hookFs{Fs: vfs.WithContext(ctx, h.Fs), ctx: ctx, hook: h.hook, extra: h.extra}
}

func (h *hookFs) Properties(name string) vfs.Properties { return vfs.PropertiesOf(h.Fs, name) }

func (h *hookFs) call(op string, paths ...string) error {
	for _, p := range paths {
		if h.hook != nil {
			if err := h.hook(h.ctx, op, p); err != nil {
				return &fs.PathError{Op: op, Path: p, Err: err}
			}
		}
	}
	return nil
}

func (h *hookFs) Held(name string) (int64, error) {
	if err := h.call("held", name); err != nil {
		return 0, err
	}
	return vfs.Held(h.Fs, name)
}

func (h *hookFs) Stat(name string) (os.FileInfo, error) {
	if err := h.call("stat", name); err != nil {
		return nil, err
	}
	if fi := h.extra[name]; fi != nil {
		return fi, nil
	}
	return h.Fs.Stat(name)
}

func (h *hookFs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	if err := h.call("open", name); err != nil {
		return nil, err
	}
	if fi := h.extra[name]; fi != nil {
		return h.openExtra(fi)
	}
	f, err := h.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &hookFile{File: f, fs: h, path: name}, nil
}

func (h *hookFs) Open(name string) (afero.File, error) { return h.OpenFile(name, vfs.ModeRead, 0) }

func (h *hookFs) Mkdir(name string, perm fs.FileMode) error {
	if err := h.call("mkdir", name); err != nil {
		return err
	}
	return h.Fs.Mkdir(name, perm)
}

func (h *hookFs) Remove(name string) error {
	if err := h.call("remove", name); err != nil {
		return err
	}
	return h.Fs.Remove(name)
}

func (h *hookFs) Rename(from, to string) error {
	if err := h.call("rename", from, to); err != nil {
		return err
	}
	return h.Fs.Rename(from, to)
}

func (h *hookFs) RenameExclusive(from, to string) error {
	if err := h.call("rename", from, to); err != nil {
		return err
	}
	return vfs.RenameExclusive(h.Fs, from, to)
}

func (h *hookFs) Chmod(name string, mode fs.FileMode) error {
	if err := h.call("chmod", name); err != nil {
		return err
	}
	return h.Fs.Chmod(name, mode)
}

func (h *hookFs) Chtimes(name string, atime, mtime time.Time) error {
	if err := h.call("chtimes", name); err != nil {
		return err
	}
	return h.Fs.Chtimes(name, atime, mtime)
}

// hookFile is one of its files.
type hookFile struct {
	afero.File
	fs   *hookFs
	path string
	told bool // the extra entries have been listed
}

func (f *hookFile) Read(p []byte) (int, error) {
	if err := f.fs.call("read", f.path); err != nil {
		return 0, err
	}
	return f.File.Read(p)
}

func (f *hookFile) Write(p []byte) (int, error) {
	if err := f.fs.call("write", f.path); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *hookFile) Seek(offset int64, whence int) (int64, error) {
	if err := f.fs.call("seek", f.path); err != nil {
		return 0, err
	}
	return f.File.Seek(offset, whence)
}

func (f *hookFile) Readdir(n int) ([]os.FileInfo, error) {
	if err := f.fs.call("readdir", f.path); err != nil {
		return nil, err
	}
	if f.path == "/" && !f.told && len(f.fs.extra) > 0 {
		f.told = true
		var all []os.FileInfo
		for _, name := range []string{"/pipe", "/device", "/opened", "/dangling", "/cr\r\n226 x", "/nul\x00"} {
			if fi := f.fs.extra[name]; fi != nil {
				all = append(all, fi)
			}
		}
		return all, nil
	}
	return f.File.Readdir(n)
}

// Close of a file opened for writing passes the hook; if that fails, nothing is published.
func (f *hookFile) Close() error {
	if err := f.fs.call("close", f.path); err != nil {
		vfs.Abort(f.File)
		return err
	}
	return f.File.Close()
}

func (f *hookFile) HintSize(n int64) {
	_ = f.fs.call(fmt.Sprint("hint ", n), f.path) // nothing can be refused
	vfs.HintSize(f.File, n)
}

func (f *hookFile) Paced() {
	_ = f.fs.call("paced", f.path) // the same
	vfs.Paced(f.File)
}

// CloseFree passes the hook as Close does.
func (f *hookFile) CloseFree(others iter.Seq[string]) (string, error) {
	if err := f.fs.call("close", f.path); err != nil {
		vfs.Abort(f.File)
		return "", err
	}
	return vfs.CloseFree(f.File, others)
}

func (f *hookFile) Abort() error {
	if err := f.fs.call("abort", f.path); err != nil {
		return err
	}
	return vfs.Abort(f.File)
}

func (f *hookFile) Keep() error {
	k, ok := f.File.(vfs.Keeper)
	if err := f.fs.call("keep", f.path); err != nil || !ok {
		vfs.Abort(f.File)
		return err
	}
	return k.Keep()
}

// oddInfo is something that is neither file nor directory, or has a name that no line can carry.
type oddInfo struct {
	name string
	mode fs.FileMode
}

func (i oddInfo) Name() string       { return i.name }
func (i oddInfo) Size() int64        { return 0 }
func (i oddInfo) Mode() fs.FileMode  { return i.mode }
func (i oddInfo) ModTime() time.Time { return time.Unix(981173106, 0) }
func (i oddInfo) IsDir() bool        { return false }
func (i oddInfo) Sys() any           { return nil }

// odd adds things to the root that have no business in a listing, or are not to be opened.
// The last pipe is one that a careless backend would open.
func odd(fsys afero.Fs) afero.Fs {
	h := hooked(fsys, nil)
	h.extra = map[string]fs.FileInfo{
		"/pipe":        oddInfo{"pipe", fs.ModeNamedPipe | 0o644},
		"/device":      oddInfo{"device", fs.ModeDevice | fs.ModeCharDevice | 0o644},
		"/opened":      oddInfo{"opened", fs.ModeNamedPipe | 0o644},
		"/dangling":    oddInfo{"dangling", fs.ModeSymlink | 0o777},
		"/cr\r\n226 x": oddInfo{"cr\r\n226 x", 0o644},
		"/nul\x00":     oddInfo{"nul\x00", 0o644},
	}
	return h
}

func (h *hookFs) openExtra(fi fs.FileInfo) (afero.File, error) {
	switch fi.Name() {
	case "opened":
		return &oddFile{info: fi}, nil
	case "dangling":
		return nil, fs.ErrNotExist
	}
	return nil, vfs.ErrNotRegular
}

// oddFile is an open pipe: reading it would wait for ever.
type oddFile struct {
	afero.File
	info fs.FileInfo
}

func (f *oddFile) Stat() (os.FileInfo, error) { return f.info, nil }
func (f *oddFile) Read([]byte) (int, error)   { select {} }
func (f *oddFile) Close() error               { return nil }
