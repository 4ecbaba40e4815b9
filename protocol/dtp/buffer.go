package dtp

import "sync"

// Sizes of the copying, chosen by the benchmarks of this package.
const (
	// smallBuffer is what every transfer begins with: a small file fits, and a
	// thousand idle data connections hold little.
	smallBuffer = 64 << 10
	// largeBuffer is for those that turn out to be long.
	largeBuffer = 256 << 10
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
)

type buffer struct {
	b []byte
}

func getBuffer() *buffer { return smallBuffers.Get().(*buffer) }

// grow changes b for a large one; what it holds is lost.
func (b *buffer) grow() *buffer {
	if len(b.b) == largeBuffer {
		return b
	}
	b.put()
	return largeBuffers.Get().(*buffer)
}

func (b *buffer) put() {
	if len(b.b) == largeBuffer {
		largeBuffers.Put(b)
	} else {
		smallBuffers.Put(b)
	}
}
