package s3

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// kept is what an upload keeps, beside the metadata, of the object that it continues.
// Whoever may not read its tags sees none; then the configured ones take their place.
type kept struct {
	head *sdk.HeadObjectOutput
	tags *string // as a header; nil: none
}

// keep finds out: one request more if there are tags.
func (u *upload) keep(head *sdk.HeadObjectOutput) (err error) {
	u.from.kept.head = head
	u.from.kept.tags, err = u.fs.tagsOf(u.ctx, u.key, head)
	return err
}

// tagsOf are the tags of an object, as a header.
func (b *Backend) tagsOf(ctx context.Context, key string, head *sdk.HeadObjectOutput) (*string, error) {
	if aws.ToInt32(head.TagCount) == 0 {
		return nil, nil
	}
	out, err := b.api.GetObjectTagging(ctx, &sdk.GetObjectTaggingInput{Bucket: &b.o.Bucket, Key: &key})
	if err != nil {
		return nil, fault("read the tags of", b.name(key), err)
	}
	v := make(url.Values, len(out.TagSet))
	for _, t := range out.TagSet {
		v.Set(aws.ToString(t.Key), aws.ToString(t.Value))
	}
	return text(v.Encode()), nil
}

// keepPut makes the request keep it.
func (u *upload) keepPut(in *sdk.PutObjectInput) {
	a := u.from.kept.head
	if a == nil {
		return
	}
	in.ContentType, in.CacheControl, in.ContentDisposition = a.ContentType, a.CacheControl, a.ContentDisposition
	in.ContentEncoding, in.ContentLanguage, in.WebsiteRedirectLocation = a.ContentEncoding, a.ContentLanguage, a.WebsiteRedirectLocation
	in.Expires, in.StorageClass = expires(a), types.StorageClass(u.fs.classOf(*u.from.base))
	if u.from.kept.tags != nil {
		in.Tagging = u.from.kept.tags
	}
}

// createInput begins the upload in the store.
func (u *upload) createInput() *sdk.CreateMultipartUploadInput {
	in := u.fs.createInput(u.key, u.metadata())
	a := u.from.kept.head
	if a == nil {
		return in
	}
	in.ContentType, in.CacheControl, in.ContentDisposition = a.ContentType, a.CacheControl, a.ContentDisposition
	in.ContentEncoding, in.ContentLanguage, in.WebsiteRedirectLocation = a.ContentEncoding, a.ContentLanguage, a.WebsiteRedirectLocation
	in.Expires, in.StorageClass = expires(a), types.StorageClass(u.fs.classOf(*u.from.base))
	if u.from.kept.tags != nil {
		in.Tagging = u.from.kept.tags
	}
	return in
}
