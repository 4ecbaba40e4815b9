package s3

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// listRequest asks for one page of keys.
type listRequest struct {
	prefix    string
	delimited bool    // what is in directories below is one prefix for each of them
	from      *cursor // nil: the beginning
	max       int32
	early     func(token string) // told the token of the next page before this one is parsed; nil: nobody
}

// page is the answer.
type page struct {
	objects  []object
	prefixes []string // ending in "/"
	next     *cursor  // the next page; nil: there is none
}

// cursor is where a page begins.
type cursor struct {
	token string
	pages int    // before it
	mark  string // the token of an earlier page, of which that of no later one may be the same
}

// to is the cursor of the page after that of c. A list that goes round in a circle comes to its
// mark, however large the circle is: the mark moves on when twice as many pages have been seen (Brent).
// Keys tell nothing, for not every store lists them in order.
func (c *cursor) to(token *string) (*cursor, error) {
	next := cursor{token: aws.ToString(token), pages: 1}
	if c != nil {
		next.pages, next.mark = c.pages+1, c.mark
		if next.token == c.token {
			return nil, errNoNextPage
		}
	}
	if next.token == "" || next.token == next.mark {
		return nil, errNoNextPage
	}
	if next.pages&(next.pages-1) == 0 {
		next.mark = next.token
	}
	return &next, nil
}

// list asks for a page. A store may answer with fewer keys than it has, or with none: then
// it is asked on, until there are some, and as many as wanted if that is one or two,
// since whoever wants so few decides by how many there are. What it shows, the cache knows.
func (b *Backend) list(ctx context.Context, r listRequest) (page, error) {
	p, err := b.listOnce(ctx, r)
	for err == nil && p.next != nil && !r.satisfied(p) {
		var more page
		r.from = p.next
		more, err = b.listOnce(ctx, r)
		p.objects, p.prefixes, p.next = append(p.objects, more.objects...), append(p.prefixes, more.prefixes...), more.next
	}
	if err != nil {
		return page{}, fault("list", b.name(r.prefix), err)
	}
	return p, nil
}

func (r listRequest) satisfied(p page) bool {
	n := len(p.objects) + len(p.prefixes)
	return n >= int(r.max) || n > 0 && r.max > 2
}

// listPage makes one request: there may be less in it than the store has, and nothing.
func (b *Backend) listPage(ctx context.Context, r listRequest) (page, error) {
	p, err := b.listOnce(ctx, r)
	return p, fault("list", b.name(r.prefix), err)
}

func (b *Backend) listOnce(ctx context.Context, r listRequest) (page, error) {
	asked := time.Now()
	in := &sdk.ListObjectsV2Input{
		Bucket: &b.o.Bucket, Prefix: &r.prefix, MaxKeys: &r.max,
		EncodingType: types.EncodingTypeUrl, // XML cannot hold every character that a key can
	}
	if r.from != nil {
		in.ContinuationToken = &r.from.token
	}
	if r.delimited {
		in.Delimiter = aws.String("/")
	}
	out, err := b.api.ListObjectsV2(ctx, in, earlyToken(r.early))
	if err != nil {
		return page{}, err
	}
	decode := decoder(out.EncodingType)
	p := page{objects: make([]object, 0, len(out.Contents)), prefixes: make([]string, 0, len(out.CommonPrefixes))}
	for i := range out.Contents {
		c := &out.Contents[i]
		o := object{
			key: decode(c.Key), etag: aws.ToString(c.ETag), size: aws.ToInt64(c.Size),
			modified: aws.ToTime(c.LastModified).Truncate(time.Second), storageClass: string(c.StorageClass), asked: asked,
		}
		if name, ok := strings.CutPrefix(o.key, r.prefix); !ok || r.delimited && strings.Contains(name, "/") {
			return page{}, unasked(o.key, r.prefix)
		}
		o.parts = partsOf(o.etag)
		p.objects = append(p.objects, b.cache.put(o))
	}
	for _, c := range out.CommonPrefixes {
		prefix := decode(c.Prefix)
		name, ok := strings.CutPrefix(prefix, r.prefix)
		switch {
		case ok && name == "": // the directory in itself
		case !ok, strings.Index(name, "/") != len(name)-1:
			return page{}, unasked(prefix, r.prefix)
		default:
			p.prefixes = append(p.prefixes, prefix)
		}
	}
	if aws.ToBool(out.IsTruncated) {
		if p.next, err = r.from.to(out.NextContinuationToken); err != nil {
			return page{}, err
		}
	}
	return p, nil
}

// What a store must not answer. To go on would show a part of a directory as all of it, or
// the keys of others.
var errNoNextPage = fmt.Errorf("%w: the storage says that its list goes on, and not where, or where it has been", vfs.ErrTransient)

func unasked(key, prefix string) error {
	return fmt.Errorf("%w: the storage lists %q where it was asked for what is directly below %q", vfs.ErrTransient, key, prefix)
}

// decoder reads the keys of an answer.
func decoder(encoding types.EncodingType) func(*string) string {
	if encoding == types.EncodingTypeUrl {
		return unescape
	}
	return aws.ToString
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

// walk calls f with every object below a prefix, in the order in which the store lists them.
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
		if r.from = p.next; r.from == nil {
			return nil
		}
	}
}
