package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Target is what is known of where an upload goes to.
type Target int

const (
	Unknown Target = iota // the server is asked
	Fresh                 // there is no such file
	Exists
)

// Send uploads a local file: under a temporary name, which it renames when it is whole, unless the server does not let it or InPlace says
// otherwise. The temporary name tells size and time of the source, so that what is continued, in this run or with
// Continue in a later one, is the beginning of the same file; a source that changes meanwhile is sent from its beginning.
//
// In place, an upload is continued in this run only if the file is new there: of one that was there before,
// nobody could tell old bytes from new ones. With Continue, and not Again, a file under the final name is believed to be the beginning of this one.
func (m *Mover) Send(ctx context.Context, name, path string, target Target) (Result, error) {
	if i, err := m.Root.Stat(name); err == nil && !i.Mode().IsRegular() { // opening a FIFO would wait for who writes to it
		return Result{}, fmt.Errorf("%s is not a regular file; put reads others as standard input, which is -", name)
	}
	f, err := m.Root.Open(name)
	if err != nil {
		return Result{}, err
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		return Result{}, err
	}
	u := &upload{Mover: m, path: path, f: f, source: i, target: target, staged: !m.InPlace, stage: stageName(path, i)}
	if u.staged {
		var release func()
		if release, u.claimed = claim(m.Site.URL.Host, u.stage); !u.claimed {
			u.stage = streamName(path)
		}
		defer release()
	}
	err = m.Site.Progress(ctx, func(c *ftpclient.Conn) (bool, error) { return u.try(ctx, c) })
	return u.result, u.leave(ctx, err)
}

// upload is one Send.
type upload struct {
	*Mover
	path   string
	f      *os.File
	source fs.FileInfo // f, as the last try found it
	target Target      // what is under the final name
	staged bool
	stage  string // the temporary name

	claimed bool // stage can be found again by a later run

	tries  int
	sent   int64 // of the file, by the last try
	most   int64 // the same, by that which came farthest
	result Result
}

// to is where the bytes go.
func (u *upload) to() string {
	if u.staged {
		return u.stage
	}
	return u.path
}

// try is progress if it has come farther than any before. One that sends again what was sent before is none, or a server that breaks
// every rename would be sent the file for ever.
func (u *upload) try(ctx context.Context, c *ftpclient.Conn) (progress bool, err error) {
	err = u.attempt(ctx, c)
	progress = u.sent > u.most
	u.most = max(u.most, u.sent)
	return progress, err
}

func (u *upload) attempt(ctx context.Context, c *ftpclient.Conn) (err error) {
	if u.staged && u.tries == 0 {
		renames, err := u.Site.Renames(ctx, c, u.stage)
		if err != nil {
			return err // which says nothing about renames
		}
		u.staged = renames
	}
	changed, err := u.look()
	if err != nil {
		return err
	}
	var offset int64
	if !changed {
		offset, err = u.offset(ctx, c)
	}
	if err != nil || u.result.Whole {
		return err
	}
	u.most = max(u.most, offset)
	u.tries++
	n, err := u.store(ctx, c, offset)
	switch {
	case offset > 0 && n == 0 && refusedREST(err):
		u.result.Offset, offset = 0, 0
		_, err = u.store(ctx, c, 0)
	case u.staged && u.tries == 1 && refusedName(err):
		u.staged = false // names that begin with a dot, perhaps
		_, err = u.store(ctx, c, 0)
	}
	if err != nil {
		return err
	}
	if offset > 0 || u.tries > 1 {
		if err := u.verify(ctx, c); err != nil {
			return err
		}
	}
	if err := u.setTime(ctx, c); err != nil {
		return err
	}
	if err := u.publish(ctx, c); err != nil {
		return err
	}
	if u.Times != nil {
		u.Times.later(ctx, c, ftpclient.FileTime{Path: u.path, Time: u.source.ModTime()})
	}
	return nil
}

// setTime gives what was stored the time of the source, if that is not done later. Not every server can.
func (u *upload) setTime(ctx context.Context, c *ftpclient.Conn) error {
	if u.Times != nil {
		return nil
	}
	err := c.SetModTime(ctx, u.to(), u.source.ModTime())
	if isRefusal(err) {
		return nil
	}
	return err
}

// look finds out whether the source is what it was at the last try.
func (u *upload) look() (changed bool, err error) {
	i, err := u.f.Stat()
	if err != nil {
		return false, err
	}
	changed = i.Size() != u.source.Size() || !i.ModTime().Equal(u.source.ModTime())
	u.source = i
	return changed, nil
}

