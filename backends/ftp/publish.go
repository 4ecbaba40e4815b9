package ftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Close publishes. The rename is all that others see.
func (u *upload) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return pathError("close", u.name, fs.ErrClosed)
	}
	u.ended = true
	defer u.release()
	if err := u.stage(); err != nil {
		u.fail(err)
	}
	if err := u.f.ctx().Err(); err != nil {
		u.fail(err)
	}
	if u.err == nil {
		var err error
		u.patient(func() { err = u.u.Close() })
		if err == nil {
			err = u.f.ctx().Err()
		}
		if err != nil {
			u.fail(err)
		}
	}
	ctx, cancel := u.f.detached()
	defer cancel()
	if u.err == nil {
		err := u.publish(ctx)
		if err == nil {
			u.f.b.names.done(u.temp)
			u.f.b.dropWhere(func(key heldKey, _ *held) bool { return key.name == u.name })
			u.f.b.tidy(ctx, u.c)
			return nil
		}
		u.err = pathError("close", u.name, translate(ctx, err))
	}
	u.discard(ctx)
	return u.err
}

// Abort discards.
func (u *upload) Abort() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return pathError("abort", u.name, fs.ErrClosed)
	}
	u.ended = true
	defer u.release()
	ctx, cancel := u.f.detached()
	defer cancel()
	u.discard(ctx)
	return nil
}

// discard deletes the temporary file. If that fails it is a leftover, which no client sees.
func (u *upload) discard(ctx context.Context) {
	if u.u == nil {
		return
	}
	_ = u.u.Abort() // the connection is looked at
	u.remove(ctx)
	u.f.b.names.done(u.temp)
}

// remove deletes the temporary file, if there is one, over another connection if this one is lost.
func (u *upload) remove(ctx context.Context) {
	b := u.f.b
	b.mu.Lock()
	b.orphan(u.temp)
	b.mu.Unlock()
	if u.c != nil && u.c.Usable() {
		b.tidy(ctx, u.c)
		if u.c.Usable() {
			return
		}
	}
	if u.reconnect(ctx) == nil {
		b.tidy(ctx, u.c) // or Sweep does
	}
}

// reconnect takes another connection in place of one that is lost, whose place it gives up first: there
// may be no other.
func (u *upload) reconnect(ctx context.Context) (err error) {
	if u.c != nil {
		u.f.b.pool.Put(u.c)
		u.c = nil
	}
	u.c, err = u.f.b.get(ctx)
	return err
}

// publish renames the temporary file, if what its mode demands of the name still holds.
func (u *upload) publish(ctx context.Context) error {
	f := u.f
	f.bound = ctx
	unlock, err := f.b.names.lock(ctx, u.name)
	if err != nil {
		return err
	}
	defer unlock()
	if err := u.check(f); err != nil {
		return err
	}
	err = u.c.Rename(ctx, f.b.at(u.temp), f.b.at(u.name))
	if err == nil || !isRefusal(err) {
		f.b.names.ignore(u.watch)
		f.b.names.change(u.name)
	}
	if err != nil && !isRefusal(err) {
		err = u.happened(ctx, f, err)
		f.b.names.change(u.name) // also for those who have looked meanwhile
	}
	if err != nil && u.c != nil {
		err = f.why(u.c, u.name, vfs.ErrIsDir, err)
	}
	return err
}

// check looks at the name just before the rename.
func (u *upload) check(f filesystem) error {
	if u.flag == vfs.ModeReplace {
		return nil
	}
	found, err := f.find(u.c, u.name)
	switch {
	case err != nil:
		return err
	case u.flag == vfs.ModeCreate && found != nil:
		return fs.ErrExist
	case u.continues() && (u.watch.changed.Load() || !u.isBase(found)):
		return errChanged
	}
	return nil
}

// isBase reports whether what is under the name is what was there when the upload was opened.
func (u *upload) isBase(found *ftpclient.Entry) bool {
	if found == nil || u.base == nil {
		return found == nil && u.base == nil
	}
	return same(*found, *u.base)
}

// happened finds out, on another connection, what became of a rename whose reply was lost, and does it if it has not
// been done. RNFR tells that best: some servers do not show what begins with a dot, and the old file may have the
// size of the new one. RNTO has to follow it, or proftpd refuses everything else.
func (u *upload) happened(ctx context.Context, f filesystem, lost error) error {
	if err := u.reconnect(ctx); err != nil {
		return because(vfs.ErrTransient, fmt.Errorf("%w (and then: %w)", lost, err))
	}
	again := u.check(f)
	switch {
	case errors.Is(again, fs.ErrExist), errors.Is(again, errChanged):
		if u.aside(ctx) {
			return again // by somebody else
		}
	case again == nil:
		if again = u.c.Rename(ctx, f.b.at(u.temp), f.b.at(u.name)); again == nil {
			return nil
		}
		var step *fs.PathError
		if isRefusal(again) && errors.As(again, &step) && step.Op == "RNTO" {
			return again
		}
	}
	if !isRefusal(again) && !errors.Is(again, fs.ErrExist) && !errors.Is(again, errChanged) {
		return because(vfs.ErrTransient, fmt.Errorf("%w (and then: %w)", lost, again))
	}
	// There is nothing to rename any more, or the name is no longer what it was: by the rename, as it seems.
	if _, err := u.c.Stat(ctx, f.b.at(u.temp)); !errors.Is(err, fs.ErrNotExist) {
		return because(vfs.ErrTransient, fmt.Errorf("%w (and then: %w)", lost, again))
	}
	e, err := f.stat(u.c, u.name)
	if err == nil && e.Size == max(u.keep, 0)+u.written {
		return nil
	}
	return because(vfs.ErrTransient, fmt.Errorf("%w (and the upload is under neither name)", lost))
}

// aside gives the temporary file another name, and reports whether it was still there.
func (u *upload) aside(ctx context.Context) bool {
	b, name := u.f.b, u.f.b.temporaryName(u.name, time.Now())
	if u.c.Rename(ctx, b.at(u.temp), b.at(name)) != nil {
		return false
	}
	b.names.upload(name)
	b.names.done(u.temp)
	u.temp = name
	return true
}
