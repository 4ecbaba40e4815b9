package ftp

import (
	"errors"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Rename keeps the rules of the contract, whatever the server's are.
func (f filesystem) Rename(oldname, newname string) error { return f.rename(oldname, newname, false) }

// RenameExclusive implements vfs.ExclusiveRenamer among those who use this Backend.
func (f filesystem) RenameExclusive(oldname, newname string) error {
	return f.rename(oldname, newname, true)
}

func (f filesystem) rename(oldname, newname string, exclusive bool) error {
	return f.do("rename", oldname, false, func(c *ftpclient.Conn) error {
		if oldname == "/" || newname == "/" {
			return fs.ErrInvalid
		}
		unlock, err := f.b.names.lock(f.ctx(), oldname, newname)
		if err != nil {
			return err
		}
		defer unlock()
		from, err := f.stat(c, oldname)
		if err != nil {
			return untouched{err}
		}
		if oldname == newname {
			return nil
		}
		if err := f.b.creatable(newname); err != nil {
			return err
		}
		if err := f.faithful(c, newname); err != nil {
			return err
		}
		to, err := f.stat(c, newname)
		switch {
		case err == nil && (exclusive || from.IsDir() || to.IsDir()):
			return fs.ErrExist
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return untouched{err}
		case from.IsDir() && vfs.Within(oldname, newname):
			return fs.ErrInvalid
		}
		err = c.Rename(f.ctx(), f.b.at(oldname), f.b.at(newname))
		f.b.changed(err, oldname, newname)
		if err != nil {
			return f.why(c, newname, vfs.ErrIsDir, err)
		}
		if from.IsDir() {
			f.b.dropMoved(oldname, newname)
			f.b.tidy(f.ctx(), c)
		}
		return nil
	})
}
