package s3

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Leftover is a multipart upload that was begun and neither completed nor aborted. Its
// parts are paid for and in no listing.
type Leftover struct {
	Bucket, Key string
	ID          string
	Begun       time.Time
}

// Leftovers are the unfinished uploads below the prefix that were begun before a time. Those
// that are under way are among them, if they take that long. An error with a Key is about
// that upload, which must not be touched; one without is the last.
func (b *Backend) Leftovers(ctx context.Context, before time.Time) iter.Seq2[Leftover, error] {
	return b.leftovers(ctx, b.o.Prefix, before)
}

func (b *Backend) leftovers(ctx context.Context, prefix string, before time.Time) iter.Seq2[Leftover, error] {
	return func(yield func(Leftover, error) bool) {
		failed := func(err error) { yield(Leftover{}, fault("list uploads", b.name(prefix), err)) }
		in := &sdk.ListMultipartUploadsInput{
			Bucket: &b.o.Bucket, Prefix: &prefix,
			EncodingType: types.EncodingTypeUrl, // XML cannot hold every character that a key can
		}
		for from := (*cursor)(nil); ; {
			out, err := b.api.ListMultipartUploads(ctx, in)
			if err != nil {
				failed(err)
				return
			}
			decode := decoder(out.EncodingType)
			for _, u := range out.Uploads {
				l := Leftover{Bucket: b.o.Bucket, Key: decode(u.Key), ID: aws.ToString(u.UploadId), Begun: aws.ToTime(u.Initiated)}
				if err := checkLeftover(l, prefix); (err != nil || l.Begun.Before(before)) && !yield(l, err) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			key, marker := decode(out.NextKeyMarker), ""
			if key != "" {
				marker = key + "\x00" + aws.ToString(out.NextUploadIdMarker)
			}
			if from, err = from.to(&marker); err != nil {
				failed(err)
				return
			}
			in.KeyMarker, in.UploadIdMarker = &key, out.NextUploadIdMarker
		}
	}
}

// checkLeftover returns why an upload that the store has listed is not one to abort.
func checkLeftover(l Leftover, prefix string) error {
	switch {
	case !strings.HasPrefix(l.Key, prefix) || l.Key == "":
		return fmt.Errorf("the storage lists an upload of %q where it was asked for those below %q; it is left alone", l.Key, prefix)
	case l.ID == "" || l.Begun.IsZero():
		return fmt.Errorf("the storage does not say when the upload of %q was begun, or which one it is; it may be under way and is left alone", l.Key)
	}
	return nil
}

// Abort deletes the parts of an unfinished upload. One that has ended meanwhile is no error.
func (b *Backend) Abort(ctx context.Context, l Leftover) error {
	return fault("abort", b.name(l.Key), b.abortUpload(ctx, l.Key, l.ID))
}
