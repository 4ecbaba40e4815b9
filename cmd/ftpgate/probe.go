package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/probe"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
)

// probeTimeout is shorter than that of the other verbs: here somebody waits for what does not answer.
const probeTimeout = 15 * time.Second

func newProbeCommand() *cobra.Command {
	var readOnly bool
	cmd := &cobra.Command{
		Use:   "probe {HOST[:PORT] | URL}",
		Short: "Say what is wrong with an FTP server",
		Long: `Tries on an FTP server what clients do: greeting, TLS versions and certificate,
login, features, latency, passive and active data connections, session reuse,
the address that PASV announces, IPv6, and, unless the login is anonymous, a small file
ftpgate-probe-*.tmp there and back. Each finding comes with what it means and
how to mend it. The exit code is 1 if there is a problem; notes and warnings are none.

With a HOST or ftp:// the login is under TLS if the server offers that.`,
		Example: `  ftpgate probe ftp.example.org
  ftpgate probe ftpes://alice@ftp.example.org/ --json`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "store no file")
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		text := args[0]
		if !remote.IsURL(text) {
			text = "ftp://" + strings.TrimSuffix(text, "/")
		}
		u, err := c.url(text)
		if err != nil {
			return err
		}
		if !c.cmd.Flags().Changed("timeout") {
			c.o.Timeout = probeTimeout
		}
		user, err := c.credentials(u)
		if err != nil {
			return err
		}
		o, err := c.o.ClientOptions(u)
		if err != nil {
			return err
		}
		o.Active, o.KeepAlive = false, 0
		problems := probe.Run(ctx, probe.Options{URL: u, User: user, Client: o, Write: !readOnly, Tell: c.finding})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if problems > 0 {
			return failure{} // all is said
		}
		return nil
	})
}

// finding prints one.
func (c *client) finding(f probe.Finding) {
	if c.json {
		c.object(f)
		return
	}
	c.print("%-8s %-14s %s\n", f.State, f.Check, printable(strings.ReplaceAll(f.Text, "\n", ": ")))
	if f.Means != "" {
		c.print("%-23s means: %s\n", "", f.Means)
	}
	if f.Mend != "" && f.State != probe.OK {
		c.print("%-23s mend:  %s\n", "", f.Mend)
	}
}
