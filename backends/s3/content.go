package s3

import (
	"context"
	"hash"
	"io"
	"io/fs"
	"sync"
)

// Memory is taken from the budget in chunks, as data arrives: those that begin a part
// are small, so that a small file does not take much.
const (
	smallChunk = 64 << 10
	largeChunk = 256 << 10
)

// The pools hold no state, only memory that need not be cleared again.
var (
	smallChunks = sync.Pool{New: func() any { return &chunk{b: make([]byte, smallChunk)} }}
	largeChunks = sync.Pool{New: func() any { return &chunk{b: make([]byte, largeChunk)} }}
)

// chunk is memory, of which the first n bytes are filled.
type chunk struct {
	b []byte
	n int
}

func newChunk(size int64) *chunk {
	if size == smallChunk {
		return smallChunks.Get().(*chunk)
	}
	return largeChunks.Get().(*chunk)
}

func (k *chunk) free() {
	k.n = 0
	if len(k.b) == smallChunk {
		smallChunks.Put(k)
	} else {
		largeChunks.Put(k)
	}
}

// content is a small object or one part of a large one, in memory.
type content struct {
	claim  *Claim
	chunks []*chunk
	size   int64
	memory int64     // what the chunks count
	sum    hash.Hash // nil: no checksum
	sent   bool      // the claim knows that it is on its way
}

// append adds p; it waits for the budget as long as ctx lasts. What was added before an
// error is in c.
func (c *content) append(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		if len(c.chunks) == 0 || c.last().n == len(c.last().b) {
			size := int64(largeChunk)
			if c.size < largeChunk {
				size = smallChunk
			}
			if err := c.claim.Grow(ctx, size); err != nil {
				return err
			}
			c.memory += size
			c.chunks = append(c.chunks, newChunk(size))
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

// send says that c is complete and on its way.
func (c *content) send() {
	if !c.sent {
		c.sent = true
		c.claim.Send(c.memory)
	}
}

// release gives the memory back. Nobody may read c any more. It may be called again.
func (c *content) release() {
	for _, k := range c.chunks {
		k.free()
	}
	if c.sent {
		c.claim.Sent(c.memory)
	} else {
		c.claim.Shrink(c.memory)
	}
	c.chunks, c.size, c.memory, c.sent = nil, 0, 0, false
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
