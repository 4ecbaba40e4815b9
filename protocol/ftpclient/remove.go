package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// RemoveDir removes an empty directory (RMD).
func (c *Conn) RemoveDir(ctx context.Context, path string) error {
	_, err := c.want(ctx, "RMD", path)
	return err
}

// RemoveAll removes a file, or a directory with all that is in it. Links are removed, not followed. A path that does not exist is no error.
func (c *Conn) RemoveAll(ctx context.Context, path string) error {
	e, err := c.Stat(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !e.IsDir():
		return c.Delete(ctx, path)
	}
	return c.removeTree(ctx, path, 0)
}

func (c *Conn) removeTree(ctx context.Context, path string, depth int) error {
	if depth > maxDepth {
		return pathError("RMD", path, errDepth)
	}
	// The whole listing is read first: servers differ in what a listing shows that changes meanwhile.
	var files []ftp.Command
	var dirs []string
	for e, err := range c.List(ctx, path) {
		if err != nil {
			return err
		}
		if len(files)+len(dirs) >= maxCollected {
			return pathError("RMD", path, fmt.Errorf("%w: more than %d entries to remove", ErrTooLong, maxCollected))
		}
		if below := join(path, e.Name); e.IsDir() {
			dirs = append(dirs, below)
		} else {
			files = append(files, ftp.Command{Verb: "DELE", Arg: below, HasArg: true})
		}
	}
	for _, r := range c.Batch(ctx, files) {
		if r.Err != nil {
			return r.Err
		}
	}
	for _, d := range dirs {
		if err := c.removeTree(ctx, d, depth+1); err != nil {
			return err
		}
	}
	return c.RemoveDir(ctx, path)
}
