package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/gateway"
)

func newServeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: `Runs the gateway until it is told to stop. The log goes to the standard
error output: for a person on a terminal, as JSON elsewhere.

SIGINT or SIGTERM stop it in good order: no new connections are taken, idle
sessions are told goodbye, and running transfers may finish for as long as
limits.shutdown_timeout says. A second signal ends it at once. Uploads that
have not finished are never published.`,
		Example: `  ftpgate serve
  ftpgate serve --config /etc/ftpgate/main.hcl`,
		Args: cobra.NoArgs,
	}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		errOut := cmd.ErrOrStderr()
		c, ds := loadConfig(*path)
		color, width := appearance(errOut)
		if err := ds.Write(errOut, color, width); err != nil {
			return failure{err}
		}
		if c == nil {
			return failure{} // all is said
		}
		log := gateway.NewLog(errOut, c.Log)
		g, err := gateway.New(c, log)
		if err != nil {
			return failure{err}
		}
		if err := runUntilSignal(cmd.Context(), g); err != nil {
			return failure{err}
		}
		return nil
	}
	return cmd
}

// runUntilSignal serves until a signal or the failure of a listener.
func runUntilSignal(ctx context.Context, g *gateway.Gateway) error {
	signalled, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	err := g.Listen(signalled)
	if err != nil {
		return errors.Join(err, g.Shutdown(ctx))
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Serve() }()
	select {
	case err = <-ended:
		g.Shutdown(ctx)
	case <-signalled.Done():
		restore() // from here on a signal has its usual effect
		g.Shutdown(context.WithoutCancel(ctx))
		err = <-ended
	}
	if errors.Is(err, gateway.ErrClosed) {
		return nil
	}
	return err
}
