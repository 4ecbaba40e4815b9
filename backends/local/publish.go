package local

import (
	"cmp"
	"errors"
	"io/fs"
	"iter"
	"syscall"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

var errNoSeek = &fault{fs.ErrInvalid, errors.New("no offset was given")}

// end ends the upload in one of its three ways and releases what it held.
func (u *upload) end(op string, how func() error) error {
	if u.ended {
		return wrap(op, u.name, fs.ErrClosed)
	}
	if err := u.fs.b.enter(); err != nil {
		return wrap(op, u.name, err)
	}
	defer u.fs.b.leave()
	u.ended = true
	err := how()
	if err != nil {
		_ = u.discard()
	}
	u.spot.close()
	return wrap(op, u.name, err)
}

// Close publishes what was written. If it returns an error, the old state stands.
func (u *upload) Close() error {
	_, err := u.CloseFree(func(func(string) bool) {})
	return err
}

// CloseFree implements vfs.FreeCloser.
func (u *upload) CloseFree(others iter.Seq[string]) (name string, err error) {
	err = u.end("close", func() error {
		if u.failed != nil {
			return u.failed
		}
		if err := u.stage(); err != nil {
			return err
		}
		name, err = u.publish(others)
		return err
	})
	return name, err
}

// Abort discards what was written. What was held before is still held.
func (u *upload) Abort() error { return u.end("abort", u.discard) }

// Keep holds what was written for its owner, on the medium.
func (u *upload) Keep() error {
	return u.end("keep", func() error {
		if u.fs.window <= 0 {
			return vfs.ErrUnsupported
		}
		if u.file == nil && (u.flag == vfs.ModeAppend || !u.sized) {
			return nil // nothing came: what was there, held or finished, is still what is stored
		}
		if err := u.stage(); err != nil {
			return err
		}
		return u.hold()
	})
}

func (u *upload) publish(others iter.Seq[string]) (other string, err error) {
	if err := u.finish(); err != nil {
		return "", err
	}
	err = u.place()
	if u.flag == vfs.ModeCreate && err == syscall.EEXIST {
		for other = range others {
			if _, err = relative(other); err == nil {
				_, u.spot.base = vfs.Split(other)
				err = u.place()
			}
			if err != syscall.EEXIST {
				break
			}
		}
	}
	if err != nil {
		return "", err
	}
	u.file = nil
	u.fs.b.forget(cmp.Or(other, u.name))
	if u.fs.b.options.Sync {
		return other, u.spot.dir.sync()
	}
	return other, nil
}

// finish gives the staged file its attributes and closes it: some filesystems
// tell only then that something could not be written.
func (u *upload) finish() error {
	if err := u.setOwner(); err != nil {
		return err
	}
	if u.took || (u.mode|0o600)&u.st.masked != 0 || u.mode&0o600 != 0o600 {
		if err := u.file.Chmod(u.mode); err != nil {
			return err
		}
	}
	if u.fs.b.options.Sync {
		if err := u.file.Sync(); err != nil {
			return err
		}
	}
	return u.file.Close()
}

// setOwner gives the file the owner and group that it would have had without
// staging, as far as that is allowed: those of the file that it replaces, or
// the group of a set-group-id directory.
func (u *upload) setOwner() error {
	gid := u.fs.b.gid
	if u.st.facts.mode&fs.ModeSetgid != 0 {
		gid = int(u.st.facts.gid)
	}
	wantUser, wantGroup := -1, -1
	switch {
	case u.exists:
		wantUser, wantGroup = int(u.base.uid), int(u.base.gid)
	case u.spot.parent != "":
		is, err := u.spot.dir.facts()
		if err != nil {
			return err
		}
		if is.mode&fs.ModeSetgid != 0 {
			wantGroup = int(is.gid)
		}
	}
	if wantUser == u.fs.b.uid || u.fs.b.uid != 0 {
		wantUser = -1
	}
	if wantGroup == gid {
		wantGroup = -1
	}
	if wantUser != -1 || wantGroup != -1 {
		_ = u.file.Chown(wantUser, wantGroup) // best effort
	}
	return nil
}

// place moves the staged file to its name.
func (u *upload) place() error {
	b, from, to := u.fs.b, u.st.dir, u.spot
	var err error
	switch {
	case u.flag == vfs.ModeCreate:
		b.publishing.RLock()
		err = from.renameExclusive(u.staged, to.dir, to.base)
		b.publishing.RUnlock()
	case u.flag == vfs.ModeReplace:
		b.publishing.RLock()
		err = from.rename(u.staged, to.dir, to.base)
		b.publishing.RUnlock()
	default:
		err = u.placeIfUnchanged()
	}
	switch {
	case err == syscall.ENOENT:
		return errGone
	case err == syscall.EEXIST && u.flag != vfs.ModeCreate, err == syscall.ENOTEMPTY:
		return vfs.ErrIsDir
	}
	return err
}

var errGone = &fault{fs.ErrNotExist, errors.New("the directory was removed during the upload")}

// placeIfUnchanged places the file unless its base changed since the upload
// opened. Other uploads and renames of this Backend wait; somebody else on the
// host could still come between the look and the rename.
func (u *upload) placeIfUnchanged() error {
	b, to := u.fs.b, u.spot
	b.publishing.Lock()
	defer b.publishing.Unlock()
	if !u.exists {
		err := u.st.dir.renameExclusive(u.staged, to.dir, to.base)
		if err == syscall.EEXIST {
			return errChanged
		}
		return err
	}
	now, err := to.dir.lstat(to.base)
	if err == syscall.ENOENT || err == nil && !now.same(&u.base) {
		return errChanged
	}
	if err != nil {
		return err
	}
	return u.st.dir.rename(u.staged, to.dir, to.base)
}

// discard removes the staged file, or puts a partial back as it was held.
func (u *upload) discard() error {
	if u.staged == "" {
		return nil
	}
	staged := u.staged
	u.staged = ""
	if u.file != nil {
		defer u.file.Close()
	}
	if !u.took {
		return u.st.dir.unlink(staged)
	}
	if u.file != nil {
		if err := u.file.Truncate(u.partial.size); err != nil {
			return err
		}
	}
	if err := u.st.dir.rename(staged, u.st.dir, u.partial.file); err != nil {
		return err
	}
	again := *u.partial.heldFile // not the one that another session may just be dropping
	u.fs.b.held.add(&again)
	return nil
}

// hold renames the staged file to what says that it is kept.
func (u *upload) hold() error {
	if err := u.file.Sync(); err != nil {
		return err
	}
	a, err := statFile(u.file)
	if err != nil {
		return err
	}
	r := u.record()
	r.kept = a.size
	name := u.st.newName(r)
	name = keptProcess + name[len(u.st.process):]
	if err := u.st.dir.rename(u.staged, u.st.dir, name); err != nil {
		return err
	}
	u.staged = ""
	u.fs.b.held.add(&heldFile{st: u.st, file: name, process: keptProcess, record: r, written: a.modTime()})
	if err := u.file.Close(); err != nil {
		return err
	}
	return u.st.dir.sync()
}
