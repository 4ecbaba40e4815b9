package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// upload is a file opened for writing. It goes to the name temp; publish.go has its end.
type upload struct {
	vfs.Refused
	f          filesystem
	name, temp string
	flag       int
	base       *ftpclient.Entry // the finished file, where the mode has asked; nil: there is none
	watch      *watch           // of name, from before base was looked up
	from       string           // what APPE and REST continue: the finished file, or what is held; "": nothing
	size       int64            // of that

	mu      sync.Mutex
	keep    int64 // bytes of from to begin with; -1: not known yet
	written int64
	c       *ftpclient.Conn
	u       *ftpclient.Upload // nil: not begun
	cut     func()            // ends it at once; nil: the end of the command's context does
	lost    bool              // it is no longer to be gone on with
	err     error             // that Close returns
	ended   bool
}

// openUpload begins an upload of a new file at once, so that a refusal comes early. One that
// continues a file is begun at the first Write, as staging may take long.
func (f filesystem) openUpload(name string, flag int) (_ afero.File, err error) {
	if err := f.ctx().Err(); err != nil {
		return nil, err
	}
	if name == "/" {
		return nil, vfs.ErrIsDir
	}
	if err := f.b.creatable(name); err != nil {
		if flag == vfs.ModeRestart && f.b.visible(name) != nil {
			return nil, fs.ErrNotExist
		}
		if flag != vfs.ModeRestart {
			return nil, err
		}
	}
	u := &upload{f: f, name: name, flag: flag, watch: f.b.names.watch(name)}
	defer func() {
		if err != nil {
			u.release()
		}
	}()
	if endsOddly(name) {
		if err := f.b.with(f.ctx(), true, func(c *ftpclient.Conn) error { return f.faithful(c, name) }); err != nil {
			return nil, err
		}
	}
	if flag != vfs.ModeReplace {
		if err := f.b.with(f.ctx(), true, u.look); err != nil {
			return nil, err
		}
	}
	if u.from == "" {
		if u.c, err = f.b.get(f.ctx()); err != nil {
			return nil, err
		}
		return u, u.begin()
	}
	if u.keep = -1; flag == vfs.ModeAppend {
		u.keep = u.size
	}
	return u, nil
}

// continues reports whether the upload goes on with what is there.
func (u *upload) continues() bool { return u.flag == vfs.ModeAppend || u.flag == vfs.ModeRestart }

// look finds what is under the name, and what is held of it.
func (u *upload) look(c *ftpclient.Conn) (err error) {
	if u.base, err = u.f.find(c, u.name); err != nil {
		return err
	}
	if h := u.f.heldAt(u.name); h != nil && u.continues() {
		if h.fits(u.base) {
			u.from, u.size = h.temp, h.size
			return nil
		}
		u.f.b.dropHeld(u.f.key(u.name), h)
	}
	switch e := u.base; {
	case e == nil && u.flag == vfs.ModeRestart:
		if reason := u.f.parent(c, u.name); reason != nil {
			return reason
		}
		return fs.ErrNotExist
	case e == nil:
		return nil
	case e.IsDir():
		return vfs.ErrIsDir
	case u.flag == vfs.ModeCreate:
		return fs.ErrExist
	case e.Type != ftp.TypeFile && e.Type != ftp.TypeOther:
		return vfs.ErrNotRegular
	case e.Size < 0:
		return fmt.Errorf("%w: the server does not tell the size of the file to continue", vfs.ErrUnsupported)
	}
	u.from, u.size = u.name, u.base.Size
	return nil
}

