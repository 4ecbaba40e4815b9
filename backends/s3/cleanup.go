package s3

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Leftover is a multipart upload that was begun and neither completed nor aborted. Its
// parts are paid for and in no listing.
type Leftover struct {
	Bucket, Key string
	ID          string
	Begun       time.Time
}

// Leftovers are the unfinished uploads below the prefix that were begun before a time. Those
// that are under way are among them, if they take that long.
func (b *Backend) Leftovers(ctx context.Context, before time.Time) iter.Seq2[Leftover, error] {
	return func(yield func(Leftover, error) bool) {
		in := &sdk.ListMultipartUploadsInput{Bucket: &b.o.Bucket, Prefix: &b.o.Prefix}
		for {
			out, err := b.api.ListMultipartUploads(ctx, in)
			if err != nil {
				yield(Leftover{}, fault("list uploads", b.name(b.o.Prefix), err))
				return
			}
			for _, u := range out.Uploads {
				l := Leftover{Bucket: b.o.Bucket, Key: aws.ToString(u.Key), ID: aws.ToString(u.UploadId), Begun: aws.ToTime(u.Initiated)}
				if l.Begun.Before(before) && !yield(l, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
		}
	}
}

// Abort deletes the parts of an unfinished upload. One that has ended meanwhile is no error.
func (b *Backend) Abort(ctx context.Context, l Leftover) error {
	_, err := b.api.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: &l.Bucket, Key: &l.Key, UploadId: &l.ID})
	if status(err) == http.StatusNotFound {
		return nil
	}
	return fault("abort", b.name(l.Key), err)
}
