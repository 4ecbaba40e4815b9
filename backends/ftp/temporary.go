package ftp

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// DefaultPrefix is what the names of uploads under way begin with, unless Options tell otherwise. No client sees or
// makes them. A server that is a gateway like this one, in front of another one, reserves it itself.
const DefaultPrefix = ".ftpgate-"

// CheckPrefix says what is wrong with a prefix.
func CheckPrefix(prefix string) error {
	if len(prefix) < 4 || len(prefix) > 32 || strings.Trim(prefix, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || strings.HasPrefix(prefix, "..") {
		return fmt.Errorf("prefix %q is not made of 4 to 32 small letters, digits, dots, hyphens and underscores", prefix)
	}
	return nil
}

// leftoverAge is when an upload under way must be one of a gateway that is gone. Only
// this gateway's clock counts, since the time is in the name: servers' clocks may be anywhere.
const leftoverAge = 7 * 24 * time.Hour

// maxLeftovers is how many are removed after one listing, which must not take long.
const maxLeftovers = 20

// temporaryName is a new name beside a target.
func (b *Backend) temporaryName(target string, now time.Time) string {
	dir, _ := vfs.Split(target)
	return vfs.Join(dir, b.prefix+strconv.FormatInt(now.Unix(), 36)+"-"+strings.ToLower(rand.Text()[:16]))
}

// isReserved reports whether a segment of a name is reserved, whatever its case: some
// servers know none.
func (b *Backend) isReserved(name string) bool {
	return strings.Contains(strings.ToLower(name), "/"+b.prefix)
}

// firstYear is before all uploads.
const firstYear = 2025

// begun is when the upload under a temporary name began. As what is too old is deleted, it takes nothing else for
// one: people may have files that begin with a prefix of their choice, such as "scan" of "scan2019-invoices-may.pdf".
func (b *Backend) begun(name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, b.prefix)
	stamp, random, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(stamp, 36, 64)
	at := time.Unix(n, 0)
	if !ok || err != nil || strconv.FormatInt(n, 36) != stamp || at.Year() < firstYear ||
		len(random) != 16 || strings.Trim(random, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return time.Time{}, false
	}
	return at, true
}

// isLeftover reports whether a file is an upload that nobody can still be making.
func (b *Backend) isLeftover(dir, name string, now time.Time) bool {
	at, ok := b.begun(name)
	return ok && now.Sub(at) > leftoverAge && !b.names.isUploading(vfs.Join(dir, name)) && !b.names.isHeld(vfs.Join(dir, name))
}

// removeLeftovers deletes what listings have found. The first refusal ends all of it: an
// account that may not delete is not asked at every listing.
func (b *Backend) removeLeftovers(ctx context.Context, c *ftpclient.Conn, names []string) {
	for _, name := range names {
		b.mu.Lock()
		refused := b.keeps
		b.mu.Unlock()
		if refused || ctx.Err() != nil || !c.Usable() {
			return
		}
		if c.Delete(ctx, b.at(name)) != nil {
			b.mu.Lock()
			b.keeps = true
			b.mu.Unlock()
		}
	}
}
