package main

import (
	"github.com/spf13/cobra"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ftpgate",
		Short: "An FTP gateway to directories, memory and object stores",
		Long: `ftpgate is an FTP gateway: devices and plain FTP clients talk to it, and
behind it each user has a directory, a bucket or a tree in memory, as the
configuration says.

Exit codes:
  0  all is well
  1  the configuration is wrong, or something failed while running
  2  the command line is wrong`,
		Example: `  ftpgate serve --config ftp.hcl    run the gateway
  ftpgate hash                      make a password hash for the configuration
  ftpgate check --config ftp.hcl    say what is wrong with a configuration`,
		SilenceErrors: true, // main prints them, once
		SilenceUsage:  true,
	}
	root.AddCommand(
		newServeCommand(),
		newCheckCommand(),
		newHashCommand(),
		newBanCommand(),
		newS3Command(),
		newVersionCommand(),
	)
	return root
}
