package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/mirror"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
)

func newMirrorCommand() *cobra.Command {
	var m mirror.Mirror
	var compare string
	cmd := &cobra.Command{
		Use:   "mirror {URL LOCAL | LOCAL URL}",
		Short: "Make a tree like another, from or to an FTP server",
		Long: `Copies what is new or different from the first tree to the second: from a server
to a directory of this machine, or back. Files that are on both sides are
copied if their sizes differ and, with --compare time (the default), if the first is newer or,
with --compare hash, if the server's digest says that they differ.

With --delete, what the first tree does not have is deleted from the second, at
the end and only if nothing failed. Links are neither copied nor followed.
--exclude and --include take names with *, ? and [a-z] ("*.tmp"), paths from the top of
the tree ("/a/*.c"), or directories with everything in them ("cache/"); the last that fits
decides, and what is excluded is not deleted either. With --include first, only what it names is taken.

"Newer" means by more than what both times are exact to: a second, or a minute or a day on servers that
have LIST only. Such a server may tell times of its own zone: see --time-zone. A target that is
newer is left as it is.

Uploads get their names when they are whole, as with put.
Whatever names a server shows, nothing is written outside of LOCAL.`,
		Example: `  ftpgate mirror --dry-run ftp://ftp.example.org/pub/ ./pub
  ftpgate mirror --delete --parallel 4 ./site ftpes://alice@ftp.example.org/www/`,
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&compare, "compare", string(mirror.ByTime), "`HOW` files are compared: size, time or hash")
	f.BoolVar(&m.Delete, "delete", false, "delete what the first tree does not have")
	f.BoolVarP(&m.DryRun, "dry-run", "n", false, "say what would be done, and do nothing")
	f.BoolVarP(&m.Continue, "continue", "C", false, "go on with files where an earlier run broke off")
	f.BoolVar(&m.InPlace, "in-place", false, "upload under the final names at once, not under temporary ones")
	f.IntVarP(&m.Parallel, "parallel", "P", 2, "copy so many `FILES` at once")
	f.Var(&patterns{&m.Patterns, false}, "exclude", "leave out what matches this `GLOB`; several, and --include, decide in their order")
	f.Var(&patterns{&m.Patterns, true}, "include", "take what matches this `GLOB`, although --exclude before it does")
	ways := []string{string(mirror.BySize), string(mirror.ByTime), string(mirror.ByHash)}
	cmd.RegisterFlagCompletionFunc("compare", cobra.FixedCompletions(ways, cobra.ShellCompDirectiveNoFileComp))
	return newClientCommand(cmd, func(ctx context.Context, c *client, args []string) error {
		if !slices.Contains(ways, compare) {
			return usagef("unknown comparison %q: there are size, time and hash", compare)
		}
		m := m
		m.Compare, c.o.Parallel = mirror.Compare(compare), m.Parallel
		m.Upload = remote.IsURL(args[1])
		if m.Upload == remote.IsURL(args[0]) {
			return usagef("one of the two must be a URL, and the other a directory of this machine")
		}
		local, text := args[1], args[0]
		if m.Upload {
			local, text = args[0], args[1]
		}
		u, err := c.url(text)
		if err != nil {
			return err
		}
		return c.mirror(ctx, m, u, local)
	})
}

// patterns is the value of --exclude and --include, which share one list.
type patterns struct {
	all     *[]mirror.Pattern
	include bool
}

func (p *patterns) String() string { return "" }
func (p *patterns) Type() string   { return "GLOB" }

func (p *patterns) Set(glob string) error {
	one := mirror.Pattern{Glob: glob, Include: p.include}
	*p.all = append(*p.all, one)
	return one.Check()
}

func (c *client) mirror(ctx context.Context, m mirror.Mirror, u remote.URL, local string) error {
	if real, err := filepath.EvalSymlinks(local); err == nil && m.Delete && !m.Upload {
		if real, err = filepath.Abs(real); err != nil || filepath.Dir(real) == real {
			return usagef("--delete would delete what %s has and the server has not; name another directory", local)
		}
	}
	if !m.Upload && !m.DryRun {
		if err := os.MkdirAll(local, 0o777); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(local)
	switch {
	case err == nil:
		defer root.Close()
		m.Root = root
	case m.DryRun && !m.Upload && errors.Is(err, fs.ErrNotExist): // it would be made
	default:
		return err
	}
	if m.Site, err = c.site(u); err != nil {
		return err
	}
	m.Path = trimSlash(u.Path)
	m.Moved, m.Expect = c.mover(), c.expect
	m.Trouble = func(err error) { c.failed("", err) }
	var t tally
	m.Done = func(a mirror.Action, r transfer.Result, took time.Duration, err error) {
		c.mirrored(&t, m.DryRun, a, r, took, err)
	}
	if err := m.Run(ctx); err != nil {
		return err
	}
	c.finish()
	if c.people {
		c.say("%s copied, %d bytes; %d deleted, %s", count(t.copied, "file"), t.bytes, t.deleted, count(c.failures(), "failure"))
	}
	return nil
}

// tally counts what a mirror did; guarded by the report.
type tally struct {
	copied, deleted int
	bytes           int64
}

// mirrored tells of one action.
func (c *client) mirrored(t *tally, dry bool, a mirror.Action, r transfer.Result, took time.Duration, err error) {
	e := event{Event: "done", Action: string(a.Verb), Path: a.Path, Bytes: r.Bytes, Resumed: r.Offset, Seconds: took.Seconds(), Reason: a.Reason}
	switch {
	case err != nil:
		c.failed(a.Path, err)
		return
	case dry && !c.json:
		why := ""
		if a.Reason != "" {
			why = " (" + a.Reason + ")"
		}
		c.print("%s %s%s\n", a.Verb, printable(a.Path), why)
		return
	case dry:
		e.Event, e.Seconds, e.Bytes = "planned", 0, max(a.File.Size, 0)
	}
	c.report.mu.Lock()
	switch a.Verb {
	case mirror.Copy:
		t.copied++
		t.bytes += r.Bytes
	case mirror.Delete, mirror.DeleteDir:
		t.deleted++
	}
	c.report.mu.Unlock()
	c.done(e)
}
