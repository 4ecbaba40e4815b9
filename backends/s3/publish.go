package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // the ETag of S3
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
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
	in := u.fs.putInput(u.key, u.metadata(), c)
	r := &body{c: c}
	in.Body = r
	p := publication{
		request: func(ctx context.Context, a attempt) error {
			r.progress = a.progress
			in.IfMatch, in.IfNoneMatch = a.ifMatch, a.ifNoneMatch
			_, err := u.fs.api.PutObject(ctx, in, a.options...)
			return err
		},
		would: func() made {
			h := md5.New() //nolint:gosec // as above
			for _, k := range c.chunks {
				h.Write(k.b[:k.n])
			}
			return made{size: c.size, etag: hex.EncodeToString(h.Sum(nil)), sums: sumsOf(u.fs.algorithm(), c)}
		},
	}
	u.keepPut(in)
	for try := 1; ; try++ {
		err := u.decide(p)
		if !isConflict(err) || try > conflictRetries {
			return err
		}
		time.Sleep(time.Duration(try) * conflictDelay)
	}
}

// isConflict reports whether the store could not decide between two requests at once.
func isConflict(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorCode() == "ConditionalRequestConflict" || api.ErrorCode() == "OperationAborted")
}

// publication is a request that publishes.
type publication struct {
	request func(ctx context.Context, a attempt) error
	would   func() made // the object that it makes
}

// attempt is what one try of it is told.
type attempt struct {
	ifMatch, ifNoneMatch *string
	progress             func() // to be called when something moves
	options              []func(*sdk.Options)
}

// made is what an object looks like when a request has made it.
type made struct {
	size int64
	etag string // without quotes, where it is computed from the content
	sums sums
}

// conditions are If-Match and If-None-Match of the request that publishes.
func (u *upload) conditions() (ifMatch, ifNoneMatch *string) {
	switch {
	case u.from.base != nil:
		return text(u.from.base.etag), nil
	case u.flag == vfs.ModeCreate, u.flag == vfs.ModeAppend:
		return nil, aws.String("*")
	}
	return nil, nil
}

// decide publishes. Where the store does not know conditions, a look before is all there
// is. What continues an object is always looked at: a store may ignore them silently.
func (u *upload) decide(p publication) error {
	// Not every store minds conditions: no rename of ours looks now and copies later.
	done, err := u.fs.turns.take(u.ctx, u.key)
	if err != nil {
		return err
	}
	defer done()
	defer u.fs.changed(u.key)
	if u.continues() {
		if err := u.isBase(); err != nil {
			return err
		}
	}
	ifMatch, ifNoneMatch := u.conditions()
	err = u.try(p, attempt{ifMatch: ifMatch, ifNoneMatch: ifNoneMatch})
	if notImplemented(err) && (ifMatch != nil || ifNoneMatch != nil) {
		if u.flag == vfs.ModeCreate {
			if err := u.isFree(); err != nil {
				return err
			}
		}
		err = u.try(p, attempt{})
	}
	switch {
	case !u.lostRace(err):
		return err
	case u.flag == vfs.ModeCreate:
		return failedAs(fs.ErrExist, err)
	}
	return failedAs(vfs.ErrTransient, err)
}

// try runs the request, which nothing but its own timeout ends, and finds out what has
// become of it if the answer was lost: then what is there is compared with what would
// have been made.
func (u *upload) try(p publication, a attempt) error {
	ctx, progress, stop := patient(u.ctx)
	defer stop()
	attempts := 0
	a.progress, a.options = progress, []func(*sdk.Options){writing, counting(&attempts)}
	err := p.request(ctx, a)
	if err == nil {
		return nil
	}
	// Only the answer to the first attempt says what has become of the request: a second
	// one may have met what the first one has made.
	if (attempts > 1 || lostAnswer(err)) && u.isThere(p.would()) {
		return nil
	}
	if ctx.Err() != nil {
		return failedAs(context.DeadlineExceeded, err)
	}
	return err
}

// isFree fails with fs.ErrExist if there is an object.
func (u *upload) isFree() error {
	ctx, cancel := u.fs.detached()
	defer cancel()
	switch _, err := u.fs.head(ctx, u.key); {
	case err == nil:
		return fs.ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
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
	return preconditionFailed(err) || u.from.base != nil && status(err) == http.StatusNotFound
}

// patient returns a context for a request that publishes: the end of parent does not
// end it, but vfs.PublishTimeout without progress does.
func patient(parent context.Context) (ctx context.Context, progress func(), stop func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	timer := time.AfterFunc(vfs.PublishTimeout, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() { timer.Reset(vfs.PublishTimeout) }, func() { timer.Stop(); cancel(nil) }
}

// isThere asks once whether the object is the one that would have been made. Where the
// store encrypts, the ETag says nothing; then the checksum does.
func (u *upload) isThere(m made) bool {
	ctx, cancel := u.fs.detached()
	defer cancel()
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
func writing(o *sdk.Options) {
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
}

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
