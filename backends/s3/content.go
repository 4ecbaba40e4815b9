package s3

import (
	"context"
	"hash"
	"io"
	"io/fs"
	"sync"
)

// Memory comes in chunks, as data arrives.
const (
	smallChunk = 64 << 10
	largeChunk = 256 << 10
)

// chunk is memory of a Budget, of which the first n bytes are filled.
type chunk struct {
	b      []byte
	n      int
	memory *memory // nil: it is from the heap
}

// content is a small object or one part of a large one, in memory.
type content struct {
	// reading is held by a body that reads. A request that was cancelled may return before
	// net/http has stopped reading its body, and the memory is somebody else's after release.
	reading sync.RWMutex

	claim  *Claim
	limit  int64 // the size of the part
	later  bool  // it is not the first part
	chunks []*chunk
	size   int64
	memory int64     // of all chunks
	sum    hash.Hash // nil: no checksum

	released bool
}

// append adds p, which fits below the limit; it waits for the budget as long as ctx
// lasts. What was added before an error is in c.
func (c *content) append(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		if len(c.chunks) == 0 || c.last().n == len(c.last().b) {
			if err := c.grow(ctx); err != nil {
				return err
			}
		}
		k := c.last()
		n := copy(k.b[k.n:], p)
		if c.sum != nil {
			c.sum.Write(p[:n])
		}
		k.n += n
		c.size += int64(n)
		p = p[n:]
	}
	return nil
}

func (c *content) last() *chunk { return c.chunks[len(c.chunks)-1] }

// chunkSize is small at the beginning, so that a small file does not take much.
func (c *content) chunkSize() int64 {
	if c.size < largeChunk && !c.later {
		return smallChunk
	}
	return largeChunk
}

// grow takes one more chunk.
func (c *content) grow(ctx context.Context) error {
	size := c.chunkSize() // every other chunk is full
	err := c.claim.Take(ctx, need{
		chunk: size, begun: c.memory, rest: max(roundUp(c.limit, largeChunk)-c.memory-size, 0),
		small: !c.later && c.size+size <= smallUpload,
		first: !c.later && c.size == 0,
	})
	if err != nil {
		return err
	}
	c.chunks = append(c.chunks, c.claim.b.chunk(size))
	c.memory += size
	return nil
}

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// release gives the memory back. Nobody may read c any more. It may be called again.
func (c *content) release() {
	c.reading.Lock()
	defer c.reading.Unlock()
	for _, k := range c.chunks {
		k.free()
	}
	c.claim.Shrink(c.memory)
	c.chunks, c.size, c.memory, c.released = nil, 0, 0, true
}

// body reads a content, as often as the SDK tries.
type body struct {
	c        *content
	i        int   // the chunk that is read
	at       int   // where in it
	off      int64 // where in c
	progress func()
}

func (b *body) Read(p []byte) (n int, err error) {
	b.c.reading.RLock()
	defer b.c.reading.RUnlock()
	if b.c.released {
		return 0, fs.ErrClosed
	}
	for n < len(p) && b.i < len(b.c.chunks) {
		k := b.c.chunks[b.i]
		m := copy(p[n:], k.b[b.at:k.n])
		n += m
		b.at += m
		if b.at == k.n {
			b.i, b.at = b.i+1, 0
		}
	}
	b.off += int64(n)
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	if b.progress != nil {
		b.progress()
	}
	return n, nil
}

// WriteTo implements io.WriterTo: what is hashed to be signed is not copied for that.
func (b *body) WriteTo(w io.Writer) (total int64, err error) {
	b.c.reading.RLock()
	defer b.c.reading.RUnlock()
	if b.c.released {
		return 0, fs.ErrClosed
	}
	for b.i < len(b.c.chunks) {
		k := b.c.chunks[b.i]
		n, err := w.Write(k.b[b.at:k.n])
		total += int64(n)
		b.off += int64(n)
		b.at += n
		if err != nil {
			return total, err
		}
		b.i, b.at = b.i+1, 0
	}
	return total, nil
}

// Seek implements io.Seeker.
func (b *body) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.off
	case io.SeekEnd:
		offset += b.c.size
	}
	if offset < 0 || offset > b.c.size {
		return b.off, fs.ErrInvalid
	}
	b.off, b.i = offset, 0
	for b.i < len(b.c.chunks) && offset >= int64(b.c.chunks[b.i].n) {
		offset -= int64(b.c.chunks[b.i].n)
		b.i++
	}
	b.at = int(offset)
	return b.off, nil
}
