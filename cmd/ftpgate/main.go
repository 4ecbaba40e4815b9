package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Exit codes; the root command's help documents them.
const (
	exitOK      = 0
	exitFailure = 1 // the configuration or the work
	exitUsage   = 2 // the command line
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if f := (failure{}); errors.As(err, &f) {
		if f.error != nil {
			fmt.Fprintf(errOut, "ftpgate: %v\n", f.error)
		}
		return exitFailure
	}
	fmt.Fprintf(errOut, "ftpgate: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
	return exitUsage
}

// failure is what a subcommand returns when the command line was right and the
// work failed; any other error is about the command line. failure{} has nothing
// to add to what was printed already.
type failure struct{ error }
