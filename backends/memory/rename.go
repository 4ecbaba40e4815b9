package memory

import (
	"io/fs"
	"os"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func (f filesystem) Rename(oldname, newname string) error {
	return f.rename(oldname, newname, false)
}

// RenameExclusive implements vfs.ExclusiveRenamer.
func (f filesystem) RenameExclusive(oldname, newname string) error {
	return f.rename(oldname, newname, true)
}

func (f filesystem) rename(oldname, newname string, exclusive bool) error {
	err := f.live()
	if err == nil {
		f.b.mu.Lock()
		err = f.b.rename(oldname, newname, exclusive)
		f.b.mu.Unlock()
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
	}
	return nil
}

func (b *Backend) rename(oldname, newname string, exclusive bool) error {
	if oldname == "/" || newname == "/" {
		return fs.ErrInvalid
	}
	oldDir, oldLast, err := b.parent(oldname)
	if err != nil {
		return err
	}
	n := oldDir.dir.lookup(oldLast)
	switch {
	case n == nil:
		return fs.ErrNotExist
	case oldname == newname:
		return nil
	case n.dir != nil && vfs.Within(oldname, newname):
		return fs.ErrInvalid
	}
	newDir, newLast, err := b.parent(newname)
	if err != nil {
		return err
	}
	target := newDir.dir.lookup(newLast)
	switch {
	case target == nil:
		if err := checkName(newLast); err != nil {
			return err
		}
	case exclusive || n.dir != nil || target.dir != nil:
		return fs.ErrExist
	}
	switch {
	case target != nil:
		oldDir.dir.remove(oldLast)
		newDir.dir.byName[newLast].node = n
		b.discard(target)
	case oldDir == newDir:
		oldDir.dir.renameEntry(oldLast, newLast)
	default:
		oldDir.dir.remove(oldLast)
		newDir.dir.insert(newLast, n)
	}
	oldDir.mtime = b.now()
	newDir.mtime = oldDir.mtime
	return nil
}
