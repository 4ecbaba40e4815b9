package s3

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// upload is a file opened for writing. Its states are in the package's documentation.
type upload struct {
	vfs.Refused
	fs   *fsys
	name string
	key  string
	flag int

	// ctx is the command's; a part that fails ends it with the reason.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	done   bool
	failed error // of the first Write or Seek that failed
	claim  *Claim
	part   *content   // what is collected; nil until the first Write
	parts  *multipart // nil as long as one PutObject may do
	from   continuing // of ModeAppend and ModeRestart
	size   int64      // of all that was written, and of the head that is kept
	sizes  sizes      // of the parts
}

// openUpload makes no request, except in the modes that continue an object.
func (f *fsys) openUpload(name string, flag int) (afero.File, error) {
	switch {
	case f.ctx.Err() != nil:
		return nil, fault("open", name, f.ctx.Err())
	case name == "/":
		return nil, fault("open", name, vfs.ErrIsDir)
	}
	key, err := f.key(name)
	if err != nil {
		return nil, fault("open", name, err)
	}
	u := &upload{fs: f, name: name, key: key, flag: flag, sizes: f.sizesFor(0)}
	u.claim = f.o.Budget.Claim(u.tooSlow)
	u.ctx, u.cancel = context.WithCancelCause(f.ctx)
	if u.continues() {
		if err := u.look(); err != nil {
			u.release()
			return nil, fault("open", name, err)
		}
	}
	return u, nil
}

// why is the reason for the end of u.ctx, nil if it goes on.
func (u *upload) why() error {
	if err := u.fs.ctx.Err(); err != nil {
		return err
	}
	return context.Cause(u.ctx)
}

// step runs one Write or Seek; the error of one that fails is Close's.
func (u *upload) step(op string, do func() error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return fault(op, u.name, fs.ErrClosed)
	}
	if u.failed != nil {
		return u.failed
	}
	err := u.why()
	if err == nil {
		err = do()
	}
	if err != nil {
		if why := u.why(); why != nil {
			err = why // the first one
		}
		u.failed = fault(op, u.name, err)
	}
	return u.failed
}

// Write collects p. It waits for memory, and while too many parts are on their way.
func (u *upload) Write(p []byte) (int, error) {
	u.claim.busy(len(p))
	defer u.claim.waiting()
	err := u.step("write", func() error { return u.collect(p) })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (u *upload) WriteString(s string) (int, error) { return u.Write([]byte(s)) }

// Paced implements vfs.Pacer.
func (u *upload) Paced() { u.claim.pacing() }

// HintSize implements vfs.SizeHinter.
func (u *upload) HintSize(n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.part == nil && u.parts == nil {
		u.sizes = u.fs.sizesFor(n)
	}
}

// collect adds p to the part, and sends every part that is full and not the only one.
func (u *upload) collect(p []byte) error {
	if err := u.stage(); err != nil {
		return err
	}
	if u.size+int64(len(p)) > maxSize {
		return errTooLarge
	}
	for len(p) > 0 {
		c := u.collected()
		room := c.limit - c.size
		if room <= 0 {
			if err := u.sendPart(); err != nil {
				return err
			}
			continue
		}
		n := min(int64(len(p)), room)
		if err := c.append(u.ctx, p[:n]); err != nil {
			return err
		}
		u.size += n
		p = p[n:]
	}
	return nil
}

// collected is the part that is not on its way.
func (u *upload) collected() *content {
	if u.part == nil {
		number := u.number()
		u.part = &content{claim: u.claim, limit: u.sizes.part(number), later: number > 1, sum: newSum(u.fs.algorithm())}
	}
	return u.part
}

// end marks u done and returns the error of a second end.
func (u *upload) end(op string) error {
	if u.done {
		return fault(op, u.name, fs.ErrClosed)
	}
	u.done = true
	u.claim.busy(0)
	u.claim.Full()
	return nil
}

// Abort implements vfs.Aborter. It ends what is on its way and waits for it.
func (u *upload) Abort() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.end("abort"); err != nil {
		return err
	}
	return fault("abort", u.name, u.discard())
}

// Close publishes, or discards and says why.
func (u *upload) Close() error {
	_, err := u.CloseFree(func(func(string) bool) {})
	return err
}

// CloseFree implements vfs.FreeCloser, for what is still in memory as a whole.
func (u *upload) CloseFree(others iter.Seq[string]) (name string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.end("close"); err != nil {
		return "", err
	}
	if err = u.failed; err == nil {
		err = u.publish()
		if u.isTaken(err) {
			for name = range others {
				if err = u.publishAs(name); !u.isTaken(err) {
					break
				}
			}
		}
	}
	if err != nil {
		_ = u.discard() // the other error says more
		return "", fault("close", u.name, err)
	}
	u.release()
	return name, nil
}

// isTaken reports whether the upload failed because there is an object of its name, and
// can be published under another.
func (u *upload) isTaken(err error) bool {
	return u.flag == vfs.ModeCreate && u.parts == nil && errors.Is(err, fs.ErrExist)
}

// publishAs is publish under another name.
func (u *upload) publishAs(name string) (err error) {
	if u.key, err = u.fs.key(name); err != nil {
		return err
	}
	return u.put()
}

// publish makes an object of what was written, or fails and leaves the old one.
func (u *upload) publish() error {
	if u.continues() {
		if base := u.from.base; base != nil && !u.from.staged && u.from.keep == base.size {
			return u.isBase() // nothing to do
		}
		if err := u.stage(); err != nil {
			return err
		}
	}
	if u.parts != nil {
		return u.complete()
	}
	return u.put()
}

// discard leaves nothing in the store, and gives everything back.
func (u *upload) discard() error {
	u.cancel(fs.ErrClosed)
	var err error
	if u.parts != nil {
		err = u.parts.abort()
	}
	u.release()
	return err
}

// release gives everything back.
func (u *upload) release() {
	u.cancel(fs.ErrClosed)
	if u.part != nil {
		u.part.release()
	}
	u.claim.Close()
}

func (u *upload) Name() string { return u.name }

// Stat describes what was written so far.
func (u *upload) Stat() (os.FileInfo, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.fs.objectInfo(&object{key: u.key, size: u.size, modified: time.Now()}), nil
}
