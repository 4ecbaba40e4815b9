package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
)

func newPutCommand() *cobra.Command {
	var parallel int
	var goOn, inPlace bool
	cmd := &cobra.Command{
		Use:   "put LOCAL... URL",
		Short: "Store files on an FTP server",
		Long: `Stores files under the name in the URL or, if that ends in "/", in that
directory. "-" is standard input.

A file is sent as .ftpgate-part.* and gets its name when it is whole, unless
the server says that renaming is not allowed. --in-place sends it under its name
from the start: for servers that show nothing half (ftpgate is one), for those where the
existing file's owner and permissions must stay, and where files are taken away at once, whatever they are called.

--continue goes on with what an earlier run of the same file, by size and time, has
left, or else appends to what stands under the final name, which is believed to be the
beginning of the same file.`,
		Example: `  ftpgate put a.pdf b.pdf ftpes://scanner@ftp.example.org/inbox/
  tar c . | ftpgate put - ftpes://alice@ftp.example.org/backup.tar`,
		Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().BoolVarP(&goOn, "continue", "C", false, "go on where an earlier run broke off")
	cmd.Flags().BoolVar(&inPlace, "in-place", false, "store under the final name at once, not under a temporary one")
	cmd.Flags().IntVarP(&parallel, "parallel", "P", 1, "store so many `FILES` at once")
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		c.o.Parallel = parallel
		files := args[:len(args)-1]
		u, err := c.url(args[len(args)-1])
		if err != nil {
			return err
		}
		switch {
		case len(files) > 1 && !u.Dir():
			return usagef(`the URL does not end in "/", and there is more than one file`)
		case slices.Contains(files, "-") && (len(files) > 1 || u.Dir() || goOn):
			return usagef("standard input is one file, needs a name in the URL, and cannot be continued")
		}
		if twice := duplicate(files, filepath.Base); twice != "" && u.Dir() {
			return usagef("more than one file is called %q; one would replace the other", twice)
		}
		s, err := c.site(u)
		if err != nil {
			return err
		}
		if files[0] == "-" {
			m := &transfer.Mover{Site: s, InPlace: inPlace, Moved: c.mover()}
			begun := time.Now()
			r, err := m.SendStream(ctx, c.cmd.InOrStdin(), u.Path)
			c.transferred("put", u.String(), r, time.Since(begun), err)
			return nil
		}
		for _, name := range files {
			if i, err := os.Stat(name); err == nil {
				c.expect(i.Size())
			}
		}
		var times *transfer.Times
		if len(files) > 1 {
			times = new(transfer.Times)
		}
		transfer.Each(ctx, parallel, slices.Values(files), func(ctx context.Context, name string) {
			to := u
			if u.Dir() {
				to = u.With(u.Path + filepath.Base(name))
			}
			begun := time.Now()
			r, err := c.put(ctx, transfer.Mover{Site: s, Continue: goOn, InPlace: inPlace, Times: times, Moved: c.mover()}, name, to.Path)
			c.transferred("put", to.String(), r, time.Since(begun), err)
		})
		if ctx.Err() != nil || times == nil {
			return ctx.Err()
		}
		return times.Set(ctx, s)
	})
}

func (c *client) put(ctx context.Context, m transfer.Mover, name, to string) (transfer.Result, error) {
	if base := filepath.Base(name); base == "." || base == ".." || base == string(filepath.Separator) {
		return transfer.Result{}, errors.New("a directory; mirror stores those")
	}
	// What the user named may be a link that leads elsewhere, which a os.Root of its directory would refuse.
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return transfer.Result{}, err
	}
	root, err := os.OpenRoot(filepath.Dir(real))
	if err != nil {
		return transfer.Result{}, err
	}
	defer root.Close()
	m.Root = root
	return m.Send(ctx, filepath.Base(real), to, transfer.Unknown)
}

// duplicate is the first name that two items have; "" if none.
func duplicate[T any](items []T, name func(T) string) string {
	seen := make(map[string]bool)
	for _, i := range items {
		n := name(i)
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}
