package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

func newMvCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mv URL {URL | PATH}",
		Short: "Rename files and directories on an FTP server",
		Long: `Renames a file or directory to a path on the same server (from the directory of the
login, unless it begins with "/") or, if that ends in "/", into that directory. What happens to a file that has the new name already
is for the server to decide.`,
		Example: `  ftpgate mv ftpes://alice@ftp.example.org/a.txt archive/a.txt`,
		Args:    cobra.ExactArgs(2),
	}
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		from, err := c.url(args[0])
		if err != nil {
			return err
		}
		to := from.With(args[1])
		if remote.IsURL(args[1]) {
			if to, err = c.url(args[1]); err != nil {
				return err
			}
			if to.Address() != from.Address() || to.Scheme != from.Scheme || to.User != "" && to.User != from.User {
				return usagef("both must be on the same server, for the same user")
			}
		}
		if from.Base() == "" {
			return usagef("%v is the root of a server, or of a login; it is not renamed", from)
		}
		if to.Dir() {
			to = to.With(to.Path + from.Base())
		}
		err = c.on(ctx, from, func(conn *ftpclient.Conn) error {
			return conn.Rename(ctx, trimSlash(from.Path), trimSlash(to.Path))
		})
		if err == nil {
			c.done(event{Event: "done", Action: "mv", Path: from.With(trimSlash(to.Path)).String()})
		}
		return err
	})
}
