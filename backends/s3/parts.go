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
// with parts of 6 MiB, the smallest for which that holds, they are 48 MiB beyond 41 GiB and
// 384 MiB beyond 369 GiB.
const equalParts = 1000

// hintedParts is how many parts an upload of announced size may have that are all of one size: no
// part is then larger than it needs be. What is left is for files that turn out longer,
// up to a hundred times; beyond that they fail.
const hintedParts = 5000

// hintedPart is the size of a part that an announcement can bring about if there is no budget.
const hintedPart = 64 << 20

// sizes are those of the parts of one upload: so many of one size, then twice that size for
// as many parts as step says, and so on.
type sizes struct {
	first       int64
	equal, step int32 // step 0: all are of one size
}

// sizesFor chooses the sizes for an upload of about n bytes; 0: nobody knows. A client may say
// anything: what it says gets it no part larger than an eighth of the budget.
func (b *Backend) sizesFor(n int64) sizes {
	s := sizes{first: max(b.o.PartSize, b.o.minPart), equal: equalParts, step: equalParts}
	parts := int64(hintedParts)
	if b.o.Uniform {
		s.step, parts = 0, maxParts
	}
	n = min(n, maxSize)
	largest := int64(hintedPart)
	if b.o.Budget != nil {
		largest = b.o.Budget.total / 8
	}
	s.first = max(s.first, min(roundUp(divideUp(n, parts), 1<<20), largest))
	if want := divideUp(n, s.first); s.step != 0 && want > equalParts && want <= hintedParts {
		s.equal = int32(want)             //nolint:gosec // as just seen
		s.step = (maxParts - s.equal) / 9 // nine times: beyond that parts would be too large
	}
	return s
}

func divideUp(n, by int64) int64 { return (n + by - 1) / by }

// part returns the size of the part of this number, from 1.
func (s sizes) part(number int32) int64 {
	if s.step == 0 || number <= s.equal {
		return s.first
	}
	return min(s.first<<((number-s.equal-1)/s.step+1), maxPartSize)
}
