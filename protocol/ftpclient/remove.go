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

// RemoveAll removes a file, or a directory with all that is in it. Links are removed, not followed: whatever the server
// takes for a directory is first asked to be deleted as a file, which a link is and a directory is not, since
// MLST, MLSD and CWD of many servers know no difference (proftpd, pyftpdlib; vsftpd has CWD alone). A path that does
// not exist is no error.
func (c *Conn) RemoveAll(ctx context.Context, path string) error {
	refused := c.Delete(ctx, path)
	if refused == nil || !isRefusal(refused) {
		return refused
	}
	e, err := c.Stat(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !e.IsDir():
		return refused
	}
	return c.removeTree(ctx, path, 0, 0)
}

// removeTree removes a directory that is no link. held is about what the directories above it hold.
func (c *Conn) removeTree(ctx context.Context, path string, depth, held int) error {
	if depth > maxDepth {
		return pathError("RMD", path, errDepth)
	}
	// The whole listing is read first: servers differ in what a listing shows that changes meanwhile.
	var names []ftp.Command
	var isDir []bool
	all := held
	for e, err := range c.List(ctx, path) {
		if err != nil {
			return err
		}
		below := join(path, e.Name)
		if all += entryOverhead + len(below); all > maxCollected {
			return pathError("RMD", path, fmt.Errorf("%w: too many entries to remove", ErrTooLong))
		}
		names, isDir = append(names, ftp.Command{Verb: "DELE", Arg: below, HasArg: true}), append(isDir, e.IsDir())
	}
	var dirs []string
	for i, r := range c.Batch(ctx, names) {
		switch {
		case r.Err == nil || errors.Is(r.Err, fs.ErrNotExist):
		case isDir[i] && isRefusal(r.Err):
			dirs = append(dirs, names[i].Arg)
			held += entryOverhead + len(names[i].Arg)
		default:
			return r.Err
		}
	}
	for _, d := range dirs {
		if err := c.removeTree(ctx, d, depth+1, held); err != nil {
			return err
		}
	}
	return c.RemoveDir(ctx, path)
}
