package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway"
	"github.com/ftpgate/ftpgate/gateway/config"
)

// defaultConfig is where packages put the configuration.
const defaultConfig = "/etc/ftpgate"

// configFlag gives cmd the flag --config and returns where its value will be.
func configFlag(cmd *cobra.Command) *string {
	path := cmd.Flags().StringP("config", "c", defaultConfig, "configuration: a `FILE`, or a directory whose *.hcl files are read")
	cmd.MarkFlagFilename("config", "hcl") // shells go on to directories by themselves
	return path
}

// loadConfig reads a configuration with auth's idea of hashes and names, and the gateway's of certificates.
func loadConfig(path string) (*config.Config, config.Diagnostics) {
	return config.Load(path, config.Checks{
		Hash: func(h string) error { _, err := auth.ParseHash(h); return err },
		User: auth.ValidUser,
		Pair: gateway.CheckPair,
		Pool: gateway.CheckPool,
	})
}

// counts is "2 errors, 1 warning".
func counts(ds config.Diagnostics) string {
	errors, warnings := ds.Count()
	return count(errors, "error") + ", " + count(warnings, "warning")
}

// count is "no errors", "1 error", "2 errors".
func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
