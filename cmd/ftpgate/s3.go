package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ftpgate/ftpgate/gateway"
	"github.com/ftpgate/ftpgate/gateway/config"
)

func newS3Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "s3",
		Short: "Look after the buckets of a configuration",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return errors.New("say cleanup") },
	}
	cmd.AddCommand(newS3CleanupCommand())
	return cmd
}

// defaultAge is longer than any upload takes.
const defaultAge = 24 * time.Hour

func newS3CleanupCommand() *cobra.Command {
	var remove bool
	var age time.Duration
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Find uploads that never ended, and delete them",
		Long: `A gateway that is killed leaves multipart uploads behind. Their parts are in no
listing and are paid for. This lists those below the prefixes of the
configuration that are older than --older-than; with --delete it also deletes
them.

Uploads that other programs make below these prefixes are among them, and so
are those of a running gateway that have taken that long. One of which the
store does not say when it was begun is left alone, with an error.`,
		Example: `  ftpgate s3 cleanup
  ftpgate s3 cleanup --older-than 168h --delete`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&remove, "delete", false, "delete what is found")
	cmd.Flags().DurationVar(&age, "older-than", defaultAge, "leave what was begun later")
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if age < 0 {
			return errors.New("--older-than cannot be negative")
		}
		errOut := cmd.ErrOrStderr()
		c, ds := loadConfig(*path)
		if c == nil {
			color, width := appearance(errOut)
			return failure{ds.Write(errOut, color, width)}
		}
		if !hasBucket(c) {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "There is no object store that a user has.")
			return err
		}
		return cleanup(cmd.Context(), cmd.OutOrStdout(), errOut, c, time.Now().Add(-age), remove)
	}
	return cmd
}

func hasBucket(c *config.Config) bool {
	return c.Anonymous != nil && c.Anonymous.Filesystem.S3 != nil ||
		slices.ContainsFunc(c.Users, func(u config.User) bool { return u.Filesystem.S3 != nil })
}

func cleanup(ctx context.Context, out, errOut io.Writer, c *config.Config, before time.Time, remove bool) error {
	found, deleted, failed := 0, 0, 0
	unseen := ""
	var broken error
	say := func(w io.Writer, format string, args ...any) {
		if _, err := fmt.Fprintf(w, format, args...); broken == nil {
			broken = err
		}
	}
	gateway.Leftovers(ctx, c, before, remove, func(l gateway.Leftover) {
		if l.Key != "" && !l.Left {
			found++
			say(out, "%s  %s  %s\n", l.Begun.Local().Format(time.DateTime), l.Backend, strconv.Quote(l.Key))
			if l.Err == nil {
				deleted++
			}
		}
		if l.Err != nil {
			failed++
			action := "s3:AbortMultipartUpload"
			if l.Key == "" {
				action, unseen = "s3:ListBucketMultipartUploads", "; there may be more, for not all could be listed"
			}
			mend := ""
			if errors.Is(l.Err, fs.ErrPermission) {
				mend = "; grant " + action
			}
			say(errOut, "ftpgate: %s: %v%s\n", l.Backend, l.Err, mend)
		}
	})
	switch {
	case remove:
		say(out, "Deleted %s%s.\n", count(deleted, "unfinished upload"), unseen)
	case found > 0:
		say(out, "Found %s; --delete deletes them%s.\n", count(found, "unfinished upload"), unseen)
	default:
		say(out, "Found %s%s.\n", count(found, "unfinished upload"), unseen)
	}
	if broken != nil {
		return failure{broken}
	}
	if failed > 0 {
		return failure{} // all is said
	}
	return nil
}
