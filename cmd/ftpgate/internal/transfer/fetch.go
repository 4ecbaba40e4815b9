package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Mover moves files between a server and a local directory.
type Mover struct {
	Site     *remote.Site
	Root     *os.Root // the local directory; nothing outside of it is written
	Continue bool     // go on where an earlier run broke off
	Again    bool     // files that seem whole or begun under their own name move all the same, as somebody has found that they differ
	InPlace  bool     // uploads go to the final name at once, and not to a temporary one
	Times    *Times   // of uploads; nil: each is set at once
	// Moved is told of bytes as they move, and of a negative number when they have to move again; nil: nobody.
	Moved func(n int64)
}

// Result is what became of one file.
type Result struct {
	Bytes  int64 // moved by this run; more than the file has if some had to move again
	Offset int64 // where an earlier run had broken off
	Whole  bool  // it was there already, and nothing moved
}

var errBusy = errors.New("another transfer is writing this file")

// Fetch downloads a file to a local name. known is what a listing has told of it; nil: the server is asked. The file
// appears under its name when it is whole. What has come of one that is not is kept under a temporary name.
func (m *Mover) Fetch(ctx context.Context, path, name string, known *ftpclient.Entry) (Result, error) {
	if err := CheckName(name); err != nil {
		return Result{}, fmt.Errorf("%q: %w", name, err)
	}
	if i, err := m.Root.Lstat(name); err == nil {
		switch {
		case i.IsDir():
			return Result{}, fmt.Errorf("on this machine %s is a directory", filepath.Join(m.Root.Name(), name))
		case !i.Mode().IsRegular() && i.Mode().Type() != fs.ModeSymlink: // /dev/null is not to be replaced
			return Result{}, fmt.Errorf("%s is not a regular file; cat writes to others", name)
		}
	}
	d := &download{Mover: m, path: path, name: name, part: partName(name), known: known}
	if err := d.open(); err != nil {
		return Result{}, err
	}
	defer d.f.Close()
	err := m.Site.Progress(ctx, func(c *ftpclient.Conn) (bool, error) { return d.try(ctx, c) })
	if err == nil && !d.result.Whole {
		err = d.publish()
	}
	if err != nil || d.result.Whole {
		err = d.leave(err)
	}
	return d.result, err
}

// download is one Fetch.
type download struct {
	*Mover
	path, name, part string
	known            *ftpclient.Entry // for the first try only

	f      *os.File
	info   fs.FileInfo // of the temporary file, as an earlier run left it
	tries  int
	source ftpclient.Entry // what is being fetched
	have   int64           // bytes of it in f
	most   int64           // the same, by the try that came farthest
	result Result
}

// open opens the temporary file and claims it.
func (d *download) open() error {
	for range 8 {
		f, err := d.Root.OpenFile(d.part, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return err
		}
		if !lock(f) {
			f.Close()
			return fmt.Errorf("%s: %w", d.name, errBusy)
		}
		// Who had it before may have renamed or removed it.
		own, err1 := f.Stat()
		there, err2 := d.Root.Lstat(d.part)
		if err1 == nil && err2 == nil && os.SameFile(own, there) && own.Mode().IsRegular() {
			d.f, d.info = f, own
			return nil
		}
		f.Close()
		if err2 == nil && !there.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file", d.part)
		}
	}
	return fmt.Errorf("%s: %w", d.name, errBusy)
}

// try fetches what is missing. It is progress if it has come farther than any try before.
func (d *download) try(ctx context.Context, c *ftpclient.Conn) (progress bool, err error) {
	err = d.attempt(ctx, c)
	progress = d.have > d.most
	d.most = max(d.most, d.have)
	return progress, err
}

func (d *download) attempt(ctx context.Context, c *ftpclient.Conn) error {
	before := d.have
	offset, err := d.offset(ctx, c)
	if err != nil || d.result.Whole {
		return err
	}
	if offset < before && d.Moved != nil {
		d.Moved(offset - before)
	}
	d.have, d.most = offset, max(d.most, offset)
	if d.source.Size == offset && offset > 0 && sizeIs(ctx, c, d.path, offset) {
		return nil // all that was missing was to be told so
	}
	n, err := d.retrieve(ctx, c, offset)
	if offset > 0 && n == 0 && refusedREST(err) {
		// Only the whole file can be had.
		if d.Moved != nil {
			d.Moved(-offset)
		}
		d.result.Offset, d.have = 0, 0
		_, err = d.retrieve(ctx, c, 0)
	}
	if err == nil && d.source.Size >= 0 && d.have < d.source.Size && !sizeIs(ctx, c, d.path, d.have) {
		err = fmt.Errorf("%s: the server said it has %d bytes, sent %d and called that the end", d.path, d.source.Size, d.have)
	}
	return err
}

// sizeIs asks for the size of what RETR sends. Of a link, proftpd tells by MLST how long the link is.
func sizeIs(ctx context.Context, c *ftpclient.Conn, path string, want int64) bool {
	n, err := c.Size(ctx, path)
	return err == nil && n == want
}

