package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// When the answer to CreateMultipartUpload is lost, the store may have begun an upload whose
// id nobody knows. Nothing in a listing of uploads says whose one is, so at the end those
// of the key are aborted that
//
//   - were begun while we asked, by the clock of the store,
//   - have no part yet: in those of others the first part follows at once,
//   - are no more than we have lost, or else nobody knows which are ours,
//   - and only as long as no other upload of the key in this process is under way.
//
// In doubt an upload stays: without parts it costs nothing, and `s3 cleanup` finds it. If it was
// another program's after all, begun in the same seconds, that one fails and publishes nothing.
type lost struct {
	answers       int // that did not come
	asked, ceased time.Time
}

// dropPatience is for all of it: somebody is waiting for a reply.
const dropPatience = time.Second

// create notes what becomes of a request that begins an upload.
func (l *lost) create(do func(option func(*sdk.Options)) error) error {
	l.asked = time.Now()
	defer func() { l.ceased = time.Now() }()
	return do(eachAttempt(func(err error) {
		if lostAnswer(err) {
			l.answers++
		}
	}))
}

// dropLost aborts what was begun without our knowing the id, as far as that can be told.
func (m *multipart) dropLost() {
	if m.lost.answers == 0 {
		return
	}
	u := m.u
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), dropPatience)
	defer cancel()
	ids := m.lostIDs(ctx)
	if len(ids) > m.lost.answers || u.fs.turns.others(u.key) {
		return
	}
	for _, id := range ids {
		_ = u.fs.abortUpload(ctx, u.key, id) // it stays if that fails
	}
}

// lostIDs are the uploads of the key that were begun while we asked, but for the one that
// we know, and have no parts.
func (m *multipart) lostIDs(ctx context.Context) (ids []string) {
	b := m.u.fs
	out, err := b.api.ListMultipartUploads(ctx, &sdk.ListMultipartUploadsInput{Bucket: &b.o.Bucket, Prefix: &m.u.key})
	if err != nil {
		return nil
	}
	now, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !ok {
		return nil
	}
	// Both dates are of whole seconds.
	first, last := now.Add(-time.Since(m.lost.asked)-time.Second), now.Add(-time.Since(m.lost.ceased)+time.Second)
	for _, l := range out.Uploads { // the key itself comes before those that it is the beginning of
		begun := aws.ToTime(l.Initiated)
		if aws.ToString(l.Key) != m.u.key || aws.ToString(l.UploadId) == m.id || begun.Before(first) || begun.After(last) {
			continue
		}
		parts, err := b.api.ListParts(ctx, &sdk.ListPartsInput{Bucket: &b.o.Bucket, Key: l.Key, UploadId: l.UploadId, MaxParts: aws.Int32(1)})
		if err == nil && len(parts.Parts) == 0 {
			ids = append(ids, *l.UploadId)
		}
	}
	return ids
}
