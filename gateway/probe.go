package gateway

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/backends/s3"
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
// configuration, one after the other, under names that it deletes again. In a bucket where nobody may change
// anything, nothing is stored. Of a bucket that depends on the user, the prefix of the first user who may is tried,
// or else that of the first; of an upstream server, what the first user has.
func Probe(ctx context.Context, c *config.Config) []Probed {
	open := newBackends(c, zerolog.Nop())
	var all []Probed
	for _, x := range samples(buckets(c)) {
		all = append(all, open.probeS3(ctx, x))
	}
	seen := make(map[string]bool)
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

// probeS3 stores nothing where nobody may change anything.
func (b *backends) probeS3(ctx context.Context, x bucket) Probed {
	p := Probed{Backend: x.String()}
	o, err := b.openS3(x.S3)
	var found []s3.Finding
	switch {
	case err != nil:
		found = []s3.Finding{{Step: "set up", Err: err}}
	case x.changes:
		found = o.Probe(ctx)
	default:
		p.Backend += ", which is only read"
		found = o.ProbeReading(ctx)
	}
	for _, f := range found {
		y := Finding{Step: f.Step, Err: f.Err, Limit: f.Limit}
		if f.Grant != "" {
			y.Mend = "grant " + f.Grant
		}
		p.Findings = append(p.Findings, y)
	}
	return p
}
