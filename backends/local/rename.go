package local

import (
	"io/fs"
	"syscall"
)

// Rename follows the contract, 7: a file replaces a file, and a directory
// neither replaces nor is replaced. Links are moved and replaced themselves,
// and count as what they show as.
func (f *Fs) Rename(oldname, newname string) error {
	return f.do("rename", oldname, func() error { return f.b.rename(oldname, newname, false) })
}

// RenameExclusive is Rename that never replaces anything.
func (f *Fs) RenameExclusive(oldname, newname string) error {
	return f.do("rename", oldname, func() error { return f.b.rename(oldname, newname, true) })
}

func (b *Backend) rename(oldname, newname string, exclusive bool) error {
	from, err := b.locate(oldname, false)
	if err != nil {
		return err
	}
	defer from.close()
	if oldname == newname && oldname != "/" {
		_, err := from.dir.lstat(from.base)
		return err
	}
	to, err := b.locate(newname, true)
	if err != nil {
		return err
	}
	defer to.close()
	if from.base == "." || to.base == "." {
		return errTop
	}
	b.publishing.RLock()
	defer b.publishing.RUnlock()
	err = from.dir.renameExclusive(from.base, to.dir, to.base)
	if err == syscall.EEXIST && !exclusive {
		if err = b.mayReplace(oldname, newname); err == nil {
			err = from.dir.rename(from.base, to.dir, to.base)
		}
	}
	switch err {
	case nil:
	case syscall.EINVAL: // the one reason left: into its own subtree
		return fs.ErrInvalid
	case syscall.EISDIR, syscall.ENOTEMPTY: // became a directory meanwhile
		return fs.ErrExist
	default:
		return err
	}
	b.forget(oldname)
	b.forget(newname)
	if !b.options.Sync {
		return nil
	}
	if err := to.dir.sync(); err != nil {
		return err
	}
	return from.dir.sync()
}

// mayReplace refuses a rename that has a directory on either side.
func (b *Backend) mayReplace(oldname, newname string) error {
	for _, name := range []string{oldname, newname} {
		a, err := b.stat(name)
		if err != nil {
			return err
		}
		if a.mode.IsDir() {
			return fs.ErrExist
		}
	}
	return nil
}