// begin makes the temporary file. A connection that is lost before the server has taken the upload is replaced by
// another one, and the name by another one, since the server may still be at work on the first.
func (u *upload) begin() error {
	ctx := u.f.ctx()
	for tries := 0; ; tries++ {
		u.temp = u.f.b.temporaryName(u.name, time.Now())
		err := u.store(ctx)
		if err == nil {
			return nil
		}
		lost := isLost(ctx, u.c, err)
		noData := tries == 0 && isNoData(err) // a data connection that was lost may have been somebody else's
		if !isRefusal(err) || mayHaveMade(err) {
			u.drop()
		}
		if noData && u.c != nil {
			continue
		}
		if !lost || tries == idleConnections || u.c == nil && u.reconnect(ctx) != nil {
			if u.c == nil {
				return err
			}
			return u.f.whyNoFile(u.c, u.name, err)
		}
	}
}

func (u *upload) store(ctx context.Context) (err error) {
	u.f.b.names.upload(u.temp)
	begun := func() bool { return true }
	if u.f.window > 0 {
		held, cut := context.WithCancelCause(context.WithoutCancel(ctx))
		command := ctx
		u.cut = func() { cut(context.Cause(command)) }
		begun = context.AfterFunc(command, u.cut)
		ctx = held
	}
	if u.u, err = u.c.Store(ctx, u.f.b.at(u.temp), 0); err == nil && begun() {
		return nil
	}
	if err == nil { // cancelled meanwhile
		_ = u.u.Abort()
		err = context.Cause(ctx)
	}
	begun()
	u.u = nil
	u.f.b.names.done(u.temp)
	return err
}

// isTransient reports that the server has refused something for now.
func isTransient(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused) && refused.Reply.Code/100 == 4
}

// isNoData reports that the server has no data connection, which another try may give it.
func isNoData(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused) && refused.Reply.Code == 425
}

// mayHaveMade reports whether the server may have made the file that it refused to take: some do
// before they find that there is no data connection.
func mayHaveMade(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused) && (refused.Reply.Code/100 == 4 || refused.Reply.Code/10 == 52)
}

// drop deletes a temporary file that the server may have made.
func (u *upload) drop() {
	ctx, cancel := u.f.detached()
	defer cancel()
	u.remove(ctx)
}

// whyNoFile finds the reason for a refusal to make a file beside name.
func (f filesystem) whyNoFile(c *ftpclient.Conn, name string, err error) error {
	if isRefusal(err) && c.Usable() {
		if missing := f.parent(c, name); missing != nil {
			return because(missing, err)
		}
	}
	return err
}

func (u *upload) Name() string { return u.name }

func (u *upload) Stat() (os.FileInfo, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e := ftpclient.Entry{Name: lastName(u.name), Type: ftp.TypeFile, Size: max(u.keep, 0) + u.written, ModTime: time.Now().UTC()}
	return e.Info(), nil
}

// Seek says how much of the file to keep, in vfs.ModeRestart and once.
func (u *upload) Seek(offset int64, whence int) (int64, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flag != vfs.ModeRestart || u.keep >= 0 || u.err != nil || u.ended ||
		whence != io.SeekStart || offset < 0 || offset > u.size {
		return 0, pathError("seek", u.name, fs.ErrInvalid)
	}
	u.keep = offset
	return offset, nil
}

func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return 0, pathError("write", u.name, fs.ErrClosed)
	}
	if err := u.stage(); err != nil {
		u.lost = true
		u.fail(err)
	}
	if err := u.f.ctx().Err(); err != nil {
		u.fail(err)
	}
	if u.err != nil {
		return 0, u.err
	}
	var n int
	var err error
	u.patient(func() { n, err = u.u.Write(p) })
	u.written += int64(n)
	if err != nil {
		u.lost = true
		u.fail(err)
	}
	return n, u.err
}

func (u *upload) WriteString(s string) (int, error) { return u.Write([]byte(s)) }

// fail notes the first error.
func (u *upload) fail(err error) {
	if u.err == nil {
		u.err = pathError("write", u.name, translate(u.f.ctx(), err))
	}
}

// release gives back what the upload holds.
func (u *upload) release() {
	if u.cut != nil {
		u.cut()
	}
	u.f.b.names.ignore(u.watch)
	if u.c != nil {
		u.f.b.pool.Put(u.c)
		u.c = nil
	}
}
