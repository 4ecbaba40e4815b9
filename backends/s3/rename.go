package s3

import (
	"errors"
	"io/fs"
	"os"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Rename gives an object or, if there is none, a directory another name: by copies
// that the store makes itself, and then deletions. It is not atomic: for a while both
// names are there, and if the deletion fails, both stay.
func (f *fsys) Rename(oldname, newname string) error {
	return f.linkError(oldname, newname, f.rename(oldname, newname, false))
}

// RenameExclusive implements vfs.ExclusiveRenamer. On a store without conditional
// copies an upload, or a writer from elsewhere, can slip in between the look and the copy.
func (f *fsys) RenameExclusive(oldname, newname string) error {
	return f.linkError(oldname, newname, f.rename(oldname, newname, true))
}

func (f *fsys) linkError(oldname, newname string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		err = translate(err)
	}
	return &os.LinkError{Op: "rename", Old: oldname, New: newname, Err: err}
}

func (f *fsys) rename(oldname, newname string, exclusive bool) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	switch {
	case oldname == "/" || newname == "/":
		return fs.ErrInvalid
	case oldname == newname:
		_, err := f.stat(oldname)
		return err
	}
	if !f.dirs {
		o, err := f.find(oldname)
		if err == nil {
			return f.renameObject(oldname, newname, o, exclusive)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.renameDirectory(oldname, newname)
}

func (f *fsys) renameObject(oldname, newname string, o object, exclusive bool) error {
	if vfs.Within(oldname, newname) {
		return fs.ErrInvalid
	}
	to, err := f.targetKey(newname)
	if err != nil {
		return err
	}
	// Of two that rename one file, the second one finds it gone.
	done, err := f.turns.take(f.ctx, o.key, to)
	if err != nil {
		return err
	}
	defer done()
	c := copying{from: o, to: to}
	if exclusive {
		if err := f.mustBeFree(to); err != nil {
			return err
		}
		star := "*"
		c.ifNoneMatch = &star
	}
	err = c.run(f.ctx, f.Backend)
	if preconditionFailed(err) {
		if c, err = f.again(c, exclusive); err == nil {
			err = c.run(f.ctx, f.Backend)
		}
	}
	if err != nil {
		return err
	}
	// From here on stopping would leave both names.
	ctx, cancel := f.detached()
	defer cancel()
	if err := f.deleteCopied(ctx, c.from); err != nil {
		// If somebody has renamed it at the same moment, through another gateway, the
		// copy stays: it may be all there is, if he has given it the same name.
		return err
	}
	f.keepParent(oldname)
	return nil
}

// again looks why a condition of a copy did not hold. What was known of the source may be
// some seconds old; then the copy is worth a second try.
func (f *fsys) again(c copying, exclusive bool) (copying, error) {
	if exclusive {
		if err := f.mustBeFree(c.to); err != nil {
			return c, err
		}
	}
	f.changed(c.from.key)
	o, err := f.head(f.ctx, c.from.key)
	c.from = o
	return c, err
}

// targetKey is the key of a name that an object may get: no directory is there.
func (f *fsys) targetKey(name string) (string, error) {
	key, err := f.key(name)
	if err != nil {
		return "", err
	}
	err = f.findDir(f.ctx, key+"/")
	switch {
	case err == nil:
		return "", fs.ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return key, nil
	}
	return "", err
}

// mustBeFree fails with fs.ErrExist if there is an object.
func (f *fsys) mustBeFree(key string) error {
	_, err := f.head(f.ctx, key)
	switch {
	case err == nil:
		return fs.ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}
