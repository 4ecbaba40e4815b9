package s3

// Limits of S3 ("Amazon S3 multipart upload limits").
const (
	maxParts    = 10_000
	minPartSize = 5 << 20 // of every part but the last
	maxPartSize = 5 << 30
	maxSize     = 5 << 40
)

// equalParts is how many parts have one size. Then the size doubles with every so many
// parts, so that a file of 5 TiB fits in 10,000 parts although nobody knows its size:
// with parts of 6 MiB, the smallest for which that holds, they are 48 MiB at 41 GiB and
// 384 MiB at 369 GiB.
const equalParts = 1000

// partSize returns the size of the part of this number, from 1.
func (b *Backend) partSize(number int32) int64 {
	size := max(b.o.PartSize, b.o.minPart)
	if b.o.Uniform {
		return size
	}
	return min(size<<((number-1)/equalParts), maxPartSize)
}
