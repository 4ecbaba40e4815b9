package memory

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// upload is a file opened for writing.
type upload struct {
	vfs.Refused
	fs   filesystem
	name string
	flag int
	perm fs.FileMode

	mu     sync.Mutex
	done   bool
	failed error    // of the first Write or Seek that failed
	base   *content // the finished file when the upload was opened; only compared
	source *content // what ModeAppend and ModeRestart continue; nil when staged
	staged *content // nil until the first Write, Seek, Close or Keep
}

func (f filesystem) openUpload(name string, flag int, perm fs.FileMode) (afero.File, error) {
	b := f.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now().After(b.nextSweep) {
		b.sweep()
	}
	if name == "/" {
		return nil, vfs.ErrIsDir
	}
	dir, last, err := b.parent(name)
	if err != nil {
		return nil, err
	}
	u := &upload{fs: f, name: name, flag: flag, perm: perm}
	switch n := dir.dir.lookup(last); {
	case n == nil:
		if err := checkName(last); err != nil {
			return nil, err
		}
	case n.dir != nil:
		return nil, vfs.ErrIsDir
	case flag == vfs.ModeCreate:
		return nil, fs.ErrExist
	default:
		u.base = n.content
	}
	var source *content
	if u.continues() {
		if source = u.base; f.window > 0 {
			if h := b.heldAt(heldKey{f.owner, name}); h != nil {
				source = h.content
			}
		}
		if source == nil && flag == vfs.ModeRestart {
			return nil, fs.ErrNotExist
		}
	}
	if err := b.takeLocked(EntryCost); err != nil {
		return nil, err
	}
	if source != nil {
		u.source = source.retain()
	}
	return u, nil
}

// continues reports whether the upload keeps the head of what is there.
func (u *upload) continues() bool {
	return u.flag == vfs.ModeAppend || u.flag == vfs.ModeRestart
}

// stage makes u.staged of the first n bytes of the source.
func (u *upload) stage(n int64) error {
	if u.source == nil {
		u.staged = newContent(u.fs.b.budget)
		return nil
	}
	if err := u.fs.b.take(tailOf(n)); err != nil {
		return err
	}
	u.staged = u.source.head(n)
	u.source.release()
	u.source = nil
	return nil
}

// stageAll stages what no Seek has staged: everything there is.
func (u *upload) stageAll() error {
	switch {
	case u.staged != nil:
		return nil
	case u.flag == vfs.ModeRestart:
		return fs.ErrInvalid // it has to say where
	case u.source == nil:
		return u.stage(0)
	}
	return u.stage(u.source.size)
}

// step runs one Write or Seek; the error of one that fails is Close's.
func (u *upload) step(op string, do func() error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return pathError(op, u.name, fs.ErrClosed)
	}
	if u.failed != nil {
		return u.failed
	}
	err := u.fs.live()
	if err == nil {
		err = do()
	}
	if err != nil {
		u.failed = pathError(op, u.name, err)
	}
	return u.failed
}

// Write stages all of p, or nothing of it and fails.
func (u *upload) Write(p []byte) (int, error) {
	err := u.step("write", func() error {
		if err := u.stageAll(); err != nil {
			return err
		}
		if err := u.fs.b.take(int64(len(p))); err != nil {
			return err
		}
		u.staged.append(p)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (u *upload) WriteString(s string) (int, error) { return u.Write([]byte(s)) }

// Seek sets where a ModeRestart upload goes on, once, before the first Write.
func (u *upload) Seek(offset int64, whence int) (int64, error) {
	err := u.step("seek", func() error {
		if u.flag != vfs.ModeRestart || u.staged != nil || whence != io.SeekStart ||
			offset < 0 || offset > u.source.size {
			return fs.ErrInvalid
		}
		return u.stage(offset)
	})
	if err != nil {
		return 0, err
	}
	return offset, nil
}

// finish marks u done and returns the error of a second end.
func (u *upload) finish(op string) error {
	if u.done {
		return pathError(op, u.name, fs.ErrClosed)
	}
	u.done = true
	return nil
}

// discard gives everything back.
func (u *upload) discard() {
	u.source.release()
	u.staged.release()
	u.source, u.staged = nil, nil
	u.fs.b.budget.give(EntryCost)
}

// Abort implements vfs.Aborter.
func (u *upload) Abort() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.finish("abort"); err != nil {
		return err
	}
	u.discard()
	return nil
}

// Keep implements vfs.Keeper. An upload that cannot be held is discarded.
func (u *upload) Keep() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.finish("keep"); err != nil {
		return err
	}
	if u.flag == vfs.ModeRestart && u.staged == nil {
		u.discard() // nothing was begun: what was held stays
		return nil
	}
	err := vfs.ErrUnsupported
	if u.fs.window > 0 {
		err = u.stageAll()
	}
	if err == nil {
		u.staged.seal()
		err = u.fs.b.hold(heldKey{u.fs.owner, u.name}, u.staged, u.base, u.fs.window)
	}
	if err != nil {
		u.discard()
		return pathError("keep", u.name, err)
	}
	return nil
}

// Close publishes, or discards and says why.
func (u *upload) Close() error {
	_, err := u.CloseFree(func(func(string) bool) {})
	return err
}

// CloseFree implements vfs.FreeCloser.
func (u *upload) CloseFree(others iter.Seq[string]) (name string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.finish("close"); err != nil {
		return "", err
	}
	if u.failed != nil {
		u.discard()
		return "", u.failed
	}
	if err = u.stageAll(); err == nil {
		u.staged.seal()
		err = u.publish(u.name)
	}
	if u.isTaken(err) {
		for name = range others {
			if err = u.publish(name); !u.isTaken(err) {
				break
			}
		}
	}
	if err != nil {
		u.discard()
		return "", pathError("close", u.name, err)
	}
	return name, nil
}

// isTaken reports whether publishing failed because something has the name.
func (u *upload) isTaken(err error) bool {
	return u.flag == vfs.ModeCreate && (errors.Is(err, fs.ErrExist) || errors.Is(err, vfs.ErrIsDir))
}

// publish puts what is staged under a name, or changes nothing.
func (u *upload) publish(name string) error {
	b := u.fs.b
	b.mu.Lock()
	defer b.mu.Unlock()
	dir, last, err := b.parent(name)
	if err == nil && name != u.name {
		err = checkName(last)
	}
	if err != nil {
		return err
	}
	n := dir.dir.lookup(last)
	switch {
	case n != nil && n.dir != nil:
		return vfs.ErrIsDir
	case n != nil && u.flag == vfs.ModeCreate:
		return fs.ErrExist
	case u.continues() && b.version(name) != u.base:
		return vfs.ErrTransient
	}
	if n == nil {
		n = b.newNode(u.perm)
		dir.dir.insert(last, n)
		dir.mtime = n.mtime
	} else {
		n.content.release()
		n.mtime = b.now()
		b.budget.give(EntryCost) // the name is paid for
	}
	n.content = u.staged
	b.dropHeld(heldKey{u.fs.owner, name})
	return nil
}

// Sync does nothing: memory is as durable as it gets.
func (u *upload) Sync() error  { return nil }
func (u *upload) Name() string { return u.name }

// Stat describes what is staged so far.
func (u *upload) Stat() (os.FileInfo, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := &info{name: lastName(u.name), mode: u.perm.Perm(), mtime: u.fs.b.now()}
	if u.staged != nil {
		i.size = u.staged.size
	}
	return i, nil
}
