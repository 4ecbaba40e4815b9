package local

import (
	"context"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Fs is the directory as one owner sees it, for one command if WithContext
// bound it. It is an afero.Fs, a vfs.ContextFs, vfs.Describer, vfs.Resumer and
// vfs.ExclusiveRenamer.
type Fs struct {
	b      *Backend
	owner  string
	window time.Duration
	ctx    context.Context // nil: cannot be cancelled
}

var (
	_ afero.Fs             = (*Fs)(nil)
	_ vfs.ContextFs        = (*Fs)(nil)
	_ vfs.Describer        = (*Fs)(nil)
	_ vfs.Resumer          = (*Fs)(nil)
	_ vfs.ExclusiveRenamer = (*Fs)(nil)
)

// WithContext returns the same directory, whose operations fail once ctx has ended.
// The system calls themselves cannot be interrupted.
func (f *Fs) WithContext(ctx context.Context) afero.Fs {
	bound := *f
	bound.ctx = ctx
	return &bound
}

// Name says what kind of storage this is.
func (f *Fs) Name() string { return "local" }

// Properties are the same everywhere below the root.
func (f *Fs) Properties(string) vfs.Properties {
	return vfs.Properties{
		Append: true, Restart: true, Resume: f.window > 0, AtomicRename: true,
		SetTimes: true, SetMode: true, RawNames: true, MaxName: 255, ExactErrors: true,
		ComputeHashes: true,
	}
}

func (f *Fs) cancelled() error {
	if f.ctx == nil {
		return nil
	}
	return f.ctx.Err()
}

// begin begins an operation, which f.b.leave ends.
func (f *Fs) begin() error {
	if err := f.cancelled(); err != nil {
		return err
	}
	return f.b.enter()
}

// do runs one operation and gives its error the virtual path.
func (f *Fs) do(op, name string, run func() error) error {
	err := f.begin()
	if err == nil {
		defer f.b.leave()
		err = run()
	}
	return wrap(op, name, err)
}

// Open opens a file or directory for reading.
func (f *Fs) Open(name string) (afero.File, error) { return f.OpenFile(name, vfs.ModeRead, 0) }

// Create opens a file for replacing.
func (f *Fs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, vfs.ModeReplace, vfs.NewFileMode)
}

// OpenFile opens a file in one of the modes of package vfs. Regular files
// opened for reading are bare *os.File.
func (f *Fs) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	err := f.begin()
	if err != nil {
		return nil, wrap("open", name, err)
	}
	defer f.b.leave()
	var file afero.File
	switch flag {
	case vfs.ModeRead:
		file, err = f.read(name)
	case vfs.ModeReplace, vfs.ModeCreate, vfs.ModeAppend, vfs.ModeRestart:
		file, err = f.upload(name, flag, perm)
	default:
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, wrap("open", name, err)
	}
	return file, nil
}

func (f *Fs) read(name string) (afero.File, error) {
	b := f.b
	s, err := b.locate(name, false)
	for err == nil {
		var file *os.File
		var a attrs
		file, a, err = s.dir.open(s.base, name)
		if err == errLink {
			s, err = b.follow(s)
			continue
		}
		s.close()
		switch {
		case err != nil:
		case a.mode.IsRegular():
			return file, nil
		case b.isReserved(a.id()):
			file.Close()
			err = fs.ErrNotExist
		default:
			return &directory{File: file, fs: f, b: b, name: name, attrs: a}, nil
		}
	}
	return nil, err
}

// Stat describes what name is, or leads to. A link that leads nowhere, or out
// of the root, is described itself.
func (f *Fs) Stat(name string) (fs.FileInfo, error) {
	if err := f.begin(); err != nil {
		return nil, wrap("stat", name, err)
	}
	defer f.b.leave()
	a, err := f.b.stat(name)
	if err != nil {
		return nil, wrap("stat", name, err)
	}
	return f.b.info(name, a), nil
}

func (b *Backend) stat(name string) (attrs, error) {
	s, err := b.locate(name, false)
	if err != nil {
		return attrs{}, err
	}
	link, err := s.dir.lstat(s.base)
	if err != nil || !link.isLink() {
		s.close()
		return link, err
	}
	for {
		if s, err = b.follow(s); err != nil {
			return link, nil
		}
		a, err := s.dir.lstat(s.base)
		if err != nil || !a.isLink() {
			s.close()
			if err != nil {
				return link, nil
			}
			return a, nil
		}
	}
}

func (b *Backend) info(name string, a attrs) *info {
	_, base := vfs.Split(name)
	if base == "" {
		base = "/"
	}
	return &info{attrs: a, name: base, owners: b.owners}
}

// Held returns the size of the partial upload that is held for the owner.
func (f *Fs) Held(name string) (int64, error) {
	var size int64
	err := f.do("held", name, func() error {
		s, a, exists, err := f.b.find(name, false)
		if err != nil {
			return err
		}
		defer s.close()
		p, err := f.held(name, s.parent, fingerprint(a, exists))
		if err != nil {
			return err
		}
		if p == nil {
			return syscall.ENOENT
		}
		size = p.size
		return nil
	})
	return size, err
}
