package local

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Options say which directory is served and how files come to lie in it.
type Options struct {
	// Root is the directory.
	Root string
	// Create makes Root, and what is missing above it.
	Create bool
	// FileMode and DirMode are the permissions of new files and directories,
	// whatever the umask. 0: what the server gives. A replaced file keeps its own.
	FileMode, DirMode fs.FileMode
	// Sync makes Close, Rename and Mkdir return only when the change is on the medium.
	Sync bool
	// Skipped is told of names that are left out of a listing because they hold
	// CR or LF. It is called from the goroutine that lists. Optional.
	Skipped func(dir, name string)
}

// Backend is one directory. It is safe for concurrent use; it has no goroutine.
type Backend struct {
	options Options
	root    *os.Root
	top     folder // the root directory itself, as a descriptor
	mount   uint64 // the mount that top is in
	owners  *owners
	boot    func() string // which boot of the host this is; "" if unknown
	// uid and gid are the process's own. User 0 may do anything, and needs not look first.
	uid, gid int
	buffers  sync.Pool

	// life is held for reading by every operation, so that Close cannot pull a
	// descriptor from under it.
	life   sync.RWMutex
	closed bool

	// publishing is held for reading by whatever changes what a name stands
	// for, and for writing by an APPE or REST while it makes sure that its base
	// has not changed and replaces it.
	publishing sync.RWMutex

	mu       sync.Mutex
	stagings map[string]*staging // by the path of their parent, relative to the root; "" is the root's

	// reserved are the staging directories known so far, to recognise one that
	// is reached by another name.
	reserved atomic.Pointer[[]fileID]
	held     *heldIndex
}

// New opens the directory o.Root and removes what dead processes left staged
// in it. Creating nothing but the directory, and that only if o.Create is set,
// it suits trees that cannot be written.
func New(o Options) (*Backend, error) { return newBackend(o, sync.OnceValue(bootID)) }

func newBackend(o Options, boot func() string) (*Backend, error) {
	root, err := os.OpenRoot(o.Root)
	if errors.Is(err, fs.ErrNotExist) && o.Create {
		root, err = makeRoot(o)
	}
	if err != nil {
		return nil, err
	}
	b := &Backend{
		options: o, root: root, owners: newOwners(), boot: boot, uid: os.Geteuid(), gid: os.Getegid(),
		stagings: make(map[string]*staging), held: newHeldIndex(),
		buffers: sync.Pool{New: func() any { return new([direntBuffer]byte) }},
	}
	b.top, err = openTop(root)
	if err == nil {
		var is facts
		is, err = b.top.facts()
		b.mount = is.mount
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	_, _ = b.staging("", false) // sweeps it, if there is one
	return b, nil
}

func makeRoot(o Options) (*os.Root, error) {
	mode := o.DirMode
	if mode == 0 {
		mode = vfs.NewDirMode
	}
	if err := os.MkdirAll(o.Root, mode); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return nil, err
	}
	// The umask has no say; the group that new files inherit has.
	info, err := root.Stat(".")
	if err == nil && info.Mode().Perm() != mode.Perm() {
		err = root.Chmod(".", mode.Perm()|info.Mode()&fs.ModeSetgid)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// Open returns the directory as owner sees it. Uploads that are kept, or cut by
// a crash, are held for this owner for resumeWindow; 0 holds nothing.
func (b *Backend) Open(owner string, resumeWindow time.Duration) afero.Fs {
	return &Fs{b: b, owner: owner, window: resumeWindow}
}

// Close releases the directory, after operations under way. It is called after
// the last upload has ended: what is still open then can only be swept later.
func (b *Backend) Close() error {
	b.life.Lock()
	defer b.life.Unlock()
	if b.closed {
		return fs.ErrClosed
	}
	b.closed = true
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, st := range b.stagings {
		st.close()
	}
	return errors.Join(b.top.f.Close(), b.root.Close())
}

// enter begins an operation; leave must follow if it returns nil.
func (b *Backend) enter() error {
	b.life.RLock()
	if b.closed {
		b.life.RUnlock()
		return fs.ErrClosed
	}
	return nil
}

func (b *Backend) leave() { b.life.RUnlock() }

// dirMode is the mode of a directory the server wants made with mode perm.
func (b *Backend) dirMode(perm fs.FileMode) fs.FileMode {
	if b.options.DirMode != 0 {
		return b.options.DirMode.Perm()
	}
	return perm.Perm()
}

func (b *Backend) fileMode(perm fs.FileMode) fs.FileMode {
	if b.options.FileMode != 0 {
		return b.options.FileMode.Perm()
	}
	return perm.Perm()
}
