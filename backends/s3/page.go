package s3

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// listRequest asks for one page of keys.
type listRequest struct {
	prefix    string
	delimited bool // what is in directories below is one prefix for each of them
	token     *string
	max       int32
}

// page is the answer.
type page struct {
	objects  []object
	prefixes []string // ending in "/"
	next     *string  // the token of the next page; nil: there is none
}

// list makes one request. What it shows, the cache knows.
func (b *Backend) list(ctx context.Context, r listRequest) (page, error) {
	asked := time.Now()
	in := &sdk.ListObjectsV2Input{
		Bucket: &b.o.Bucket, Prefix: &r.prefix, ContinuationToken: r.token, MaxKeys: &r.max,
		EncodingType: types.EncodingTypeUrl, // XML cannot hold every character that a key can
	}
	if r.delimited {
		in.Delimiter = aws.String("/")
	}
	out, err := b.api.ListObjectsV2(ctx, in)
	if err != nil {
		return page{}, fault("list", b.name(r.prefix), err)
	}
	decode := func(s *string) string { return aws.ToString(s) }
	if out.EncodingType == types.EncodingTypeUrl {
		decode = unescape
	}
	p := page{objects: make([]object, 0, len(out.Contents)), prefixes: make([]string, 0, len(out.CommonPrefixes))}
	for i := range out.Contents {
		c := &out.Contents[i]
		o := object{
			key: decode(c.Key), etag: aws.ToString(c.ETag), size: aws.ToInt64(c.Size),
			modified: aws.ToTime(c.LastModified).Truncate(time.Second), storageClass: string(c.StorageClass), asked: asked,
		}
		o.parts = partsOf(o.etag)
		p.objects = append(p.objects, b.cache.put(o))
	}
	for _, c := range out.CommonPrefixes {
		p.prefixes = append(p.prefixes, decode(c.Prefix))
	}
	if aws.ToBool(out.IsTruncated) {
		p.next = out.NextContinuationToken
	}
	return p, nil
}

// unescape reads a key of an answer with encoding-type=url.
func unescape(s *string) string {
	text := aws.ToString(s)
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// walk calls f with every object below a prefix, in the order of the keys, which is
// that of their bytes.
func (b *Backend) walk(ctx context.Context, prefix string, f func(*object) error) error {
	for r := (listRequest{prefix: prefix, max: DefaultPageSize}); ; {
		p, err := b.list(ctx, r)
		if err != nil {
			return err
		}
		for i := range p.objects {
			if err := f(&p.objects[i]); err != nil {
				return err
			}
		}
		if r.token = p.next; r.token == nil {
			return nil
		}
	}
}
