package s3

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The checksum of an upload in parts is, by itself, one of the checksums of its parts: nobody
// can compare it with a file. A store that knows better is asked for that of the whole
// object. It can be made of those of the parts, so the store compares it with what it has got.

// checksumType is what a multipart upload asks for: S3 can do so for CRCs only.
func (b *Backend) checksumType() types.ChecksumType {
	if crcOf(b.algorithm()).width != 0 {
		return types.ChecksumTypeFullObject
	}
	return ""
}

// createMultipart begins an upload. Where the store does not know types of checksums, it
// begins one that has none.
func (b *Backend) createMultipart(ctx context.Context, in *sdk.CreateMultipartUploadInput, options ...func(*sdk.Options)) (*sdk.CreateMultipartUploadOutput, error) {
	options = append(options, writing)
	out, err := b.api.CreateMultipartUpload(ctx, in, options...)
	if notImplemented(err) && in.ChecksumType != "" {
		in.ChecksumType = ""
		out, err = b.api.CreateMultipartUpload(ctx, in, options...)
	}
	return out, err
}

// createInput asks for the checksum of the whole, unless the store copies some of it:
// versitygw 1.8 takes that of the object for that of each piece it copies, and what is made
// of them would be wrong.
func (m *multipart) createInput() *sdk.CreateMultipartUploadInput {
	in := m.u.createInput()
	if m.copies {
		in.ChecksumType = ""
	}
	return in
}

// wholeSum is the checksum of the object that the parts make, and nil if the store has
// not promised to know it, or has copied some of them.
func (m *multipart) wholeSum() *string {
	algorithm := m.u.fs.algorithm()
	c := crcOf(algorithm)
	if !m.full || m.copies || c.width == 0 {
		return nil
	}
	var sum uint64
	for _, p := range m.done {
		digest, err := base64.StdEncoding.DecodeString(aws.ToString(sumOfPart(algorithm, p)))
		if err != nil || len(digest) != c.width/8 {
			return nil
		}
		sum = c.combine(sum, c.number(digest), m.sizes[*p.PartNumber])
	}
	return aws.String(base64.StdEncoding.EncodeToString(c.digest(sum)))
}

// sized notes how large a part is.
func (m *multipart) sized(number int32, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sizes == nil {
		m.sizes = make(map[int32]int64)
	}
	m.sizes[number] = size
}

func sumOfPart(algorithm types.ChecksumAlgorithm, p types.CompletedPart) *string {
	switch algorithm {
	case types.ChecksumAlgorithmCrc32:
		return p.ChecksumCRC32
	case types.ChecksumAlgorithmCrc32c:
		return p.ChecksumCRC32C
	case types.ChecksumAlgorithmCrc64nvme:
		return p.ChecksumCRC64NVME
	}
	return nil
}

// promise makes a CompleteMultipartUpload say what the whole object has to be.
func (m *multipart) promise(in *sdk.CompleteMultipartUploadInput) {
	if whole := m.wholeSum(); whole != nil {
		s := sumField(m.u.fs.algorithm(), whole)
		in.ChecksumType = types.ChecksumTypeFullObject
		in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME = s.crc32, s.crc32c, s.crc64
	}
}

// crc is a cyclic redundancy check with reflected bits, all of them inverted before and
// after. A polynomial modulo poly stands in the low width bits, the coefficient of x⁰ highest.
type crc struct {
	width int // bits; 0: no CRC
	poly  uint64
}

func crcOf(algorithm types.ChecksumAlgorithm) crc {
	switch algorithm {
	case types.ChecksumAlgorithmCrc32:
		return crc{32, crc32.IEEE}
	case types.ChecksumAlgorithmCrc32c:
		return crc{32, crc32.Castagnoli}
	case types.ChecksumAlgorithmCrc64nvme:
		return crc{64, crc64NVME}
	}
	return crc{}
}

// combine returns the CRC of a and b, one after the other, from those of each: that
// of a moved by the size of b in bits, which is a multiplication by a power of x.
func (c crc) combine(a, b uint64, sizeOfB int64) uint64 {
	square, power := uint64(1)<<(c.width-1-8), uint64(1)<<(c.width-1) // x⁸ and x⁰
	for n := sizeOfB; n > 0; n >>= 1 {
		if n&1 != 0 {
			power = c.multiply(power, square)
		}
		square = c.multiply(square, square)
	}
	return c.multiply(a, power) ^ b
}

// multiply returns the product of two polynomials modulo poly.
func (c crc) multiply(a, b uint64) (product uint64) {
	for bit := uint64(1) << (c.width - 1); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		odd := b & 1
		b >>= 1 // times x
		if odd != 0 {
			b ^= c.poly
		}
	}
	return product
}

// number and digest turn the bytes of a CRC, high byte first, into its value and back.
func (c crc) number(digest []byte) uint64 {
	var b [8]byte
	copy(b[8-len(digest):], digest)
	return binary.BigEndian.Uint64(b[:])
}

func (c crc) digest(sum uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, sum)[8-c.width/8:]
}
