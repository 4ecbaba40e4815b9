package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Prints the version of ftpgate, the commit it was built from, and the Go version and platform it was built for.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), version(info)); err != nil {
				return failure{err}
			}
			return nil
		},
	}
}

// version describes a build from what the Go toolchain has put into it.
func version(info *debug.BuildInfo) string {
	number, commit, modified := "unknown", "", ""
	if info != nil {
		if v := info.Main.Version; v != "" {
			number = v
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = fmt.Sprintf(" (commit %.12s)", s.Value)
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = " with changes"
			}
		}
	}
	return fmt.Sprintf("ftpgate %s%s%s, %s %s/%s", number, commit, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
