package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/gateway"
	"github.com/ftpgate/ftpgate/gateway/config"
)

func newCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with a configuration",
		Long: `Reads a configuration as serve would and prints every mistake in it, with
file, line and a caret under the words that are meant; then, if there is
none, what would be served. Nothing is opened, listened on or created.

With --connect it also asks every object store that somebody uses whether it
can do what the gateway needs: it stores, copies and deletes objects whose names begin with
.ftpgate-probe- below the prefix, 10 MiB in all, and says which IAM action is missing.
It deletes them when it is interrupted, too. Where nobody may change anything, it only reads.

It logs in to every upstream FTP server as well, and where it may write it stores, renames and deletes
small files whose names begin with .ftpgate- below the root.

Warnings are for things that work and are probably not wanted. Only errors
make the exit code 1.`,
		Example: `  ftpgate check
  ftpgate check --config /etc/ftpgate/main.hcl
  ftpgate check --connect`,
		Args: cobra.NoArgs,
	}
	var connect bool
	cmd.Flags().BoolVar(&connect, "connect", false, "try the object stores and upstream servers, too")
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return check(cmd.Context(), cmd.OutOrStdout(), *path, connect)
	}
	return cmd
}

func check(ctx context.Context, out io.Writer, path string, connect bool) error {
	c, ds := loadConfig(path)
	color, width := appearance(out)
	if err := ds.Write(out, color, width); err != nil {
		return failure{err}
	}
	if c != nil {
		if err := summarize(out, c); err != nil {
			return failure{err}
		}
	}
	failed := 0
	if c != nil && connect {
		var err error
		if failed, err = printProbes(out, gateway.Probe(ctx, c)); err != nil {
			return failure{err}
		}
	}
	tried := ""
	if failed > 0 {
		tried = "; not all works in " + count(failed, "backend")
	}
	if _, err := fmt.Fprintf(out, "%s: %s%s.\n", path, counts(ds), tried); err != nil {
		return failure{err}
	}
	if c == nil || failed > 0 {
		return failure{} // all is said
	}
	return nil
}

// summarize says what c serves.
func summarize(w io.Writer, c *config.Config) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range c.Listeners {
		ports := "any port"
		if l.PassivePorts != (config.PortRange{}) {
			ports = fmt.Sprintf("ports %d to %d", l.PassivePorts.First, l.PassivePorts.Last)
		}
		fmt.Fprintf(t, "listener %q\t%v\tpassive on %s\n", l.Name, l.Address, ports)
	}
	if c.Anonymous != nil {
		fmt.Fprintf(t, "anonymous\tread-only\ton %v\n", c.Anonymous.Filesystem)
	}
	for _, u := range c.Users {
		fmt.Fprintf(t, "user %q\t%s\ton %v\n", u.Name, u.Access, u.Filesystem)
	}
	return t.Flush()
}
