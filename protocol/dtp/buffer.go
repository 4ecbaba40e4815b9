package dtp

import "sync"

// Sizes of the copying, chosen by the benchmarks of this package.
const (
	// smallBuffer is what every transfer begins with: a small file fits, and a
	// thousand idle data connections hold little.
	smallBuffer = 64 << 10
	// largeBuffer is for those that turn out to be long.
	largeBuffer = 256 << 10
	// fastBuffer is for downloads from storage that is no file to clients that take them
	// fast: 15 % more from an S3 server nearby. Many slow clients would hold much.
	fastBuffer = 512 << 10
	fastFrom   = 16 << 20 // in less than a second
	// spliceFrom is how much of an upload is received through the buffer before
	// a pipe is made for the rest.
	spliceFrom = smallBuffer
	// maxEmptyReads is how often storage may return nothing and no error.
	maxEmptyReads = 100
)

// The pools hold no state, only memory that need not be cleared again.
var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, smallBuffer)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, largeBuffer)} }}
	fastBuffers  = sync.Pool{New: func() any { return &buffer{b: make([]byte, fastBuffer)} }}
)

type buffer struct {
	b []byte
}

func getBuffer() *buffer { return smallBuffers.Get().(*buffer) }

// grow changes b for a large one, if it is not; what it holds is lost.
func (b *buffer) grow() *buffer {
	if len(b.b) != smallBuffer {
		return b
	}
	b.put()
	return largeBuffers.Get().(*buffer)
}

// growFast changes b for the largest one; what it holds is lost.
func (b *buffer) growFast() *buffer {
	b.put()
	return fastBuffers.Get().(*buffer)
}

func (b *buffer) put() {
	switch len(b.b) {
	case smallBuffer:
		smallBuffers.Put(b)
	case largeBuffer:
		largeBuffers.Put(b)
	default:
		fastBuffers.Put(b)
	}
}
