package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
)

func newCatCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cat URL...",
		Short: "Write files of an FTP server to standard output",
		Long: `Writes files of FTP servers to standard output, one after the other. A transfer
that breaks off goes on where it was, as long as the file is the same.`,
		Example: `  ftpgate cat ftp://ftp.example.org/pub/README | less`,
		Args:    cobra.MinimumNArgs(1),
	}
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		return c.each(ctx, args, func(u remote.URL) error {
			s, err := c.site(u)
			if err != nil {
				return err
			}
			m := &transfer.Mover{Site: s}
			return m.Cat(ctx, trimSlash(u.Path), c.out)
		})
	})
}
