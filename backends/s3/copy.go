package s3

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// copying is a copy that the store makes by itself, of one version of an object.
type copying struct {
	from object // key, ETag and size count
	to   string

	// At most one of these is set. Where the store has no conditions, neither holds.
	ifNoneMatch *string // "*": only to a key that is free
	ifMatch     *string // only over this version

	mtime  *time.Time // a new one for the copy; nil: it keeps its own
	record bool       // the copy says in its metadata what it was made from (copyOfKey)
}

// copyOfKey is the metadata key of the ETag, without quotes, of the object that another
// one was copied from, where the ETag of the copy is another one.
const copyOfKey = "ftpgate-copy-of"

// keepsETag reports whether a copy of the object has the ETag that it has itself, as the
// MD5 of the content is. A bucket that encrypts by itself with a KMS key is not known.
func (b *Backend) keepsETag(o object) bool {
	e := b.o.Put.Encryption
	return o.parts == 0 && o.size <= b.o.CopyPart && e.Algorithm != string(types.ServerSideEncryptionAwsKms) && len(e.CustomerKey) == 0
}

// isCopy reports whether what is there is a copy of an object, in its version.
func isCopy(there, of object) bool {
	return of.etag != "" && there.size == of.size &&
		(there.etag == of.etag || there.metadata[copyOfKey] == strings.Trim(of.etag, `"`))
}

// metadata is that of a copy to which the store does not give it by itself.
func (c copying) metadata(m map[string]string) map[string]string {
	if c.mtime == nil && !c.record {
		return m
	}
	other := make(map[string]string, len(m)+1)
	maps.Copy(other, m)
	if c.mtime != nil {
		other[mtimeKey] = formatMtime(*c.mtime)
	}
	if c.record {
		other[copyOfKey] = strings.Trim(c.from.etag, `"`)
	}
	return other
}

// run makes the copy. It fails with a precondition (preconditionFailed) if the source
// is no longer the version, or if the condition on the target does not hold. It succeeds
// only if the store has named the ETag of the target, for the caller may delete the source.
func (c copying) run(ctx context.Context, b *Backend) error {
	if c.from.size > b.o.CopyPart {
		defer b.changed(c.to)
		return c.inParts(ctx, b)
	}
	made, err := c.inOne(ctx, b)
	if err != nil {
		b.changed(c.to)
		return err
	}
	b.cache.made(made) // listings go on showing its time
	return nil
}

// inOne copies by one request.
func (c copying) inOne(ctx context.Context, b *Backend) (made object, err error) {
	in := &sdk.CopyObjectInput{
		Bucket: &b.o.Bucket, Key: &c.to, CopySource: aws.String(b.copySource(c.from.key)), CopySourceIfMatch: &c.from.etag,
		ACL: types.ObjectCannedACL(b.o.Put.ACL), StorageClass: types.StorageClass(b.classOf(c.from)),
		ServerSideEncryption: types.ServerSideEncryption(b.o.Put.Encryption.Algorithm), SSEKMSKeyId: text(b.o.Put.Encryption.KMSKey),
	}
	if c.mtime != nil || c.record {
		a, err := b.attributes(ctx, c.from)
		if err != nil {
			return made, err
		}
		in.MetadataDirective = types.MetadataDirectiveReplace
		in.Metadata = c.metadata(a.Metadata)
		in.CacheControl, in.ContentDisposition, in.ContentEncoding = a.CacheControl, a.ContentDisposition, a.ContentEncoding
		in.ContentLanguage, in.ContentType, in.WebsiteRedirectLocation = a.ContentLanguage, a.ContentType, a.WebsiteRedirectLocation
		in.Expires = expires(a)
	}
	in.IfMatch, in.IfNoneMatch = c.ifMatch, c.ifNoneMatch
	attempts, asked := 0, time.Now()
	out, err := b.api.CopyObject(ctx, in, counting(&attempts))
	if notImplemented(err) && (in.IfMatch != nil || in.IfNoneMatch != nil) {
		in.IfMatch, in.IfNoneMatch = nil, nil
		out, err = b.api.CopyObject(ctx, in)
	}
	if err == nil && (out.CopyObjectResult == nil || aws.ToString(out.CopyObjectResult.ETag) == "") {
		err = errNoResult
	}
	if lostAnswer(err) || attempts > 1 && preconditionFailed(err) { // the SDK may have asked again after an answer was lost
		if o, ok := c.ours(ctx, b); ok {
			return o, nil
		}
	}
	if err != nil {
		return made, fault("copy", b.name(c.from.key), err)
	}
	r := out.CopyObjectResult
	made = c.from
	made.key, made.etag, made.modified = c.to, aws.ToString(r.ETag), aws.ToTime(r.LastModified).Truncate(time.Second)
	made.parts, made.asked = partsOf(made.etag), asked
	if in.MetadataDirective != "" {
		made.metadata, made.whole = in.Metadata, true
		made.mtime, _ = parseMtime(in.Metadata[mtimeKey])
	}
	return made, nil
}

// errNoResult is a success that does not say what was made, such as the empty answer of a
// proxy: nothing may have been.
var errNoResult = fmt.Errorf("%w: the store did not say what it has copied", vfs.ErrTransient)

// ours returns the target if it is what this copy makes. The caller is going to
// delete the source, so what is only like it does not do: where the ETag does not tell
// (that of a source in parts is not its copy's), somebody else may have made it.
func (c copying) ours(ctx context.Context, b *Backend) (o object, ok bool) {
	o, err := b.head(ctx, c.to)
	if err != nil || o.size != c.from.size || o.etag == "" {
		return o, false
	}
	if c.mtime != nil { // of the object itself, which nobody deletes
		return o, o.mtime.Equal(*c.mtime)
	}
	return o, isCopy(o, c.from)
}

// attributes are those of a version of an object, as a copy must be given them anew.
func (b *Backend) attributes(ctx context.Context, o object) (*sdk.HeadObjectOutput, error) {
	a, err := b.api.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: &b.o.Bucket, Key: &o.key, IfMatch: &o.etag})
	return a, fault("head", b.name(o.key), err)
}

func expires(a *sdk.HeadObjectOutput) *time.Time {
	if at, err := http.ParseTime(aws.ToString(a.ExpiresString)); err == nil {
		return &at
	}
	return nil
}

// classOf is the storage class of a copy: the object's, which a copy does not keep by itself.
func (b *Backend) classOf(o object) string {
	if o.storageClass == "" || o.storageClass == string(types.StorageClassStandard) {
		return b.o.Put.StorageClass
	}
	return o.storageClass
}

// copySource names an object in a header: every byte that means something in a URL
// anywhere is escaped, for some stores read "+" as a space.
func (b *Backend) copySource(key string) string {
	bucket := b.o.Bucket + "/"
	if strings.HasPrefix(bucket, "arn:") { // of an access point
		bucket += "object/"
	}
	escaped := url.QueryEscape(bucket + key)
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(escaped)
}
