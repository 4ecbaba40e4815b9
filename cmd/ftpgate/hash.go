package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ftpgate/ftpgate/auth"
)

func newHashCommand() *cobra.Command {
	var algorithm string
	cmd := &cobra.Command{
		Use:   "hash",
		Short: "Make a password hash for the configuration",
		Long: `Asks for a password twice without showing it, or reads it as one line from
standard input if that is not a terminal, and prints its hash: the value for
password_hash in a user block.

argon2id (the default) takes passwords of any length and costs about 20 ms and
19 MiB for each login. bcrypt is for hashes that other programs have to read
too; it takes passwords of up to 72 bytes and costs about 200 ms. Every failed
login costs as much as the dearest hash in the configuration.`,
		Example: `  ftpgate hash
  pass show ftp/scanner | ftpgate hash --algorithm bcrypt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(auth.Algorithms(), algorithm) {
				return fmt.Errorf("unknown algorithm %q: there are %s", algorithm, strings.Join(auth.Algorithms(), " and "))
			}
			password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return failure{err}
			}
			hash, err := auth.NewHash(password, algorithm)
			if err != nil {
				return failure{err}
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), hash); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&algorithm, "algorithm", "a", auth.DefaultAlgorithm, "`NAME` of the algorithm: "+strings.Join(auth.Algorithms(), " or "))
	cmd.RegisterFlagCompletionFunc("algorithm", cobra.FixedCompletions(auth.Algorithms(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// readPassword asks on a terminal, with the questions on ask, and reads one line
// from anything else.
func readPassword(in io.Reader, ask io.Writer) (string, error) {
	if fd, ok := terminal(in); ok {
		return twice(func(question string) (string, error) { return hidden(fd, ask, question) })
	}
	return oneLine(in)
}

// twice asks for a password and for its repetition.
func twice(ask func(question string) (string, error)) (string, error) {
	first, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", errors.New("no password given")
	}
	second, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

// hidden reads a line from a terminal without echo. A signal that ends the
// program must not leave the terminal like that.
func hidden(fd int, ask io.Writer, question string) (string, error) {
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	signals, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer close(ended)
		select {
		case <-signals:
			term.Restore(fd, state)
			fmt.Fprintln(ask)
			os.Exit(exitFailure)
		case <-done:
		}
	}()
	defer func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}()
	fmt.Fprint(ask, question)
	password, err := term.ReadPassword(fd)
	fmt.Fprintln(ask) // the user's own line end was not shown either
	if err == io.EOF {
		err = errors.New("no password given")
	}
	return string(password), err
}

// maxPassword bounds a line of standard input, in bytes.
const maxPassword = 4096

// oneLine reads a password up to the end of its line, or of the input.
func oneLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, maxPassword+1)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	if len(line) > maxPassword {
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" {
		return "", errors.New("no password on standard input")
	}
	return line, nil
}
