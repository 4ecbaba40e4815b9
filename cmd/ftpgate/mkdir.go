package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

func newMkdirCommand() *cobra.Command {
	var parents bool
	cmd := &cobra.Command{
		Use:   "mkdir URL...",
		Short: "Make directories on an FTP server",
		Long:  "Makes directories on FTP servers.",
		Args:  cobra.MinimumNArgs(1),
	}
	cmd.Flags().BoolVarP(&parents, "parents", "p", false, "those above it, too; what is there already is no error")
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		return c.each(ctx, args, func(u remote.URL) error {
			path := trimSlash(u.Path)
			if path == "" || path == "/" {
				return usagef("%v names no directory to make", u)
			}
			err := c.on(ctx, u, func(conn *ftpclient.Conn) error {
				if parents {
					return conn.MakeDirAll(ctx, path)
				}
				_, err := conn.MakeDir(ctx, path)
				return err
			})
			if err == nil {
				c.done(event{Event: "done", Action: "mkdir", Path: u.String()})
			}
			return err
		})
	})
}
