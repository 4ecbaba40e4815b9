package gateway

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/gateway/config"
)

// Probed is what a probe of one backend has shown.
type Probed struct {
	Backend  string // "backend.s3.archive (bucket acme-archive, prefix ftp/alice/)"
	Findings []Finding
}

// Finding is what one step of a probe has shown.
type Finding struct {
	Step  string // "put an object"
	Err   error  // nil: it works
	Limit string // what users have to do without although it works; "": nothing
	Mend  string // what to do about it, as far as known: "grant s3:PutObject"
}

// Failed reports whether something does not work.
func (p Probed) Failed() bool {
	for _, f := range p.Findings {
		if f.Err != nil {
			return true
		}
	}
	return false
}

// Probe tries everything that the gateway asks of the object stores and upstream servers in a
// configuration, one after the other, under names that it deletes again. Of a backend that depends on
// the user, what its first user has is tried.
func Probe(ctx context.Context, c *config.Config) []Probed {
	open := newBackends(c, zerolog.Nop())
	var all []Probed
	seen := make(map[string]bool)
	for _, x := range buckets(c) {
		if !seen[x.Name] {
			seen[x.Name] = true
			all = append(all, Probed{Backend: x.String(), Findings: open.probeS3(ctx, x.S3)})
		}
	}
	clear(seen)
	for _, b := range filesystems(c) {
		if b.FTP != nil && !seen[b.Name] {
			seen[b.Name] = true
			name := fmt.Sprintf("%s (server %s, root %s)", b, b.FTP.Address, b.FTP.Root)
			all = append(all, Probed{Backend: name, Findings: probeFTP(ctx, b.FTP)})
		}
	}
	return all
}

// filesystems are what guests and users have, guests first.
func filesystems(c *config.Config) []config.Backend {
	var all []config.Backend
	if c.Anonymous != nil {
		all = append(all, c.Anonymous.Filesystem)
	}
	for _, u := range c.Users {
		all = append(all, u.Filesystem)
	}
	return all
}

func (b *backends) probeS3(ctx context.Context, c *config.S3) (all []Finding) {
	o, err := b.openS3(c)
	if err != nil {
		return []Finding{{Step: "set up", Err: err}}
	}
	for _, f := range o.Probe(ctx) {
		x := Finding{Step: f.Step, Err: f.Err, Limit: f.Limit}
		if f.Grant != "" {
			x.Mend = "grant " + f.Grant
		}
		all = append(all, x)
	}
	return all
}
