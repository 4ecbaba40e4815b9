package ftp

import (
	"context"
	"io/fs"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Keep implements vfs.Keeper: the temporary file is ended as it is, and stays. An upload that cannot be held is discarded.
func (u *upload) Keep() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return pathError("keep", u.name, fs.ErrClosed)
	}
	u.ended = true
	defer u.release()
	if u.flag == vfs.ModeRestart && u.keep < 0 || u.u == nil && u.flag == vfs.ModeAppend && u.err == nil {
		return nil // nothing was begun: what was held stays
	}
	ctx, cancel := u.f.detached()
	defer cancel()
	err := u.hold(ctx)
	if err == nil {
		u.f.b.tidy(ctx, u.c) // what was held before
		return nil
	}
	u.discard(ctx)
	return pathError("keep", u.name, translate(ctx, err))
}

func (u *upload) hold(ctx context.Context) error {
	switch {
	case u.f.window <= 0:
		return vfs.ErrUnsupported
	case u.lost, u.err != nil && u.u == nil:
		return u.err
	}
	if err := u.stage(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, u.cut)
	err := u.u.Close()
	stop()
	if err != nil {
		return err
	}
	f := u.f
	f.bound = ctx
	found, err := f.find(u.c, u.name)
	switch {
	case err != nil:
		return err
	case u.watch.changed.Load(), u.continues() && !u.isBase(found), u.flag == vfs.ModeCreate && found != nil, found != nil && found.IsDir():
		return errChanged
	}
	u.f.b.hold(u.f.key(u.name), &held{
		temp: u.temp, size: max(u.keep, 0) + u.written, base: found, watch: u.watch, expires: time.Now().Add(u.f.window),
	})
	u.watch = nil // it is not ours any more
	u.f.b.names.done(u.temp)
	return nil
}

// keepGrace is how long what is being sent may go on when the command has been cancelled, so that
// the server can be told where the upload ends, and it can be held. It is well below the second within which a cancelled
// transfer must end.
const keepGrace = 500 * time.Millisecond

// patient makes a transfer that may be held survive the end of the command's context, but not for long.
func (u *upload) patient(do func()) {
	if u.cut == nil {
		do()
		return
	}
	over, gone := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(u.f.ctx(), func() {
		defer close(gone)
		grace := time.NewTimer(keepGrace)
		defer grace.Stop()
		select {
		case <-over:
		case <-grace.C:
			u.cut()
		}
	})
	do()
	close(over)
	if !stop() {
		<-gone
	}
}
