package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

func newLsCommand() *cobra.Command {
	var l lister
	cmd := &cobra.Command{
		Use:   "ls URL...",
		Short: "List a directory of an FTP server",
		Long: `Lists directories of FTP servers, as they come: permissions, size, time and name.
Times are those of this machine's zone; with --json they are UTC.`,
		Example: `  ftpgate ls ftp://ftp.example.org/pub/
  ftpgate ls -R --json ftpes://alice@ftp.example.org/`,
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().BoolVarP(&l.names, "names", "1", false, "names only")
	cmd.Flags().BoolVarP(&l.recursive, "recursive", "R", false, "and everything below")
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		l := lister{client: c, names: l.names, recursive: l.recursive}
		return c.each(ctx, args, func(u remote.URL) error { return l.list(ctx, u) })
	})
}

type lister struct {
	*client
	names, recursive bool
}

// list lists what a URL stands for. It begins again after a failure only if nothing was printed yet.
func (l lister) list(ctx context.Context, u remote.URL) error {
	s, err := l.site(u)
	if err != nil {
		return err
	}
	printed := false
	var broken error
	err = s.Do(ctx, func(c *ftpclient.Conn) error {
		err := l.one(ctx, c, u, &printed)
		if printed {
			broken = err
			return nil
		}
		return err
	})
	if broken != nil {
		return broken
	}
	return err
}

func (l lister) one(ctx context.Context, c *ftpclient.Conn, u remote.URL, printed *bool) error {
	path := trimSlash(u.Path)
	if !u.Dir() {
		e, err := c.Stat(ctx, path)
		if err != nil {
			return err
		}
		if !e.IsDir() {
			*printed = true
			l.entry(path, e)
			return nil
		}
	}
	if !l.recursive {
		for e, err := range c.List(ctx, path) {
			if err != nil {
				return err
			}
			*printed = true
			l.entry(e.Name, e)
		}
		return nil
	}
	for e, err := range c.Walk(ctx, path) {
		switch {
		case err != nil && (!*printed || !c.Usable()):
			return err
		case err != nil:
			l.failed(e.Path, err)
			continue
		}
		*printed = true
		l.entry(e.Path, e.Entry)
	}
	return nil
}

// listed is an entry for --json.
type listed struct {
	Name   string     `json:"name"`
	Type   string     `json:"type"`
	Size   *int64     `json:"size,omitempty"`
	Time   *time.Time `json:"time,omitempty"`
	Mode   string     `json:"mode,omitempty"`
	Owner  string     `json:"owner,omitempty"`
	Group  string     `json:"group,omitempty"`
	Target string     `json:"target,omitempty"`
}

func (l lister) entry(name string, e ftpclient.Entry) {
	switch {
	case l.json:
		o := listed{Name: name, Type: kind(e), Owner: e.Owner, Group: e.Group, Target: e.Target}
		if e.Size >= 0 {
			o.Size = &e.Size
		}
		if !e.ModTime.IsZero() {
			o.Time = &e.ModTime
		}
		if e.HasMode {
			o.Mode = fmt.Sprintf("%04o", e.Mode.Perm())
		}
		l.object(o)
	case l.names:
		l.print("%s\n", printable(name))
	default:
		size, when := "-", "-"
		if e.Size >= 0 {
			size = strconv.FormatInt(e.Size, 10)
		}
		if !e.ModTime.IsZero() {
			when = e.ModTime.Local().Format("2006-01-02 15:04")
		}
		if e.Target != "" {
			name += " -> " + e.Target
		}
		l.print("%s %14s  %-16s  %s\n", mode(e), size, when, printable(name))
	}
}

func kind(e ftpclient.Entry) string {
	switch {
	case e.IsDir():
		return "dir"
	case e.Type == ftp.TypeLink:
		return "link"
	case e.Type == ftp.TypeFile:
		return "file"
	}
	return "other"
}

// mode is the first column of `ls -l`; what the server does not tell is "?".
func mode(e ftpclient.Entry) string {
	first := map[string]string{"dir": "d", "link": "l", "file": "-", "other": "?"}[kind(e)]
	if !e.HasMode {
		return first + "?????????"
	}
	return first + e.Mode.Perm().String()[1:]
}
