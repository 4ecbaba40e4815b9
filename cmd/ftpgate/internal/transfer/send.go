package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

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

// Send uploads a local file. When it breaks off within this run it goes on from what the server has, if the file is new there: of one that
// was there before, nobody could tell old bytes from new ones. With Continue, what the server has is believed to be the beginning of this file.
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
	u := &upload{Mover: m, path: path, f: f, size: i.Size(), target: target}
	err = m.Site.Progress(ctx, func(c *ftpclient.Conn) (bool, error) { return u.try(ctx, c, i.ModTime()) })
	return u.result, err
}

// upload is one Send.
type upload struct {
	*Mover
	path   string
	f      *os.File
	size   int64
	target Target

	tries  int
	sent   int64 // of the file, by the last try
	result Result
}

func (u *upload) try(ctx context.Context, c *ftpclient.Conn, modified time.Time) (progress bool, err error) {
	offset, err := u.offset(ctx, c)
	if err != nil || u.result.Whole {
		return false, err
	}
	u.tries++
	n, err := u.store(ctx, c, offset)
	if offset > 0 && n == 0 && refusedREST(err) {
		u.result.Offset = 0
		n, err = u.store(ctx, c, 0)
	}
	if err != nil {
		return n > 0, err
	}
	if offset > 0 || u.tries > 1 {
		if err := u.verify(ctx, c); err != nil {
			return false, err
		}
	}
	if err := c.SetModTime(ctx, u.path, modified); err != nil && !isRefusal(err) {
		return false, nil // the file is there; its time is a courtesy
	}
	return true, nil
}

func isRefusal(err error) bool {
	var refused *ftp.Error
	return errors.As(err, &refused)
}

// isMissing takes a 550 to SIZE that does not say why ("Could not get file size.") for that of a file that is not there.
func isMissing(err error) bool {
	var refused *ftp.Error
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &refused) && refused.Reply.Code == 550 && refused.Cause == nil
}

// offset finds out from where to go on.
func (u *upload) offset(ctx context.Context, c *ftpclient.Conn) (int64, error) {
	first := u.tries == 0
	if first && (u.target == Fresh || u.target == Exists && !u.Continue) || !first && u.target != Fresh {
		return 0, nil
	}
	if !first && u.sent == 0 {
		return 0, nil
	}
	there, err := c.Size(ctx, u.path)
	switch {
	case isRefusal(err):
		if first && isMissing(err) {
			u.target = Fresh
		}
		return 0, nil
	case err != nil:
		return 0, err
	}
	if first {
		u.target = Exists
		return u.goOn(there)
	}
	if there > u.sent {
		return 0, nil // not only ours
	}
	return there, nil
}

// goOn is the offset for a file of which a part was there before this run.
func (u *upload) goOn(there int64) (int64, error) {
	switch {
	case !u.Continue:
		return 0, nil
	case there > u.size:
		return 0, fmt.Errorf("%s has %d bytes on the server and %d here; it is not the beginning of this file", u.path, there, u.size)
	case there == u.size:
		u.result.Whole = true
		return 0, nil
	}
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
		n, err = c.StoreFrom(ctx, u.path, r)
	} else {
		n, err = storeAt(ctx, c, u.path, r, offset)
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
	there, err := c.Size(ctx, u.path)
	if isRefusal(err) {
		return nil // nothing is said against it
	}
	if err == nil && there != u.sent {
		err = fmt.Errorf("%s has %d bytes on the server after an upload of %d", u.path, there, u.sent)
	}
	return err
}

// SendStream uploads what can be read only once; it is not tried again. Waiting for r ends with ctx if r is a file.
func (m *Mover) SendStream(ctx context.Context, r io.Reader, path string) (Result, error) {
	c, err := m.Site.Get(ctx)
	if err != nil {
		return Result{}, err
	}
	defer m.Site.Put(c)
	if f, ok := r.(*os.File); ok {
		r = interruptible(ctx, f)
	}
	if m.Moved != nil {
		r = &countedReader{r, m.Moved}
	}
	n, err := c.StoreFrom(ctx, path, r)
	return Result{Bytes: n}, err
}
