package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A store may have to write a large object anew to make it of its parts, and says nothing
// meanwhile. It is trusted to do so at assembleRate.
const (
	assembleRate = 16 << 20 // bytes a second
	maxAssembly  = time.Hour
	settlePause  = 5 * time.Second // between two looks
)

// assembly is how long CompleteMultipartUpload may take: vfs.PublishTimeout and a second
// for every 16 MiB, at most an hour.
func assembly(size int64) time.Duration {
	return min(vfs.PublishTimeout+time.Duration(size/assembleRate)*time.Second, maxAssembly)
}

// patient returns a context for a request that publishes: the end of parent does not
// end it, but so much time without progress does.
func patient(parent context.Context, limit time.Duration) (ctx context.Context, progress func(), stop func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	timer := time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() { timer.Reset(limit) }, func() { timer.Stop(); cancel(nil) }
}

// settle finds out whether a request whose answer was lost has published: one HEAD tells.
// If nothing was heard for so long that somebody has hung up, the store may still be at it: then
// the HEAD is repeated as long as it may, and ctx lasts.
func (b *Backend) settle(ctx context.Context, p publication, err error) bool {
	made := p.would()
	for {
		// In this order: what ended between two questions is found, and after an abort nothing can
		// become an object any more.
		over := !silent(err) || p.id == "" || ctx.Err() != nil || !b.goesOn(ctx, p.key, p.id)
		if over && p.id != "" {
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), vfs.PublishTimeout)
			_ = b.abortUpload(after, p.key, p.id) // if it fails, whoever began the upload tries again
			cancel()
		}
		if b.isThere(ctx, p.key, made) {
			return true
		}
		if over {
			return false
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
		}
	}
}

// goesOn reports whether a multipart upload has not ended, as far as the store tells.
func (b *Backend) goesOn(ctx context.Context, key, id string) bool {
	_, err := b.api.ListParts(ctx, &sdk.ListPartsInput{Bucket: &b.o.Bucket, Key: &key, UploadId: &id, MaxParts: aws.Int32(1)})
	return status(err) != http.StatusNotFound
}

// abortUpload ends a multipart upload. One that has ended is no error.
func (b *Backend) abortUpload(ctx context.Context, key, id string) error {
	_, err := b.api.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: &b.o.Bucket, Key: &key, UploadId: &id})
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// silent reports whether the request was sent and nobody had the patience to wait for the answer:
// the connection (ClientOptions.Timeout), or a proxy.
func silent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "read" && op.Timeout() || status(err) == http.StatusGatewayTimeout
}

// unlessSilent does not repeat a request that the store may still be at: it would do
// the work twice at once.
type unlessSilent struct{ aws.Retryer }

func (r unlessSilent) IsErrorRetryable(err error) bool {
	return !silent(err) && r.Retryer.IsErrorRetryable(err)
}

func retryUnlessSilent(o *sdk.Options) { o.Retryer = unlessSilent{o.Retryer} }

// isThere asks once whether the object is the one that would have been made. Where the
// store encrypts, the ETag says nothing; then the checksum does, or of a copy what it says itself.
func (b *Backend) isThere(ctx context.Context, key string, m made) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vfs.PublishTimeout)
	defer cancel()
	out, err := b.api.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: &b.o.Bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || aws.ToInt64(out.ContentLength) != m.size || m.mtime != "" && out.Metadata[mtimeKey] != m.mtime {
		return false
	}
	same := func(a, b *string) bool { return a != nil && b != nil && *a == *b }
	return aws.ToString(out.ETag) == `"`+m.etag+`"` || same(out.ChecksumCRC32, m.sums.crc32) ||
		same(out.ChecksumCRC32C, m.sums.crc32c) || same(out.ChecksumCRC64NVME, m.sums.crc64) ||
		same(out.ChecksumSHA1, m.sums.sha1) || same(out.ChecksumSHA256, m.sums.sha256) ||
		m.copyOf != "" && out.Metadata[copyOfKey] == m.copyOf
}
