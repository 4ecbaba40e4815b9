package s3

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// md5Key is the metadata key of the MD5 in base64 that rclone writes for what it uploads
// in parts.
const md5Key = "md5chksum"

// storedHashes are those that S3 may have with an object, whoever has stored it.
const storedHashes = vfs.CRC32 | vfs.CRC32C | vfs.CRC64NVME | vfs.MD5 | vfs.SHA1 | vfs.SHA256

var _ vfs.Hasher = (*fsys)(nil)

// usualHash is what new objects have: the checksum, which of a large one is that of its
// parts if it is no CRC; or else the ETag.
func (b *Backend) usualHash() vfs.Hashes {
	e := b.o.Put.Encryption
	switch h := hashOf(b.algorithm()); {
	case h != 0:
		return h
	case len(e.CustomerKey) > 0 || strings.HasPrefix(e.Algorithm, "aws:kms") || b.isDirectoryBucket():
		return 0
	}
	return vfs.MD5
}

func hashOf(algorithm types.ChecksumAlgorithm) vfs.Hashes {
	switch algorithm {
	case types.ChecksumAlgorithmCrc32:
		return vfs.CRC32
	case types.ChecksumAlgorithmCrc32c:
		return vfs.CRC32C
	case types.ChecksumAlgorithmCrc64nvme:
		return vfs.CRC64NVME
	case types.ChecksumAlgorithmSha1:
		return vfs.SHA1
	case types.ChecksumAlgorithmSha256:
		return vfs.SHA256
	}
	return 0
}

// isDirectoryBucket reports whether the bucket is one of S3 Express One Zone, where an
// ETag is no MD5 although it looks like one.
func (b *Backend) isDirectoryBucket() bool { return strings.HasSuffix(b.o.Bucket, "--x-s3") }

// Digest implements vfs.Hasher: one HEAD. Nothing is downloaded.
func (f *fsys) Digest(name string, algorithm vfs.Hashes) ([]byte, int64, error) {
	digest, size, err := f.digest(name, algorithm)
	if err != nil {
		return nil, 0, fault("digest", name, err)
	}
	return digest, size, nil
}

func (f *fsys) digest(name string, algorithm vfs.Hashes) ([]byte, int64, error) {
	err := f.ctx.Err()
	if err != nil {
		return nil, 0, err
	}
	var out *sdk.HeadObjectOutput
	err = fs.ErrNotExist
	if name != "/" && !f.dirs {
		out, err = f.headWithChecksums(name)
	}
	if err != nil {
		if err = translate(err); errors.Is(err, fs.ErrNotExist) {
			if _, dirErr := f.stat(name); dirErr == nil { // as in Stat: then it is a directory
				err = vfs.ErrIsDir
			}
		}
		return nil, 0, err
	}
	stored := f.digests(out)
	if digest, ok := stored[algorithm]; ok {
		return digest, aws.ToInt64(out.ContentLength), nil
	}
	none := &vfs.NoDigestError{Algorithm: algorithm}
	for h := range stored {
		none.Stored |= h
	}
	return nil, 0, none
}

func (f *fsys) headWithChecksums(name string) (*sdk.HeadObjectOutput, error) {
	key, err := f.key(name)
	if err != nil {
		return nil, err
	}
	return f.api.HeadObject(f.ctx, &sdk.HeadObjectInput{Bucket: &f.o.Bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
}

// digests are those of the whole object that a HEAD has told of. A checksum of checksums
// of parts is none of them.
func (b *Backend) digests(o *sdk.HeadObjectOutput) map[vfs.Hashes][]byte {
	all := make(map[vfs.Hashes][]byte)
	add := func(h vfs.Hashes, digest []byte, err error) {
		if err == nil && len(digest) == h.New().Size() {
			all[h] = digest
		}
	}
	if text := o.Metadata[md5Key]; text != "" {
		digest, err := base64.StdEncoding.DecodeString(text)
		add(vfs.MD5, digest, err)
	}
	if b.etagIsMD5(o) {
		digest, err := hex.DecodeString(strings.Trim(aws.ToString(o.ETag), `"`))
		add(vfs.MD5, digest, err)
	}
	if o.ChecksumType == types.ChecksumTypeComposite || o.ChecksumType == "" && partsOf(aws.ToString(o.ETag)) > 0 {
		return all // older stores do not say which type it is
	}
	for h, sum := range map[vfs.Hashes]*string{
		vfs.CRC32: o.ChecksumCRC32, vfs.CRC32C: o.ChecksumCRC32C, vfs.CRC64NVME: o.ChecksumCRC64NVME,
		vfs.SHA1: o.ChecksumSHA1, vfs.SHA256: o.ChecksumSHA256,
	} {
		if sum != nil { // "...-3" is no base64
			digest, err := base64.StdEncoding.DecodeString(*sum)
			add(h, digest, err)
		}
	}
	return all
}

// etagIsMD5 reports whether the ETag is the MD5 of the content, if it looks like one: that
// of an upload in parts has a suffix.
func (b *Backend) etagIsMD5(o *sdk.HeadObjectOutput) bool {
	return aws.ToString(o.SSECustomerAlgorithm) == "" && !strings.HasPrefix(string(o.ServerSideEncryption), "aws:kms") && !b.isDirectoryBucket()
}
