package local

import (
	"io"
	"os"
	"syscall"
)

// copyStep is how much of a head is copied between two looks at the context.
const copyStep = 64 << 20

// stage makes the staged file, with the head that is kept in it. It does
// nothing the second time.
func (u *upload) stage() error {
	switch {
	case u.file != nil:
		return nil
	case !u.sized:
		return errNoSeek
	case u.partial != nil && u.keep == u.partial.size:
		return u.takeOver()
	case u.keep == 0:
		return u.create(u.record())
	}
	return u.copyHead()
}

// record is what the name of the staged file will say, nil if the owner cannot resume.
func (u *upload) record() *record {
	if u.fs.window <= 0 {
		return nil
	}
	return u.fs.newRecord(u.name, fingerprint(u.base, u.exists))
}

// create makes an empty staged file.
func (u *upload) create(r *record) error {
	b := u.fs.b
	for try := 0; ; try++ {
		st, err := b.stagingFor(u.spot)
		if err != nil {
			return err
		}
		err = st.claim()
		if err == nil {
			u.st, u.staged = st, st.newName(r)
			u.file, err = st.dir.create(u.staged, u.name, u.mode|0o600)
		}
		if err != syscall.ENOENT || try > 0 {
			return err
		}
		b.lost(st) // somebody removed the directory: it is made anew
	}
}

// copyHead stages a copy of the first bytes of the finished file or partial.
// The kernel does it, sharing the blocks where the filesystem can.
func (u *upload) copyHead() error {
	src, err := u.openHead()
	if err != nil {
		return err
	}
	defer src.Close()
	// Until the copy is whole, the staged file has a name that cannot be resumed.
	if err := u.create(nil); err != nil {
		return err
	}
	for left := u.keep; left > 0; {
		if err := u.fs.cancelled(); err != nil {
			return u.dropStaged(err)
		}
		n, err := io.CopyN(u.file, src, min(left, copyStep))
		if err == io.EOF {
			err = errChanged
		}
		if err != nil {
			return u.dropStaged(err)
		}
		left -= n
	}
	r := u.record()
	if r == nil {
		return nil
	}
	whole := u.st.newName(r)
	if err := u.st.dir.rename(u.staged, u.st.dir, whole); err != nil {
		return u.dropStaged(err)
	}
	u.staged = whole
	return nil
}

func (u *upload) openHead() (*os.File, error) {
	dir, base, want := u.spot.dir, u.spot.base, &u.base
	if u.partial != nil {
		dir, base, want = u.partial.st.dir, u.partial.file, &u.partial.attrs
	}
	src, a, err := dir.open(base, u.name)
	if err == syscall.ENOENT || err == errLink {
		return nil, errChanged
	}
	if err != nil {
		return nil, err
	}
	if !a.same(want) {
		src.Close()
		return nil, errChanged
	}
	return src, nil
}

// takeOver makes the held partial the staged file: only one upload can.
func (u *upload) takeOver() error {
	p := u.partial
	if err := p.st.claim(); err != nil {
		return err
	}
	r := u.record()
	r.kept = p.record.kept
	staged := p.st.newName(r)
	switch err := p.st.dir.rename(p.file, p.st.dir, staged); {
	case err == syscall.ENOENT:
		return errChanged
	case err != nil:
		return err
	}
	u.fs.b.held.drop(p.heldFile)
	u.st, u.staged, u.took = p.st, staged, true
	file, err := p.st.dir.reopen(staged, u.name)
	if err != nil {
		return err
	}
	u.file = file
	if !p.intact {
		if err := file.Truncate(p.size); err != nil {
			return err
		}
	}
	_, err = file.Seek(p.size, io.SeekStart)
	return err
}

// dropStaged removes a staged file that is of no use, because of err.
func (u *upload) dropStaged(err error) error {
	u.file.Close()
	_ = u.st.dir.unlink(u.staged) // what is left is swept
	u.file, u.failed = nil, err
	return err
}
