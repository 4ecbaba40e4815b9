package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

func newGetCommand() *cobra.Command {
	var parallel int
	var goOn bool
	cmd := &cobra.Command{
		Use:   "get URL... [LOCAL]",
		Short: "Fetch files from an FTP server",
		Long: `Fetches files into the directory LOCAL, "." if there is none, or one file as
LOCAL. A file has its name only when it is whole; until then it is called
.ftpgate-part.NAME, and --continue goes on with that after a failure if the file on the
server is still the same. Whole directories are for mirror.`,
		Example: `  ftpgate get ftp://ftp.example.org/pub/a.iso
  ftpgate get --continue ftpes://alice@ftp.example.org/big.tar /srv/backup/`,
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().BoolVarP(&goOn, "continue", "C", false, "go on where an earlier run broke off")
	cmd.Flags().IntVarP(&parallel, "parallel", "P", 1, "fetch so many `FILES` at once")
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		c.o.Parallel = parallel
		local := "."
		if last := args[len(args)-1]; len(args) > 1 && !remote.IsURL(last) {
			local, args = last, args[:len(args)-1]
		}
		urls, err := c.urls(args)
		if err != nil {
			return err
		}
		dir, name := filepath.Split(local)
		switch i, err := os.Stat(local); {
		case local == "-":
			return usagef(`cat writes to standard output; a file that is called "-" is ./-`)
		case err == nil && i.IsDir():
			dir, name = local, ""
		}
		if len(urls) > 1 && name != "" {
			return usagef("%s is not a directory, and there is more than one file", local)
		}
		for _, u := range urls {
			if u.Dir() || u.Base() == "" {
				return usagef("%v is a directory; mirror fetches those", u)
			}
		}
		if twice := duplicate(urls, remote.URL.Base); twice != "" {
			return usagef("more than one file is called %q; one would replace the other", twice)
		}
		return c.get(ctx, urls, dir, name, goOn, parallel)
	})
}

// get fetches files into dir; one under another name, if name is given.
func (c *client) get(ctx context.Context, urls []remote.URL, dir, name string, goOn bool, parallel int) error {
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, u := range urls { // passwords are asked for one at a time
		if _, err := c.site(u); err != nil {
			return err
		}
	}
	c.expect(0)
	transfer.Each(ctx, parallel, slices.Values(urls), func(ctx context.Context, u remote.URL) {
		s, err := c.site(u)
		if err != nil {
			c.failed(u.String(), err)
			return
		}
		local := name
		if local == "" {
			local = u.Base()
		}
		var known *ftpclient.Entry
		if c.people {
			known = c.size(ctx, s, trimSlash(u.Path))
		}
		m := &transfer.Mover{Site: s, Root: root, Continue: goOn, Moved: c.mover()}
		begun := time.Now()
		r, err := m.Fetch(ctx, trimSlash(u.Path), local, known)
		c.transferred("get", u.String(), r, time.Since(begun), err)
	})
	return ctx.Err()
}

// size asks for the size of a file beforehand, for the bar.
func (c *client) size(ctx context.Context, s *remote.Site, path string) *ftpclient.Entry {
	conn, err := s.Get(ctx)
	if err != nil {
		return nil // who fetches tells
	}
	defer s.Put(conn)
	e, err := conn.Stat(ctx, path)
	if err != nil || e.IsDir() {
		return nil
	}
	c.expect(e.Size)
	return &e
}

// transferred tells what became of a file.
func (c *client) transferred(action, path string, r transfer.Result, took time.Duration, err error) {
	switch {
	case err != nil:
		c.failed(path, err)
	case r.Whole:
		c.done(event{Event: "skipped", Action: action, Path: path, Reason: "it is there already"})
	default:
		c.done(event{Event: "done", Action: action, Path: path, Bytes: r.Bytes, Resumed: r.Offset, Seconds: took.Seconds()})
		if c.people {
			c.say("%s  %d bytes in %v", printable(strings.TrimSpace(path)), r.Bytes, took.Round(10*time.Millisecond))
		}
	}
}