// offset finds out from where to go on.
func (d *download) offset(ctx context.Context, c *ftpclient.Conn) (int64, error) {
	source, err := d.stat(ctx, c)
	if err != nil {
		return 0, err
	}
	d.tries++
	previous := d.source
	d.source = source
	if d.tries > 1 { // in this run: the file must be the one it was
		slack := max(previous.Precision, source.Precision)
		if previous.Size != source.Size || previous.ModTime.Sub(source.ModTime).Abs() >= max(slack, 1) {
			return 0, nil
		}
		return d.have, nil
	}
	if !d.Continue {
		return 0, nil
	}
	if i, err := d.Root.Stat(d.name); err == nil && !d.Again && source.Size >= 0 && i.Size() == source.Size && !changedSince(source, i.ModTime()) {
		d.result.Whole = true
		return 0, nil
	}
	if d.info.Size() == 0 || source.Size >= 0 && d.info.Size() > source.Size || changedSince(source, d.info.ModTime()) {
		return 0, nil
	}
	d.result.Offset = d.info.Size()
	if d.Moved != nil {
		d.Moved(d.info.Size())
	}
	return d.info.Size(), nil
}

// changedSince reports whether a file on the server is newer than what was fetched of it, as far as its time is exact.
func changedSince(e ftpclient.Entry, fetched time.Time) bool {
	return e.ModTime.After(fetched.Add(time.Second))
}

func (d *download) stat(ctx context.Context, c *ftpclient.Conn) (ftpclient.Entry, error) {
	if d.known != nil && d.tries == 0 {
		return *d.known, nil
	}
	e, err := c.Stat(ctx, d.path)
	var refused *ftp.Error
	switch {
	case err == nil && e.IsDir():
		return e, fmt.Errorf("%s is a directory; mirror fetches those", d.path)
	case err != nil && errors.As(err, &refused) && !errors.Is(err, fs.ErrNotExist) && !remote.Transient(err):
		return ftpclient.Entry{Size: -1}, nil // no such command; RETR tells what is wrong, if anything
	}
	return e, err
}

// retrieve fetches from an offset on.
func (d *download) retrieve(ctx context.Context, c *ftpclient.Conn, offset int64) (n int64, err error) {
	r, err := c.Retrieve(ctx, d.path, offset)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	if err := d.f.Truncate(offset); err != nil { // not before: what an earlier run has left is good if there is no transfer
		return 0, err
	}
	if _, err := d.f.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	var w io.Writer = d.f
	if d.Moved != nil {
		w = &counted{d.f, d.Moved}
	}
	n, err = r.WriteTo(w)
	if failed := r.Close(); err == nil {
		err = failed
	}
	d.have += n
	d.result.Bytes += n
	return n, err
}

func refusedREST(err error) bool {
	var p *fs.PathError
	var refused *ftp.Error
	return errors.As(err, &p) && p.Op == "REST" && errors.As(err, &refused) && refused.Reply.Code/100 == 5
}

// publish gives the file its name. It stays claimed until then: somebody who took it in between would begin again in
// what has its name already.
func (d *download) publish() error {
	defer holdLock(d.f)()
	if err := d.f.Close(); err != nil {
		return err
	}
	if !d.source.ModTime.IsZero() {
		if err := d.Root.Chtimes(d.part, time.Time{}, d.source.ModTime); err != nil {
			return err
		}
	}
	return d.Root.Rename(d.part, d.name)
}

// leave is for a file that is not whole. What there is of it has the time of its source, by which a later run knows whether
// it goes on with the same.
func (d *download) leave(err error) error {
	if i, failed := d.Root.Lstat(d.part); d.result.Whole || failed == nil && i.Size() == 0 {
		_ = d.Root.Remove(d.part) // nothing is lost if it stays
		return err
	}
	if d.have == 0 {
		return err // what there is, an earlier run has left
	}
	if !d.source.ModTime.IsZero() {
		_ = d.Root.Chtimes(d.part, time.Time{}, d.source.ModTime)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &KeptError{err, d.have}
}

// KeptError is what ended a transfer of which a part is kept for later.
type KeptError struct {
	Err   error
	Bytes int64 // -1: as much as has arrived at the server, which is not known here
}

func (e *KeptError) Error() string { return e.Err.Error() + e.Note() }
func (e *KeptError) Unwrap() error { return e.Err }

// Note is the part of the text that says so.
func (e *KeptError) Note() string {
	if e.Bytes < 0 {
		return " (what has arrived is kept; --continue goes on with it)"
	}
	return fmt.Sprintf(" (%d bytes are kept; --continue goes on with them)", e.Bytes)
}

// counted tells of what is written.
type counted struct {
	w     io.Writer
	moved func(int64)
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.moved(int64(n))
	return n, err
}

// countedReader tells of what is read.
type countedReader struct {
	r     io.Reader
	moved func(int64)
}

func (c *countedReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.moved(int64(n))
	return n, err
}