// offset finds out from where to go on.
func (u *upload) offset(ctx context.Context, c *ftpclient.Conn) (int64, error) {
	first := u.tries == 0
	switch {
	case first && u.staged && !u.Continue, !first && u.sent == 0, !first && !u.staged && u.target != Fresh:
		return 0, nil
	case first && !u.staged && (u.target == Fresh || u.target == Exists && !u.Continue || u.Again):
		return 0, nil
	}
	there, err := c.Size(ctx, u.to())
	switch {
	case isRefusal(err) && first && u.staged && !u.Again:
		return u.goOn(ctx, c) // the file itself may have been begun
	case isRefusal(err):
		if first && isMissing(err) {
			u.target = Fresh
		}
		return 0, nil
	case err != nil:
		return 0, err
	case first && u.staged:
		if there > u.source.Size() {
			return 0, nil
		}
		u.result.Offset = there
		return there, nil
	case first:
		u.target = Exists
		return u.goOn(ctx, c)
	case there > u.sent:
		return 0, nil // not only ours
	}
	return there, nil
}

// goOn is the offset for a file of which a part stood under its final name before this run.
func (u *upload) goOn(ctx context.Context, c *ftpclient.Conn) (int64, error) {
	if !u.Continue {
		return 0, nil
	}
	there, err := c.Size(ctx, u.path)
	size := u.source.Size()
	switch {
	case isRefusal(err):
		return 0, nil
	case err != nil:
		return 0, err
	case there > size:
		return 0, fmt.Errorf("%s has %d bytes on the server and %d here; it is not the beginning of this file", u.path, there, size)
	case there == size:
		u.result.Whole = true
		return 0, nil
	}
	u.staged, u.target = false, Exists
	u.result.Offset = there
	return there, nil
}

// store sends the file from an offset on.
func (u *upload) store(ctx context.Context, c *ftpclient.Conn, offset int64) (n int64, err error) {
	if _, err := u.f.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	if u.Moved != nil {
		u.Moved(offset - u.sent)
	}
	u.sent = offset
	var r io.Reader = u.f
	if u.Moved != nil {
		r = &countedReader{u.f, u.Moved}
	}
	if offset == 0 {
		n, err = c.StoreFrom(ctx, u.to(), r)
	} else {
		n, err = storeAt(ctx, c, u.to(), r, offset)
	}
	u.sent += n
	u.result.Bytes += n
	return n, err
}

func storeAt(ctx context.Context, c *ftpclient.Conn, path string, r io.Reader, offset int64) (int64, error) {
	w, err := c.Store(ctx, path, offset)
	if err != nil {
		return 0, err
	}
	n, err := w.ReadFrom(r)
	if err != nil {
		return n, err
	}
	return n, w.Close()
}

// verify asks for the size of a file that was sent in pieces.
func (u *upload) verify(ctx context.Context, c *ftpclient.Conn) error {
	there, err := c.Size(ctx, u.to())
	if isRefusal(err) {
		return nil // nothing is said against it
	}
	if err == nil && there != u.sent {
		err = fmt.Errorf("%s has %d bytes on the server after an upload of %d", u.to(), there, u.sent)
	}
	return err
}

// publish gives the file its name. Some servers do not rename onto a name that is taken: there it is stored again, in place, as the
// server may have reasons not to let it be replaced.
func (u *upload) publish(ctx context.Context, c *ftpclient.Conn) error {
	if !u.staged {
		return nil
	}
	err := c.Rename(ctx, u.stage, u.path)
	if isRefusal(err) {
		if e, failed := c.Stat(ctx, u.path); failed == nil && e.IsDir() { // which pure-ftpd calls a trouble that passes
			return fmt.Errorf("%s is a directory", u.path)
		}
	}
	if !isRefusal(err) || remote.Transient(err) {
		return err
	}
	if failed := c.Delete(ctx, u.stage); failed != nil {
		return fmt.Errorf("%w; the file stays there as %s; with --in-place it is stored under its own name at once", err, u.stage)
	}
	u.staged = false
	if _, err := u.store(ctx, c, 0); err != nil {
		return err
	}
	return u.setTime(ctx, c)
}

// leave is for an upload that failed. What stands under the temporary name is kept if it may be continued.
func (u *upload) leave(ctx context.Context, err error) error {
	switch {
	case err == nil || !u.staged || u.sent == 0:
		return err
	case u.claimed && (ctx.Err() != nil || remote.Transient(err)):
		return &KeptError{err, -1}
	}
	discard(ctx, u.Site, u.stage)
	return err
}

// cleanup is how long the removal of a temporary file may take after an interruption.
const cleanup = 5 * time.Second

// discard removes a temporary file, if that can still be done, also after an interruption.
func discard(ctx context.Context, s *remote.Site, path string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	c, err := s.Get(ctx)
	if err != nil {
		return
	}
	defer s.Put(c)
	_ = c.Delete(ctx, path) // who sent it is told what went wrong before
}

func isRefusal(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused)
}

// refusedName is a refusal that may be about the name of the file.
func refusedName(err error) bool {
	var refused *ftp.Error
	if !errors.As(err, &refused) || errors.Is(err, ftpclient.ErrQuota) {
		return false
	}
	code := refused.Reply.Code
	return code == 550 || code == 553 || code == 501
}

// isMissing takes a 550 to SIZE that does not say why ("Could not get file size.") for that of a file that is not there.
func isMissing(err error) bool {
	var refused *ftp.Error
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &refused) && refused.Reply.Code == 550 && refused.Cause == nil
}
