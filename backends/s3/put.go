package s3

import (
	"mime"
	"net/url"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// algorithm is the checksum of new objects, "" for none.
func (b *Backend) algorithm() types.ChecksumAlgorithm {
	return types.ChecksumAlgorithm(b.o.Put.Checksum)
}

// contentType goes by the extension, if at all.
func (b *Backend) contentType(key string) *string {
	if !b.o.Put.ContentTypes {
		return nil
	}
	return text(mime.TypeByExtension(path.Ext(key)))
}

// tags are those of new objects, as a header.
func (b *Backend) tags() *string {
	v := make(url.Values, len(b.o.Put.Tags))
	for k, t := range b.o.Put.Tags {
		v.Set(k, t)
	}
	return text(v.Encode())
}

// text is nil for "".
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// putInput is PutObject of c.
func (b *Backend) putInput(key string, metadata map[string]string, c *content) *sdk.PutObjectInput {
	o, s := b.o.Put, sumsOf(b.algorithm(), c)
	return &sdk.PutObjectInput{
		Bucket: &b.o.Bucket, Key: &key, ContentLength: aws.Int64(c.size),
		StorageClass: types.StorageClass(o.StorageClass), ACL: types.ObjectCannedACL(o.ACL),
		ServerSideEncryption: types.ServerSideEncryption(o.Encryption.Algorithm), SSEKMSKeyId: text(o.Encryption.KMSKey),
		ContentType: b.contentType(key), Tagging: b.tags(), Metadata: metadata,
		ChecksumCRC32: s.crc32, ChecksumCRC32C: s.crc32c, ChecksumCRC64NVME: s.crc64, ChecksumSHA1: s.sha1, ChecksumSHA256: s.sha256,
	}
}

// createInput begins what in the end is an object as putInput would make it.
func (b *Backend) createInput(key string, metadata map[string]string) *sdk.CreateMultipartUploadInput {
	o := b.o.Put
	return &sdk.CreateMultipartUploadInput{
		Bucket: &b.o.Bucket, Key: &key,
		StorageClass: types.StorageClass(o.StorageClass), ACL: types.ObjectCannedACL(o.ACL),
		ServerSideEncryption: types.ServerSideEncryption(o.Encryption.Algorithm), SSEKMSKeyId: text(o.Encryption.KMSKey),
		ContentType: b.contentType(key), Tagging: b.tags(), Metadata: metadata,
		ChecksumAlgorithm: b.algorithm(), ChecksumType: b.checksumType(),
	}
}
