package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/backends/s3"
	"github.com/ftpgate/ftpgate/gateway/config"
)

// openS3 opens a prefix of a bucket. No request is made.
func (b *backends) openS3(c *config.S3) (*s3.Backend, error) {
	o := s3.ClientOptions{
		Region: c.Region, Endpoint: c.Endpoint, PathStyle: c.PathStyle,
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		Proxy: c.Proxy, CAFile: c.CAFile,
		ConnectTimeout: c.ConnectTimeout, Timeout: c.Timeout, MaxRetries: c.MaxRetries,
		Checksum: string(c.Checksum),
	}
	if c.MaxRetries == 0 {
		o.MaxRetries = -1 // none, where 0 would mean the default
	}
	if c.SignPayload == config.SignNever {
		o.Sign = s3.SignNever
	}
	if r := c.AssumeRole; r != nil {
		o.AssumeRole = s3.AssumeRole{ARN: r.RoleARN, ExternalID: r.ExternalID, SessionName: r.SessionName}
	}
	client, err := b.clients.Get(o)
	if err != nil {
		return nil, err
	}
	return s3.New(s3.Options{
		Client: client, Bucket: c.Bucket, Prefix: c.Prefix, Budget: b.transfers, Cache: &b.objects, Turns: &b.turns,
		PartSize: c.PartSize, Concurrency: c.Concurrency, Uniform: c.Uniform, ReadAhead: c.ReadAhead,
		PageSize: int32(c.ListPage), CopyPart: c.CopyPart, RenameLimit: c.RenameLimit,
		MetadataCache: c.MetadataCache, MetadataTimes: c.ModTime == config.ModTimeMetadata,
		Put: s3.PutOptions{
			StorageClass: c.StorageClass, ACL: c.ACL,
			Encryption:   s3.Encryption{Algorithm: c.Encryption, KMSKey: c.KMSKey, CustomerKey: c.CustomerKey},
			Checksum:     s3.ChecksumOf(string(c.Checksum), s3.Endpoint(client)),
			ContentTypes: c.ContentTypes, Tags: c.Tags, Metadata: c.Metadata, RequesterPays: c.RequesterPays,
		},
	})
}

// bucket is an S3 backend as one of its users sees it.
type bucket struct {
	config.Backend
	changes bool // somebody may change what is in it
}

// String names it for a report.
func (b bucket) String() string {
	text := fmt.Sprintf("%s (bucket %s", b.Backend, b.S3.Bucket)
	if b.S3.Prefix != "" {
		text += ", prefix " + b.S3.Prefix
	}
	return text + ")"
}

// buckets are the S3 backends that somebody uses; those with user.name in them as
// often as they differ.
func buckets(c *config.Config) []bucket {
	var all []bucket
	seen := make(map[string]int)
	add := func(b config.Backend, changes bool) {
		if b.S3 == nil {
			return
		}
		x := bucket{b, changes}
		i, ok := seen[x.String()]
		if !ok {
			i = len(all)
			seen[x.String()] = i
			all = append(all, x)
		}
		all[i].changes = all[i].changes || changes
	}
	if c.Anonymous != nil {
		add(c.Anonymous.Filesystem, false)
	}
	for _, u := range c.Users {
		add(u.Filesystem, u.Access != config.ReadOnly)
	}
	return all
}

// samples are the buckets to probe: of each backend that of the first user who may
// change something, or else that of the first.
func samples(all []bucket) []bucket {
	var some []bucket
	seen := make(map[string]int)
	for _, x := range all {
		i, ok := seen[x.Name]
		switch {
		case !ok:
			seen[x.Name] = len(some)
			some = append(some, x)
		case x.changes && !some[i].changes:
			some[i] = x
		}
	}
	return some
}

// Leftover is a multipart upload that never ended.
type Leftover struct {
	Backend string
	Key     string
	Begun   time.Time
	Err     error // of its deletion, or why it is left alone; of the search in the backend if there is no Key
	Left    bool  // it is not touched, whatever was asked for: Err says why
}

// Leftovers finds the multipart uploads below the prefixes of a configuration that were
// begun before a time and have not ended, and deletes them if remove is set. It calls
// report with each.
func Leftovers(ctx context.Context, c *config.Config, before time.Time, remove bool, report func(Leftover)) {
	open := newBackends(c, zerolog.Nop())
	seen := make(map[string]bool) // prefixes may lie in each other
	for _, x := range buckets(c) {
		b, err := open.openS3(x.S3)
		if err != nil {
			report(Leftover{Backend: x.String(), Err: err})
			continue
		}
		for l, err := range b.Leftovers(ctx, before) {
			if err != nil {
				report(Leftover{Backend: x.String(), Key: l.Key, Err: err, Left: l.Key != ""})
				continue // without a Key it is the last
			}
			if id := x.S3.Endpoint + "\x00" + l.Bucket + "\x00" + l.Key + "\x00" + l.ID; seen[id] {
				continue
			} else {
				seen[id] = true
			}
			found := Leftover{Backend: x.String(), Key: l.Key, Begun: l.Begun}
			if remove {
				found.Err = b.Abort(ctx, l)
			}
			report(found)
		}
	}
}
