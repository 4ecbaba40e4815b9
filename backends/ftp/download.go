package ftp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// download is a file opened for reading. It holds a connection from its first Read until its end, a Seek
// elsewhere or Close.
type download struct {
	vfs.Refused
	f     filesystem
	name  string
	entry ftpclient.Entry // as it was when it was opened
	watch *watch

	pos  int64
	read bool // something of it has been delivered
	c    *ftpclient.Conn
	d    *ftpclient.Download
	err  error
}

func (f filesystem) openRead(name string) (afero.File, error) {
	var e ftpclient.Entry
	w := f.b.names.watch(name)
	err := f.b.with(f.ctx(), true, func(c *ftpclient.Conn) (err error) {
		e, err = f.stat(c, name)
		return err
	})
	if err == nil && !e.IsDir() {
		return &download{f: f, name: name, entry: e, watch: w}, nil
	}
	f.b.names.ignore(w)
	if err != nil {
		return nil, err
	}
	return &directory{f: f, name: name, info: e.Info()}, nil
}

func (d *download) Name() string               { return d.name }
func (d *download) Stat() (os.FileInfo, error) { return d.entry.Info(), nil }

func (d *download) Read(p []byte) (int, error) {
	ctx := d.f.ctx()
	if d.err == nil && ctx.Err() != nil {
		d.end(translate(ctx, ctx.Err()))
	}
	if d.err == nil && d.d == nil {
		var err error
		if d.c, d.d, err = d.retrieve(d.pos, d.read); err != nil {
			d.end(translate(ctx, err))
		}
	}
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.d.Read(p)
	d.pos += int64(n)
	d.read = d.read || n > 0
	if err == io.EOF { //nolint:errorlint // a wrapped one is a failure
		d.release()
		if err := d.short(d.pos); err != nil {
			d.end(err)
			return n, d.err
		}
		d.err = io.EOF
		return n, io.EOF
	}
	if err != nil {
		d.end(translate(ctx, err))
		return n, d.err
	}
	return n, nil
}

// retrieve begins a transfer at an offset. If a part has been read, it is checked that the
// file is still the same: nobody may get a mixture.
func (d *download) retrieve(offset int64, check bool) (*ftpclient.Conn, *ftpclient.Download, error) {
	ctx := d.f.ctx()
	c, err := d.f.b.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	r, err := c.Retrieve(ctx, d.f.b.at(d.name), offset)
	if err != nil {
		err = d.f.gone(c, d.name, err)
		d.f.b.pool.Put(c)
		if isRefusal(err) && d.watch.changed.Load() {
			err = because(vfs.ErrTransient, err) // renamed away and back
		}
		return nil, nil, err
	}
	if check {
		if err = d.unchanged(); err != nil {
			_ = r.Abort() // Put looks at the connection
			d.f.b.pool.Put(c)
			return nil, nil, err
		}
	}
	return c, r, nil
}

// unchanged is asked while the transfer stands: what it sends was opened before.
func (d *download) unchanged() error {
	is, err := d.isSame()
	if err == nil && !is {
		err = fmt.Errorf("%w: the file changed while it was read", vfs.ErrTransient)
	}
	return err
}

// isSame reports whether the file is the one that was opened.
func (d *download) isSame() (bool, error) {
	if d.watch.changed.Load() {
		return false, nil
	}
	var e ftpclient.Entry
	err := d.f.b.with(d.f.ctx(), true, func(c *ftpclient.Conn) (err error) {
		e, err = d.f.stat(c, d.name)
		return err
	})
	return err == nil && same(e, d.entry) && !d.watch.changed.Load(), err
}

// same reports whether two entries are of the same version of a file, as far as the server tells.
func same(a, b ftpclient.Entry) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.Unique == b.Unique && a.IsDir() == b.IsDir()
}

// short is an error if the server called that the end of a file which it said is longer: there are some that say so when their disk or
// the program behind them fails. A file that has been replaced since it was opened may be shorter.
func (d *download) short(end int64) error {
	if d.entry.Type != ftp.TypeFile || end >= d.entry.Size {
		return nil
	}
	is, err := d.isSame()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !is {
		return nil
	}
	size := int64(-1)
	if err == nil { // of a link, proftpd tells by MLST how long the link is
		err = d.f.b.with(d.f.ctx(), true, func(c *ftpclient.Conn) (err error) {
			size, err = c.Size(d.f.ctx(), d.f.b.at(d.name))
			return err
		})
	}
	if err != nil && !isRefusal(err) {
		return translate(d.f.ctx(), err)
	}
	if size == end {
		return nil
	}
	return fmt.Errorf("%w: the server said it has %d bytes, and called %d the end", vfs.ErrTransient, d.entry.Size, end)
}

// Seek moves to a position; the transfer begins there at the next Read.
func (d *download) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += d.pos
	case io.SeekEnd:
		offset += d.entry.Size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, pathError("seek", d.name, fs.ErrInvalid)
	}
	if offset != d.pos && (d.err == nil || d.err == io.EOF) { //nolint:errorlint // Read's own
		d.release()
		d.pos, d.err = offset, nil
	}
	return offset, nil
}

// ReadAt is a transfer of its own.
func (d *download) ReadAt(p []byte, offset int64) (int, error) {
	c, r, err := d.retrieve(offset, d.read)
	if err != nil {
		return 0, translate(d.f.ctx(), err)
	}
	n, err := io.ReadFull(r, p)
	_ = r.Abort() // Put looks at the connection
	d.f.b.pool.Put(c)
	d.read = d.read || n > 0
	if err == io.ErrUnexpectedEOF { //nolint:errorlint // ReadFull's own
		err = io.EOF
	}
	if err == io.EOF { //nolint:errorlint // ReadFull's own
		if failed := d.short(offset + int64(n)); failed != nil {
			err = failed
		}
	}
	if err != nil && err != io.EOF { //nolint:errorlint // ReadFull's own
		err = translate(d.f.ctx(), err)
	}
	return n, err
}

func (d *download) end(err error) {
	d.release()
	d.err = pathError("read", d.name, err)
}

func (d *download) release() {
	if d.d != nil {
		_ = d.d.Abort() // Put looks at the connection
		d.f.b.pool.Put(d.c)
		d.c, d.d = nil, nil
	}
}

func (d *download) Close() error {
	d.release()
	d.f.b.names.ignore(d.watch)
	d.err = fs.ErrClosed
	return nil
}
