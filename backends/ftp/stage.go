package ftp

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// errChanged: somebody published under the name meanwhile (contract, 4).
var errChanged = fmt.Errorf("%w: the file to continue has changed", vfs.ErrTransient)

// stage begins an upload that continues a file: what is kept of it streams from the server and back.
func (u *upload) stage() error {
	switch {
	case u.u != nil || u.err != nil:
		return nil
	case u.keep < 0: // no Seek
		return fs.ErrInvalid
	}
	ctx := u.f.ctx()
	if err := ctx.Err(); err != nil {
		return err
	}
	from, err := u.two(ctx)
	if err != nil {
		return err
	}
	if from != nil {
		defer u.f.b.pool.Put(from)
	}
	if u.watch.changed.Load() {
		return errChanged
	}
	if err := u.begin(); err != nil || u.keep == 0 {
		return err
	}
	head, err := from.Retrieve(ctx, u.f.b.at(u.from), 0)
	switch {
	case err != nil && u.from != u.name && isRefusal(err):
		if !isTransient(err) {
			u.f.b.dropTemp(u.f.key(u.name), u.from) // or SIZE would tell of it until it expires
		}
		return fmt.Errorf("%w: what was held is gone", errChanged) // another session has gone on with it, or somebody has deleted it
	case err != nil:
		return u.f.gone(from, u.name, err)
	}
	defer head.Abort() //nolint:errcheck // Put looks at the connection
	var n int64
	u.patient(func() { n, err = io.CopyN(u.u, head, u.keep) })
	switch {
	case err == io.EOF: //nolint:errorlint // CopyN's own
		return fmt.Errorf("%w (%d bytes instead of %d)", errChanged, n, u.size)
	case err != nil:
		return err
	case u.keep < u.size:
		return nil
	}
	// The whole of it: the server must agree that this was all.
	switch n, err := head.Read(make([]byte, 1)); {
	case n > 0:
		return fmt.Errorf("%w (it is longer)", errChanged)
	case err != io.EOF: //nolint:errorlint // a wrapped one is a failure
		return err
	}
	return nil
}

// two takes the connections for both directions, or one if nothing is kept. Only one upload at a
// time waits for two of them, so that two cannot wait for each other.
func (u *upload) two(ctx context.Context) (from *ftpclient.Conn, err error) {
	b := u.f.b
	wait, cancel := context.WithTimeoutCause(ctx, waitForConnection, errAllInUse)
	defer cancel()
	select {
	case b.stager <- struct{}{}:
		defer func() { <-b.stager }()
	case <-wait.Done():
		return nil, context.Cause(wait)
	}
	if u.keep > 0 {
		if from, err = b.get(ctx); err != nil {
			return nil, err
		}
	}
	if u.c, err = b.get(ctx); err != nil && from != nil {
		b.pool.Put(from)
	}
	return from, err
}
