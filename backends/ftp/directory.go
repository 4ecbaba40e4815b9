package ftp

import (
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// directory is a directory opened for reading. The server is asked to list it at the first
// Readdir, and holds a connection until the end of it or Close.
type directory struct {
	vfs.Refused
	f    filesystem
	name string
	info fs.FileInfo

	c    *ftpclient.Conn
	next func() (ftpclient.Entry, error, bool) //nolint:staticcheck // iter.Pull2's order
	stop func()
	old  []string // leftovers
	err  error    // how the listing ended, io.EOF if well
}

func (d *directory) Name() string               { return d.name }
func (d *directory) Stat() (os.FileInfo, error) { return d.info, nil }

// Read of a directory is no end of file.
func (d *directory) Read([]byte) (int, error) { return 0, pathError("read", d.name, vfs.ErrIsDir) }

// Readdir streams, in the server's order.
func (d *directory) Readdir(n int) (all []os.FileInfo, err error) {
	for n <= 0 || len(all) < n {
		e, err := d.entry()
		switch {
		case err == nil:
			all = append(all, e.Info())
		case err == io.EOF && (n <= 0 || len(all) > 0): //nolint:errorlint // entry's own
			return all, nil
		case err == io.EOF: //nolint:errorlint // entry's own
			return nil, io.EOF
		default:
			return all, pathError("readdir", d.name, err)
		}
	}
	return all, nil
}

func (d *directory) Readdirnames(n int) ([]string, error) {
	all, err := d.Readdir(n)
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = e.Name()
	}
	return names, err
}

// entry returns the next entry that clients may see.
func (d *directory) entry() (ftpclient.Entry, error) {
	ctx := d.f.ctx()
	for d.err == nil {
		if err := ctx.Err(); err != nil {
			d.end(translate(ctx, err))
			break
		}
		if d.next == nil {
			c, err := d.f.b.get(ctx)
			if err != nil {
				d.end(translate(ctx, err))
				break
			}
			d.c = c
			d.next, d.stop = iter.Pull2(c.List(ctx, d.f.b.at(d.name)))
		}
		e, err, more := d.next()
		switch {
		case !more:
			d.end(io.EOF)
		case err != nil:
			d.end(translate(ctx, d.f.gone(d.c, d.name, err)))
		case d.f.b.isReserved("/" + e.Name):
			if len(d.old) < maxLeftovers && d.f.b.isLeftover(d.name, e.Name, time.Now()) {
				d.old = append(d.old, vfs.Join(d.name, e.Name))
			}
		default:
			return e, nil
		}
	}
	return ftpclient.Entry{}, d.err
}

// end gives the connection back.
func (d *directory) end(err error) {
	d.err = err
	if d.stop != nil {
		d.stop()
	}
	if d.c == nil {
		return
	}
	if err == io.EOF { //nolint:errorlint // entry's own
		d.f.b.removeLeftovers(d.f.ctx(), d.c, d.old)
	}
	d.f.b.pool.Put(d.c)
	d.c = nil
}

func (d *directory) Close() error {
	if d.err == nil {
		d.end(fs.ErrClosed)
	}
	return nil
}
