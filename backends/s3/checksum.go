package s3

import (
	"crypto/sha1" //nolint:gosec // a checksum that S3 knows, no signature
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// crc64NVME is the polynomial of CRC-64/NVME, reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// newSum returns the hash of one of the algorithms of S3, or nil.
// The checksum is sent in a header, so the SDK neither reads the body twice nor sends it in chunks of
// a format that other stores than AWS may not know.
func newSum(algorithm types.ChecksumAlgorithm) hash.Hash {
	switch algorithm {
	case types.ChecksumAlgorithmCrc32:
		return crc32.NewIEEE()
	case types.ChecksumAlgorithmCrc32c:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case types.ChecksumAlgorithmCrc64nvme:
		return crc64.New(crc64.MakeTable(crc64NVME))
	case types.ChecksumAlgorithmSha1:
		return sha1.New() //nolint:gosec // as above
	case types.ChecksumAlgorithmSha256:
		return sha256.New()
	}
	return nil
}

// sums are the fields for checksums that many types of the SDK have.
type sums struct{ crc32, crc32c, crc64, sha1, sha256 *string }

// sumsOf returns the fields for the checksum of c.
func sumsOf(algorithm types.ChecksumAlgorithm, c *content) sums {
	if c.sum == nil {
		return sums{}
	}
	v := base64.StdEncoding.EncodeToString(c.sum.Sum(nil))
	return sumField(algorithm, &v)
}

// sumField sets the field of an algorithm.
func sumField(algorithm types.ChecksumAlgorithm, sum *string) (s sums) {
	switch algorithm {
	case types.ChecksumAlgorithmCrc32:
		s.crc32 = sum
	case types.ChecksumAlgorithmCrc32c:
		s.crc32c = sum
	case types.ChecksumAlgorithmCrc64nvme:
		s.crc64 = sum
	case types.ChecksumAlgorithmSha1:
		s.sha1 = sum
	case types.ChecksumAlgorithmSha256:
		s.sha256 = sum
	}
	return s
}
