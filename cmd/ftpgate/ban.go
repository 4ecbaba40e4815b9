package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/auth"
	"github.com/ftpgate/ftpgate/gateway"
)

func newBanCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ban",
		Short: "List and lift bans of a running gateway",
		Long: `Addresses with too many failed logins are banned for a while (the throttle
block of the configuration). These commands ask the running gateway, at the
address in the admin block of its configuration.`,
		Example: `  ftpgate ban list
  ftpgate ban lift 192.0.2.7
  ftpgate ban lift --all --config /etc/ftpgate/main.hcl`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return errors.New("say list or lift") },
	}
	cmd.AddCommand(newBanListCommand(), newBanLiftCommand())
	return cmd
}

func newBanListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Say who is banned, and until when",
		Args:  cobra.NoArgs,
	}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := newAdminClient(cmd, *path)
		if err != nil {
			return err
		}
		var list gateway.BanList
		if err := c.call(cmd.Context(), http.MethodGet, "/bans", &list); err != nil {
			return err
		}
		if err := printBans(cmd.OutOrStdout(), list.Bans); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

func printBans(w io.Writer, bans []auth.Ban) error {
	if len(bans) == 0 {
		_, err := fmt.Fprintln(w, "Nobody is banned.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NETWORK\tFAILURES\tSINCE\tUNTIL")
	for _, b := range bans {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", b.Name(), b.Failures, b.Since.Local().Format(time.DateTime), b.Until.Local().Format(time.DateTime))
	}
	return t.Flush()
}

func newBanLiftCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "lift {ADDRESS | --all}",
		Short: "Let an address connect again",
		Long: `Lifts the ban on an address, for IPv6 that on its /64, and forgets the
failures that led to it.`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&all, "all", false, "lift every ban")
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		target := "/bans"
		switch {
		case all == (len(args) == 1):
			return errors.New("name one address, or say --all")
		case !all:
			n, err := auth.ParseNetwork(args[0])
			if err != nil {
				return fmt.Errorf("%q: %w", args[0], err)
			}
			target += "/" + url.PathEscape(n.String())
		}
		c, err := newAdminClient(cmd, *path)
		if err != nil {
			return err
		}
		var done gateway.Lifted
		if err := c.call(cmd.Context(), http.MethodDelete, target, &done); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "Lifted %s.\n", count(done.Lifted, "ban")); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}
