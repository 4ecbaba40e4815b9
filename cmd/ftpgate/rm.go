package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

func newRmCommand() *cobra.Command {
	var recursive, force bool
	cmd := &cobra.Command{
		Use:   "rm URL...",
		Short: "Remove files and directories from an FTP server",
		Long: `Removes files, empty directories if the URL ends in "/", and with --recursive
directories with everything in them. Links are removed, not followed.`,
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().BoolVarP(&recursive, "recursive", "r", false, "directories with everything in them")
	cmd.Flags().BoolVarP(&force, "force", "f", false, "what is not there is no error")
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		return c.each(ctx, args, func(u remote.URL) error {
			path := trimSlash(u.Path)
			switch u.Base() {
			case "", ".", "..": // which a server may take for all there is
				return usagef("%v is the root of a server or of a login, or ends in . or ..; it is not removed", u)
			}
			err := c.on(ctx, u, func(conn *ftpclient.Conn) error {
				switch {
				case recursive:
					if _, err := conn.Stat(ctx, path); err != nil && !force {
						return err
					}
					return conn.RemoveAll(ctx, path)
				case u.Dir():
					return conn.RemoveDir(ctx, path)
				}
				return conn.Delete(ctx, path)
			})
			if force && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil {
				c.done(event{Event: "done", Action: "rm", Path: u.String()})
			}
			return err
		})
	})
}
