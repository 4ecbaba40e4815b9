package s3

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// copiedParts is how many parts of one object are copied at once.
const copiedParts = 8

// inParts copies a large object by several requests at once. The store does not copy
// its attributes by itself then.
func (c copying) inParts(ctx context.Context, b *Backend) error {
	create, err := c.createInput(ctx, b)
	if err != nil {
		return err
	}
	id, err := b.beginCopy(ctx, create)
	if err != nil {
		return fault("copy", b.name(c.from.key), err)
	}
	parts, err := c.copyParts(ctx, b, &id)
	if err == nil {
		err = c.complete(ctx, b, id, parts)
	}
	if err != nil {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), vfs.PublishTimeout)
		defer cancel()
		// If it fails, cleanup is left to `ftpgate s3 cleanup` and the bucket's lifecycle rule.
		_ = b.abortUpload(after, c.to, id)
	}
	return fault("copy", b.name(c.from.key), err)
}

// beginCopy begins the upload of a copy in parts and returns its id. A copy that is cut waits cutPatience
// for the answer: without it nobody could abort what it made.
func (b *Backend) beginCopy(ctx context.Context, in *sdk.CreateMultipartUploadInput) (id string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), vfs.PublishTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(cutPatience, cancel) })()
	out, err := b.api.CreateMultipartUpload(patient, in)
	if err == nil && aws.ToString(out.UploadId) == "" {
		err = errNoResult
	}
	if err != nil {
		return "", err
	}
	return *out.UploadId, nil
}

func (c copying) createInput(ctx context.Context, b *Backend) (*sdk.CreateMultipartUploadInput, error) {
	a, err := b.attributes(ctx, c.from)
	if err != nil {
		return nil, err
	}
	in := &sdk.CreateMultipartUploadInput{
		Bucket: &b.o.Bucket, Key: &c.to, Metadata: c.metadata(a.Metadata),
		ACL: types.ObjectCannedACL(b.o.Put.ACL), StorageClass: types.StorageClass(b.classOf(c.from)),
		ServerSideEncryption: types.ServerSideEncryption(b.o.Put.Encryption.Algorithm), SSEKMSKeyId: text(b.o.Put.Encryption.KMSKey),
		CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition, ContentEncoding: a.ContentEncoding,
		ContentLanguage: a.ContentLanguage, ContentType: a.ContentType, WebsiteRedirectLocation: a.WebsiteRedirectLocation,
		Expires: expires(a),
	}
	in.Tagging, err = b.tagsOf(ctx, c.from.key, a)
	return in, err
}

// partSize of a copy: all parts but the last are of this size.
func (c copying) partSize(b *Backend) int64 {
	return max(b.o.CopyPart, (c.from.size+maxParts-1)/maxParts)
}

func (c copying) copyParts(ctx context.Context, b *Backend, id *string) ([]types.CompletedPart, error) {
	var mu sync.Mutex
	var parts []types.CompletedPart
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copiedParts)
	number := int32(0)
	for first := int64(0); first < c.from.size; first += c.partSize(b) {
		number++
		n, last := number, min(first+c.partSize(b), c.from.size)-1
		group.Go(func() error {
			return guarded(func() error {
				part, err := b.copyPart(ctx, &sdk.UploadPartCopyInput{
					Bucket: &b.o.Bucket, Key: &c.to, UploadId: id, PartNumber: &n,
					CopySource: aws.String(b.copySource(c.from.key)), CopySourceIfMatch: &c.from.etag,
					CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
				})
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				parts = append(parts, part)
				return nil
			})
		})
	}
	err := group.Wait()
	slices.SortFunc(parts, func(a, b types.CompletedPart) int { return cmp.Compare(*a.PartNumber, *b.PartNumber) })
	return parts, err
}

// copyPart copies a part of an object to one of an upload.
func (b *Backend) copyPart(ctx context.Context, in *sdk.UploadPartCopyInput) (types.CompletedPart, error) {
	out, err := b.api.UploadPartCopy(ctx, in)
	if err == nil && (out.CopyPartResult == nil || aws.ToString(out.CopyPartResult.ETag) == "") {
		err = errNoResult
	}
	if err != nil {
		return types.CompletedPart{}, err
	}
	r := out.CopyPartResult
	return types.CompletedPart{
		PartNumber: in.PartNumber, ETag: r.ETag, ChecksumCRC32: r.ChecksumCRC32, ChecksumCRC32C: r.ChecksumCRC32C,
		ChecksumCRC64NVME: r.ChecksumCRC64NVME, ChecksumSHA1: r.ChecksumSHA1, ChecksumSHA256: r.ChecksumSHA256,
	}, nil
}

// complete makes the copy of its parts. Once it has begun, nothing but its own time ends it, and if the
// answer is lost it is found out what has become of it: the caller is going to delete the source, or to
// say that there is no copy.
func (c copying) complete(ctx context.Context, b *Backend, id string, parts []types.CompletedPart) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	in := &sdk.CompleteMultipartUploadInput{
		Bucket: &b.o.Bucket, Key: &c.to, UploadId: &id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	p := publication{
		key: c.to, id: id, limit: assembly(c.from.size),
		request: func(ctx context.Context, a attempt) error {
			in.IfMatch, in.IfNoneMatch = a.ifMatch, a.ifNoneMatch
			out, err := b.api.CompleteMultipartUpload(ctx, in, append(a.options, retryUnlessSilent)...)
			if err == nil && aws.ToString(out.ETag) == "" {
				err = errNoResult
			}
			return err
		},
		would: func() made {
			m := made{size: c.from.size, etag: etagOf(parts)}
			if c.record {
				m.copyOf = strings.Trim(c.from.etag, `"`)
			}
			if c.mtime != nil {
				m.mtime = formatMtime(*c.mtime)
			}
			return m
		},
	}
	err := b.try(ctx, p, attempt{ifMatch: c.ifMatch, ifNoneMatch: c.ifNoneMatch})
	if notImplemented(err) && (c.ifMatch != nil || c.ifNoneMatch != nil) {
		return b.try(ctx, p, attempt{})
	}
	return err
}
