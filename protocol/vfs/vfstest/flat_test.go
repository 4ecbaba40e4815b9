package vfstest

import (
	"context"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestFlat: a sound filesystem whose directories are implied passes, through the
// wrapper of the mutants too.
func TestFlat(t *testing.T) {
	Run(t, flatBackend(faults{}.wrap))
}

func flatBackend(wrap func(afero.Fs) afero.Fs) Backend {
	return Backend{New: func(TB) Tree {
		store := &flatStore{objects: make(map[string]flatObject)}
		return Tree{Open: func(string) afero.Fs { return wrap(flat{store, context.Background(), false}) }}
	}}
}

// flatStore is keys and contents, like a bucket. A key that ends in "/" is a marker.
type flatStore struct {
	mu      sync.Mutex
	objects map[string]flatObject
	serial  int
}

type flatObject struct {
	content string
	version int
	mtime   time.Time
}

func (s *flatStore) store(key, content string) {
	s.serial++
	s.objects[key] = flatObject{content, s.serial, time.Now()}
}

// below returns the keys that begin with prefix; the lock is held.
func (s *flatStore) below(prefix string) (keys []string) {
	for key := range s.objects {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// keep leaves a marker where key was the last of its directory.
func (s *flatStore) keep(key string) {
	dir, _ := vfs.Split(strings.TrimSuffix(key, "/"))
	if dir != "/" && len(s.below(dir+"/")) == 0 {
		s.store(dir+"/", "")
	}
}

// flat is a flatStore as a filesystem.
type flat struct {
	*flatStore
	ctx  context.Context
	dirs bool
}

func (f flat) WithContext(ctx context.Context) afero.Fs { f.ctx = ctx; return f }
func (f flat) Directories() afero.Fs                    { f.dirs = true; return f }
func (f flat) Name() string                             { return "flat" }

func (flat) Properties(string) vfs.Properties {
	return vfs.Properties{
		ImpliedDirs: true, Append: true, Restart: true, SetTimes: true, ExactErrors: true,
		Hashes: vfs.MD5, UsualHash: vfs.MD5,
	}
}

// begin is the beginning of every operation; the lock is held after it.
func (f flat) begin(names ...string) error {
	f.mu.Lock()
	if err := f.ctx.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if !utf8.ValidString(name) {
			return vfs.ErrBadName
		}
	}
	return nil
}

func (f flat) Open(name string) (afero.File, error) { return f.OpenFile(name, vfs.ModeRead, 0) }
func (f flat) Create(name string) (afero.File, error) {
	return f.OpenFile(name, vfs.ModeReplace, vfs.NewFileMode)
}

func (f flat) OpenFile(name string, flag int, _ fs.FileMode) (afero.File, error) {
	err := f.begin(name)
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	o, there := f.objects[name]
	switch flag {
	case vfs.ModeRead:
		if there && !f.dirs {
			return &flatReader{Reader: strings.NewReader(o.content), f: f, info: flatInfo{path: name, o: o}}, nil
		}
		keys := f.below(dirKey(name))
		if len(keys) == 0 && name != "/" {
			return nil, fs.ErrNotExist
		}
		return &flatDir{f: f, name: name, rest: f.entries(name, keys)}, nil
	case vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart:
		switch {
		case name == "/":
			return nil, vfs.ErrIsDir
		case there && flag == vfs.ModeCreate:
			return nil, fs.ErrExist
		case !there && flag == vfs.ModeRestart:
			return nil, fs.ErrNotExist
		}
		w := &flatWriter{f: f, name: name, flag: flag, base: o}
		if flag == vfs.ModeAppend {
			w.b.WriteString(o.content)
		}
		return w, nil
	}
	return nil, fs.ErrInvalid
}

func dirKey(name string) string {
	if name == "/" {
		return name
	}
	return name + "/"
}

// entries rolls keys up to what a directory shows.
func (f flat) entries(dir string, keys []string) (all []os.FileInfo) {
	last := ""
	for _, key := range keys {
		rest := strings.TrimPrefix(key, dirKey(dir))
		name, _, isDir := strings.Cut(rest, "/")
		switch {
		case rest == "":
		case !isDir:
			all = append(all, flatInfo{path: key, o: f.objects[key]})
		case name != last:
			last = name
			all = append(all, flatInfo{path: vfs.Join(dir, name), dir: true})
		}
	}
	return all
}

func (f flat) Stat(name string) (os.FileInfo, error) {
	err := f.begin()
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if o, ok := f.objects[name]; ok && !f.dirs {
		return flatInfo{path: name, o: o}, nil
	}
	if name != "/" && len(f.below(name+"/")) == 0 {
		return nil, fs.ErrNotExist
	}
	return flatInfo{path: name, dir: true}, nil
}

func (f flat) Digest(name string, h vfs.Hashes) ([]byte, int64, error) {
	info, err := f.Stat(name)
	switch {
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return nil, 0, vfs.ErrIsDir
	case h != vfs.MD5:
		return nil, 0, &vfs.NoDigestError{Algorithm: h, Stored: vfs.MD5}
	}
	sum := h.New()
	sum.Write([]byte(info.(flatInfo).o.content))
	return sum.Sum(nil), info.Size(), nil
}

func (f flat) Mkdir(name string, _ fs.FileMode) error {
	err := f.begin(name)
	defer f.mu.Unlock()
	if err == nil && (name == "/" || len(f.below(name+"/")) > 0) {
		err = fs.ErrExist
	}
	if err == nil {
		f.store(name+"/", "")
	}
	return err
}

func (f flat) MkdirAll(name string, perm fs.FileMode) error { return f.Mkdir(name, perm) }

func (f flat) Remove(name string) error {
	err := f.begin()
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	key := name
	if _, ok := f.objects[name]; !ok || f.dirs {
		key = name + "/"
		keys := f.below(key)
		switch {
		case name == "/":
			return fs.ErrInvalid
		case len(keys) == 0:
			return fs.ErrNotExist
		case len(keys) > 1 || keys[0] != key:
			return vfs.ErrNotEmpty
		}
	}
	delete(f.objects, key)
	f.keep(key)
	return nil
}

func (f flat) RemoveAll(string) error { return fs.ErrInvalid } // the suite wants it of no one

func (f flat) Rename(oldname, newname string) error { return f.rename(oldname, newname, false) }

func (f flat) RenameExclusive(oldname, newname string) error { return f.rename(oldname, newname, true) }

func (f flat) rename(oldname, newname string, exclusive bool) error {
	err := f.begin(oldname, newname)
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	_, isFile := f.objects[oldname]
	keys := f.below(oldname + "/")
	_, onFile := f.objects[newname]
	switch {
	case oldname == "/" || newname == "/":
		return fs.ErrInvalid
	case !isFile && len(keys) == 0:
		return fs.ErrNotExist
	case oldname == newname:
		return nil
	case !isFile && vfs.Within(oldname, newname):
		return fs.ErrInvalid
	case len(f.below(newname+"/")) > 0, onFile && (exclusive || !isFile):
		return fs.ErrExist
	case isFile:
		keys = []string{oldname}
	}
	for _, key := range keys {
		f.objects[newname+strings.TrimPrefix(key, oldname)] = f.objects[key]
		delete(f.objects, key)
	}
	f.keep(oldname)
	return nil
}

func (f flat) Chmod(string, fs.FileMode) error { return vfs.ErrUnsupported }
func (f flat) Chown(string, int, int) error    { return vfs.ErrUnsupported }
func (f flat) Chtimes(name string, _, mtime time.Time) error {
	err := f.begin()
	defer f.mu.Unlock()
	o, ok := f.objects[name]
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	if err == nil {
		o.mtime = mtime
		f.objects[name] = o
	}
	return err
}

type flatInfo struct {
	path string
	o    flatObject
	dir  bool
}

func (i flatInfo) Name() string {
	if _, name := vfs.Split(i.path); name != "" {
		return name
	}
	return "/"
}
func (i flatInfo) Size() int64        { return int64(len(i.o.content)) }
func (i flatInfo) ModTime() time.Time { return i.o.mtime }
func (i flatInfo) IsDir() bool        { return i.dir }
func (i flatInfo) Sys() any           { return nil }
func (i flatInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | vfs.NewDirMode
	}
	return vfs.NewFileMode
}

// notAFile refuses what an open file of each kind cannot.
type notAFile struct{ afero.File }

func (notAFile) Close() error                       { return nil }
func (notAFile) Read([]byte) (int, error)           { return 0, vfs.ErrIsDir }
func (notAFile) Write([]byte) (int, error)          { return 0, fs.ErrInvalid }
func (notAFile) Seek(int64, int) (int64, error)     { return 0, fs.ErrInvalid }
func (notAFile) Truncate(int64) error               { return fs.ErrInvalid }
func (notAFile) Readdir(int) ([]os.FileInfo, error) { return nil, vfs.ErrNotDir }

type flatReader struct {
	notAFile
	*strings.Reader
	f    flat
	info flatInfo
}

func (r *flatReader) Read(p []byte) (int, error) {
	if err := r.f.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
func (r *flatReader) Seek(n int64, whence int) (int64, error) { return r.Reader.Seek(n, whence) }
func (r *flatReader) ReadAt(p []byte, n int64) (int, error)   { return r.Reader.ReadAt(p, n) }
func (r *flatReader) Stat() (os.FileInfo, error)              { return r.info, nil }

type flatDir struct {
	notAFile
	f    flat
	name string
	rest []os.FileInfo
}

func (d *flatDir) Stat() (os.FileInfo, error) { return flatInfo{path: d.name, dir: true}, nil }

func (d *flatDir) Readdir(n int) ([]os.FileInfo, error) {
	if err := d.f.ctx.Err(); err != nil {
		return nil, err
	}
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	batch := d.rest[:n]
	d.rest = d.rest[n:]
	return batch, nil
}

func (d *flatDir) Readdirnames(n int) (names []string, err error) {
	batch, err := d.Readdir(n)
	for _, e := range batch {
		names = append(names, e.Name())
	}
	return names, err
}

type flatWriter struct {
	notAFile
	f     flat
	name  string
	flag  int
	base  flatObject
	b     strings.Builder
	begun bool
	err   error
}

func (w *flatWriter) Seek(n int64, whence int) (int64, error) {
	if w.flag != vfs.ModeRestart || w.begun || whence != io.SeekStart || n < 0 || n > int64(len(w.base.content)) {
		w.err = fs.ErrInvalid
		return 0, w.err
	}
	w.begun = true
	w.b.WriteString(w.base.content[:n])
	return n, nil
}

func (w *flatWriter) Write(p []byte) (int, error) {
	switch {
	case w.err != nil:
	case w.f.ctx.Err() != nil:
		w.err = w.f.ctx.Err()
	case w.flag == vfs.ModeRestart && !w.begun:
		w.err = fs.ErrInvalid
	default:
		return w.b.Write(p)
	}
	return 0, w.err
}

func (w *flatWriter) Abort() error {
	if w.err == fs.ErrClosed { //nolint:errorlint // only ours
		return w.err
	}
	w.err = fs.ErrClosed
	return nil
}

func (w *flatWriter) Close() error {
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	if w.flag == vfs.ModeRestart && !w.begun && w.err == nil {
		w.err = fs.ErrInvalid
	}
	if err := w.err; err != nil {
		w.err = fs.ErrClosed
		return err
	}
	w.err = fs.ErrClosed
	now, there := w.f.objects[w.name]
	switch {
	case w.flag == vfs.ModeCreate && there:
		return fs.ErrExist
	case w.flag != vfs.ModeReplace && now.version != w.base.version:
		return vfs.ErrTransient
	}
	w.f.store(w.name, w.b.String())
	return nil
}
