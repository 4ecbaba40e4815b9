package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// clientHelp ends the help of every verb of the client.
const clientHelp = `

URLs are ftp://HOST/PATH (no TLS), ftpes://HOST/PATH (TLS by AUTH TLS) or
ftps://HOST/PATH (TLS from the first byte, port 990). A path is relative to the
directory that the login leads to; %2F or a second slash at its beginning makes
it absolute: ftp://HOST/%2Fetc/motd. A "/" at its end says: a directory.

User and password are taken from the environment (FTPGATE_USER, FTPGATE_PASSWORD,
FTPGATE_ACCOUNT), from ~/.netrc, or asked for on a terminal; without a user the
login is anonymous. ftp://USER:PASSWORD@HOST/ works, but everybody on the machine
can read a command line.`

// client is what all verbs of the client share: their flags, and the servers that they talk to.
type client struct {
	o       remote.Options
	netrc   string
	proxy   string
	zone    string
	json    bool
	quiet   bool
	verbose bool

	cmd   *cobra.Command
	sites map[string]*remote.Site
	*report
}

// newClientCommand adds the common flags to a verb. run is given a client that works for as long as it runs; its errors are failures
// of the work unless they are usage errors.
func newClientCommand(cmd *cobra.Command, run func(ctx context.Context, c *client, args []string) error) *cobra.Command {
	c := &client{cmd: cmd, sites: make(map[string]*remote.Site)}
	cmd.Long += clientHelp
	f := cmd.Flags()
	f.StringVar(&c.o.CAFile, "ca-file", "", "trust certificates signed by those in this `FILE` (PEM) only")
	f.BoolVar(&c.o.Insecure, "insecure", false, "do not check certificates")
	f.BoolVar(&c.o.Active, "active", false, "let the server connect back for data (EPRT, PORT)")
	f.StringVar(&c.proxy, "proxy", "", "connect through the proxy at this `URL`: socks5://HOST:PORT or http://HOST:PORT (CONNECT)")
	f.StringVar(&c.zone, "time-zone", "UTC", "`ZONE` of times in listings of servers without MLSD, such as Europe/Berlin or Local")
	f.StringVar(&c.netrc, "netrc", "", "read credentials from this `FILE` instead of ~/.netrc")
	f.DurationVar(&c.o.Timeout, "timeout", 60*time.Second, "give up after this `TIME` without an answer or a byte, such as 90s")
	f.IntVar(&c.o.Backoff.Retries, "retries", 5, "try again so many `TIMES` when the server or the network fails for a while")
	f.BoolVar(&c.json, "json", false, "print one JSON object per line")
	f.BoolVarP(&c.quiet, "quiet", "q", false, "print nothing but what was asked for, and errors")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "show commands and replies; passwords are hidden")
	cmd.MarkFlagFilename("ca-file")
	cmd.MarkFlagFilename("netrc")
	args := cmd.Args
	cmd.Args = func(cmd *cobra.Command, all []string) error {
		if args(cmd, all) != nil {
			return fmt.Errorf("the arguments are: %s", cmd.UseLine())
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if c.o.Timeout <= 0 || c.o.Backoff.Retries < 0 || c.o.Parallel < 0 {
			return errors.New("--timeout, --retries and --parallel cannot be negative or no time at all")
		}
		if err := c.options(); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		// The first signal ends transfers in good order; the second ends the program, whatever it waits for.
		defer context.AfterFunc(ctx, stop)()
		c.start()
		defer c.close()
		err := run(ctx, c, args)
		c.finish()
		var usage usageError
		var f failure
		switch {
		case err == nil && c.failures() == 0:
			return nil
		case err == nil:
			return failure{} // all is said
		case errors.As(err, &usage):
			return usage.error
		case errors.As(err, &f):
			return f
		case ctx.Err() != nil && c.failures() > 0:
			return failure{} // that it was interrupted is told of each file
		}
		if c.json {
			c.failed("", err)
			return failure{}
		}
		return failure{plain(err)}
	}
	return cmd
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// options reads the flags that are more than a value.
func (c *client) options() (err error) {
	if c.o.TimeZone, err = time.LoadLocation(c.zone); err != nil {
		return errors.New("--time-zone: no such zone is known here; one looks like Europe/Berlin")
	}
	if c.proxy == "" {
		return nil
	}
	u, err := url.Parse(c.proxy)
	if err != nil || u.Hostname() == "" { // which may quote a password
		return errors.New("--proxy: a proxy looks like socks5://host:1080 or http://user:password@host:8080")
	}
	if c.o.Active {
		return errors.New("--proxy: a server cannot connect back through a proxy; leave out --active")
	}
	if c.o.Dialer, err = ftpclient.Proxy(u, nil); err != nil {
		return errors.New("--proxy: there are socks5:// and http:// only")
	}
	return nil
}

func (c *client) start() {
	c.report = newReport(c.cmd.OutOrStdout(), c.cmd.ErrOrStderr(), c.json, c.quiet)
	c.o.Warn = c.warn
	c.o.Backoff.Again = func(err error, wait time.Duration) {
		c.note("%v; trying again in %v", plain(err), wait.Round(100*time.Millisecond))
	}
	if c.verbose {
		c.o.Trace = &ftpclient.Trace{
			Sent:     func(line string) { c.say("> %s", printable(line)) },
			Received: func(r ftp.Reply) { c.say("< %d %s", r.Code, printable(strings.Join(r.Lines, " | "))) },
		}
	}
}

func (c *client) close() {
	for _, s := range c.sites {
		s.Close()
	}
}

// url reads an argument.
func (c *client) url(text string) (remote.URL, error) {
	u, err := remote.ParseURL(text)
	if err != nil {
		return u, usageError{err}
	}
	return u, nil
}

// urls reads arguments, all before the first connection.
func (c *client) urls(args []string) ([]remote.URL, error) {
	all := make([]remote.URL, len(args))
	for i, a := range args {
		u, err := c.url(a)
		if err != nil {
			if len(args) > 1 {
				return nil, usagef("argument %d: %w", i+1, err)
			}
			return nil, err
		}
		all[i] = u
	}
	return all, nil
}

// credentials finds what to log in with.
func (c *client) credentials(u remote.URL) (remote.Credentials, error) {
	s := remote.Sources{Getenv: os.Getenv, Netrc: c.netrc, Warn: c.warn}
	if fd, ok := terminal(c.cmd.InOrStdin()); ok {
		s.Ask = func(question string) (string, error) { return hidden(fd, c.cmd.ErrOrStderr(), question) }
	}
	return s.Find(u)
}

// site is the server of a URL; the same for all URLs of one server and user.
func (c *client) site(u remote.URL) (*remote.Site, error) {
	key := u.Site()
	if s, ok := c.sites[key]; ok {
		return s, nil
	}
	user, err := c.credentials(u)
	if err != nil {
		return nil, err
	}
	s, err := remote.Open(u, user, c.o)
	if err != nil {
		return nil, err
	}
	c.sites[key] = s
	return s, nil
}

// on does something once on the server of a URL; only connecting is tried again.
func (c *client) on(ctx context.Context, u remote.URL, work func(conn *ftpclient.Conn) error) error {
	s, err := c.site(u)
	if err != nil {
		return err
	}
	conn, err := s.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Put(conn)
	return work(conn)
}

// each does something for every URL; what fails is told, and the others are done all the same.
func (c *client) each(ctx context.Context, args []string, work func(u remote.URL) error) error {
	urls, err := c.urls(args)
	if err != nil {
		return err
	}
	for _, u := range urls {
		if err := work(u); err != nil {
			var usage usageError
			if len(urls) == 1 && !c.json || ctx.Err() != nil || errors.As(err, &usage) {
				return err
			}
			c.failed(u.String(), err)
		}
	}
	return nil
}

// localOps are what Go calls that of this machine which failed.
var localOps = map[string]bool{"open": true, "openat": true, "stat": true, "statat": true, "lstat": true, "mkdir": true, "mkdirat": true}

// plain makes an error of the client readable for who has not written it.
func plain(err error) error {
	text := err.Error()
	var call *os.SyscallError
	if errors.As(err, &call) {
		text = strings.Replace(text, call.Syscall+": ", "", 1)
	}
	var local *fs.PathError
	if errors.As(err, &local) && localOps[local.Op] {
		text = strings.Replace(text, local.Op+" "+local.Path, local.Path, 1)
	}
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
		if kept := (*transfer.KeptError)(nil); errors.As(err, &kept) {
			text += kept.Note()
		}
	}
	text = strings.ReplaceAll(text, "ftpclient: ", "")
	text = strings.ReplaceAll(text, "\n", ": ") // errors.Join
	return errors.New(printable(text))
}

// printable replaces what would command the terminal instead of being shown on it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7F <= r && r < 0xA0 {
			return '?'
		}
		return r
	}, s)
}

// newClientCommands are the verbs of the client.
func newClientCommands() []*cobra.Command {
	return []*cobra.Command{
		newLsCommand(), newCatCommand(), newGetCommand(), newPutCommand(),
		newRmCommand(), newMkdirCommand(), newMvCommand(), newMirrorCommand(), newProbeCommand(),
	}
}

// trimSlash is a path as it is sent: "pub/" is "pub", "/" stays.
func trimSlash(path string) string {
	if t := strings.TrimRight(path, "/"); t != "" || path == "" {
		return t
	}
	return "/"
}
