package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // the ETag of S3
	"encoding/hex"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// conflictRetries is how often a PutObject is sent again that met another one of the
// same name, which S3 does not decide but refuses with 409.
const (
	conflictRetries = 5
	conflictDelay   = 50 * time.Millisecond
)

// put publishes an object that fits in one part: one PutObject.
func (u *upload) put() error {
	c := u.collected()
	c.send()
	var err error
	for try := range conflictRetries + 1 {
		if try > 0 {
			time.Sleep(time.Duration(try) * conflictDelay)
		}
		if err = u.putOnce(c); status(err) != http.StatusConflict {
			break
		}
	}
	return err
}

func (u *upload) putOnce(c *content) error {
	in := u.fs.putInput(u.key, c)
	in.IfMatch, in.IfNoneMatch = u.conditions()
	r := &body{c: c}
	in.Body = r
	return u.decide(func(ctx context.Context, progress func(), opts ...func(*sdk.Options)) error {
		r.progress = progress
		_, err := u.fs.api.PutObject(ctx, in, opts...)
		return err
	}, func() made {
		h := md5.New() //nolint:gosec // as above
		for _, k := range c.chunks {
			h.Write(k.b[:k.n])
		}
		return made{size: c.size, etag: hex.EncodeToString(h.Sum(nil)), sums: sumsOf(u.fs.algorithm(), c)}
	})
}

// conditions are If-Match and If-None-Match of the request that publishes.
func (u *upload) conditions() (ifMatch, ifNoneMatch *string) {
	if u.flag == vfs.ModeCreate {
		return nil, aws.String("*")
	}
	return nil, nil
}

// decide runs the request that publishes, which nothing but its own timeout ends, and
// finds out what has become of it if the answer was lost: then what is there is
// compared with what would have been made.
func (u *upload) decide(request func(ctx context.Context, progress func(), opts ...func(*sdk.Options)) error, would func() made) error {
	defer u.fs.changed(u.key)
	ctx, progress, stop := patient(u.ctx)
	attempts := 0
	err := request(ctx, progress, writing, counting(&attempts))
	stop()
	if err == nil {
		return nil
	}
	// Only the answer to the first attempt says what has become of the request: a second
	// one may have met what the first one has made.
	if attempts > 1 || lostAnswer(err) {
		if u.isThere(would()) {
			return nil
		}
	}
	switch {
	case !u.lostRace(err):
		return err
	case u.flag == vfs.ModeCreate:
		return failedAs(fs.ErrExist, err)
	}
	return failedAs(vfs.ErrTransient, err)
}

// failedAs gives an error of the API another meaning.
func failedAs(kind, err error) error {
	f, ok := translate(err).(*failure)
	if !ok {
		return kind
	}
	other := *f
	other.kind = kind
	return &other
}

// lostRace reports whether the condition of the request did not hold. An If-Match
// finds nothing (404) where the object is gone.
func (u *upload) lostRace(err error) bool {
	if preconditionFailed(err) {
		return true
	}
	ifMatch, _ := u.conditions()
	return ifMatch != nil && status(err) == http.StatusNotFound
}

// patient returns a context for a request that publishes: the end of parent does not
// end it, but vfs.PublishTimeout without progress does.
func patient(parent context.Context) (ctx context.Context, progress func(), stop func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	timer := time.AfterFunc(vfs.PublishTimeout, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() { timer.Reset(vfs.PublishTimeout) }, func() { timer.Stop(); cancel(nil) }
}

// made is what an object looks like when a request has made it.
type made struct {
	size int64
	etag string // without quotes, where it is computed from the content
	sums sums
}

// isThere asks once whether the object is the one that would have been made. Where the
// store encrypts, the ETag says nothing; then the checksum does.
func (u *upload) isThere(m made) bool {
	ctx, _, stop := patient(u.ctx)
	defer stop()
	in := &sdk.HeadObjectInput{Bucket: &u.fs.o.Bucket, Key: &u.key, ChecksumMode: types.ChecksumModeEnabled}
	out, err := u.fs.api.HeadObject(ctx, in)
	if err != nil || aws.ToInt64(out.ContentLength) != m.size {
		return false
	}
	same := func(a, b *string) bool { return a != nil && b != nil && *a == *b }
	return aws.ToString(out.ETag) == `"`+m.etag+`"` || same(out.ChecksumCRC32, m.sums.crc32) ||
		same(out.ChecksumCRC32C, m.sums.crc32c) || same(out.ChecksumCRC64NVME, m.sums.crc64) ||
		same(out.ChecksumSHA1, m.sums.sha1) || same(out.ChecksumSHA256, m.sums.sha256)
}

// writing are the options of every request with a body: our checksum, or none.
func writing(o *sdk.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }

// counting counts the attempts of one request.
func counting(n *int) func(*sdk.Options) {
	count := middleware.FinalizeMiddlewareFunc("ftpgate:count", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		*n++
		return next.HandleFinalize(ctx, in)
	})
	return func(o *sdk.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Insert(count, "Retry", middleware.After)
		})
	}
}
