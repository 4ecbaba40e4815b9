package main

import (
	"github.com/spf13/cobra"
)

// The groups of subcommands in the help.
const (
	gatewayGroup = "gateway"
	clientGroup  = "client"
)

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ftpgate",
		Short: "An FTP gateway to directories, memory and object stores",
		Long: `ftpgate is an FTP gateway: devices and plain FTP clients talk to it, and
behind it each user has a directory, a bucket or a tree in memory, as the
configuration says. It is also a client for FTP servers of any kind.

Exit codes:
  0  all is well
  1  the configuration is wrong, or something failed while running
  2  the command line is wrong`,
		Example: `  ftpgate serve --config ftp.hcl    run the gateway
  ftpgate hash                      make a password hash for the configuration
  ftpgate check --config ftp.hcl    say what is wrong with a configuration
  ftpgate mirror ftpes://alice@ftp.example.org/pub ./pub
  ftpgate probe ftp.example.org     say what is wrong with a server`,
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
	root.AddGroup(&cobra.Group{ID: clientGroup, Title: "A client for any FTP server:"}, &cobra.Group{ID: gatewayGroup, Title: "The gateway:"})
	for _, c := range root.Commands() {
		c.GroupID = gatewayGroup
	}
	for _, c := range newClientCommands() {
		c.GroupID = clientGroup
		root.AddCommand(c)
	}
	return root
}
