package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // the ETag of S3
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
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
	p := publication{
		key: u.key, limit: vfs.PublishTimeout,
		request: func(ctx context.Context, a attempt) error {
			in.Body = &body{c: c, progress: a.progress} // what was sent once has been read to its end
			in.IfMatch, in.IfNoneMatch = a.ifMatch, a.ifNoneMatch
			out, err := u.fs.api.PutObject(ctx, in, a.options...)
			if err == nil && aws.ToString(out.ETag) == "" {
				err = errNoETag
			}
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

// errNoETag: a success that does not name what it has made, as of a proxy that has lost its
// server, is none. It counts as a lost answer.
var errNoETag = fmt.Errorf("%w: the store reports success, but not of what", vfs.ErrTransient)

// isConflict reports whether the store could not decide between two requests at once.
func isConflict(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorCode() == "ConditionalRequestConflict" || api.ErrorCode() == "OperationAborted")
}

// publication is a request that publishes.
type publication struct {
	key     string
	id      string // of the multipart upload that it completes; "": it is another request
	request func(ctx context.Context, a attempt) error
	would   func() made   // the object that it makes
	limit   time.Duration // without progress
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

	copyOf string // what the metadata says of a copy (copyOfKey); "": nothing
	mtime  string // what it must say (mtimeKey), as of a copy onto itself; "": anything
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

// decide publishes. Stores like Amazon's may ignore conditions silently, so what depends on
// one is looked at before, unless it is known that the store heeds them, and only one
// session at a time does so for a key: then what is left is the moment between look and request, and
// others than this gateway.
func (u *upload) decide(p publication) error {
	// Not every store minds conditions: no rename of ours looks now and copies later.
	done, err := u.fs.turns.take(context.WithoutCancel(u.ctx), u.key)
	if err != nil {
		return err
	}
	defer done()
	defer u.fs.changed(u.key)
	ifMatch, ifNoneMatch := u.conditions()
	conditional := ifMatch != nil || ifNoneMatch != nil
	if u.continues() || conditional && !u.fs.heedsConditions {
		if err := u.isAsExpected(); err != nil {
			return err
		}
	}
	err = u.fs.try(u.ctx, p, attempt{ifMatch: ifMatch, ifNoneMatch: ifNoneMatch})
	if conditional && notImplemented(err) {
		if err := u.isAsExpected(); err != nil { // the first request took its time
			return err
		}
		err = u.fs.try(u.ctx, p, attempt{})
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
func (b *Backend) try(ctx context.Context, p publication, a attempt) error {
	ctx, progress, stop := patient(ctx, p.limit)
	defer stop()
	attempts := 0
	a.progress, a.options = progress, []func(*sdk.Options){writing, counting(&attempts)}
	err := p.request(ctx, a)
	if err == nil {
		return nil
	}
	// Only the answer to the first attempt says what has become of the request: a second
	// one may have met what the first one has made.
	if (attempts > 1 || lostAnswer(err)) && b.settle(ctx, p, err) {
		return nil
	}
	if ctx.Err() != nil {
		return failedAs(context.DeadlineExceeded, err)
	}
	return err
}

// isAsExpected asks for what the conditions are about.
func (u *upload) isAsExpected() error {
	if u.continues() {
		return u.isBase()
	}
	return u.isFree()
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

// writing are the options of every request with a body: our checksum, or none.
func writing(o *sdk.Options) {
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
}

// counting counts the attempts of one request.
func counting(n *int) func(*sdk.Options) {
	return eachAttempt(func(error) { *n++ })
}

// eachAttempt calls seen with what came of every attempt of one request.
func eachAttempt(seen func(err error)) func(*sdk.Options) {
	count := middleware.FinalizeMiddlewareFunc("ftpgate:attempts", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		seen(err)
		return out, metadata, err
	})
	return func(o *sdk.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Insert(count, "Retry", middleware.After)
		})
	}
}
