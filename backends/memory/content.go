package memory

import (
	"slices"
	"sync/atomic"
)

// chunkSize is the length of every chunk but a content's last. A new one is
// allocated whole, except the first, which grows with a small file.
const chunkSize = 256 << 10

// chunk is a piece of one or more contents. A chunk that is shared is full and
// never changes.
type chunk struct {
	refs atomic.Int32
	data []byte
}

// content is the bytes of one version of a file. The upload that makes it is
// its only user until it is published or held; from then on it never changes,
// and its address tells one version of a file from another.
type content struct {
	budget *budget
	chunks []*chunk
	size   int64
	refs   atomic.Int32
}

// newContent returns an empty content with one reference, its maker's.
func newContent(b *budget) *content {
	c := &content{budget: b}
	c.refs.Store(1)
	return c
}

// retain adds a reference; the caller knows of one that is not released yet.
func (c *content) retain() *content {
	c.refs.Add(1)
	return c
}

// release drops a reference, and with the last one the bytes and what they
// counted. A nil content holds nothing.
func (c *content) release() {
	if c == nil || c.refs.Add(-1) > 0 {
		return
	}
	for _, k := range c.chunks {
		if k.refs.Add(-1) == 0 {
			c.budget.give(int64(len(k.data)))
		}
	}
	// Whoever still compares addresses must not keep the bytes alive.
	c.chunks = nil
}

// append adds p, for which the caller has taken len(p) from the budget.
func (c *content) append(p []byte) {
	c.size += int64(len(p))
	for len(p) > 0 {
		k := c.tail()
		if k == nil {
			k = &chunk{}
			k.refs.Store(1)
			// Appending to nil below copies a full chunk without clearing it first.
			if len(c.chunks) > 0 && len(p) < chunkSize {
				k.data = make([]byte, 0, chunkSize)
			}
			c.chunks = append(c.chunks, k)
		}
		n := min(len(p), chunkSize-len(k.data))
		k.data = append(k.data, p[:n]...)
		p = p[n:]
	}
}

// tail returns the last chunk if there is room in it.
func (c *content) tail() *chunk {
	if len(c.chunks) == 0 {
		return nil
	}
	if k := c.chunks[len(c.chunks)-1]; len(k.data) < chunkSize {
		return k
	}
	return nil
}

// seal ends the growth of c and gives back memory that the last chunk has to spare.
func (c *content) seal() {
	if k := c.tail(); k != nil && cap(k.data)-len(k.data) > len(k.data)/8 {
		k.data = slices.Clone(k.data)
	}
}

// tailOf returns how many of the first n bytes head has to copy.
func tailOf(n int64) int64 { return n % chunkSize }

// head returns a new content of the first n bytes, n <= size. Whole chunks are
// shared; the caller has taken tailOf(n) from the budget for the rest.
func (c *content) head(n int64) *content {
	h := newContent(c.budget)
	whole := n / chunkSize
	h.chunks = slices.Clone(c.chunks[:whole])
	for _, k := range h.chunks {
		k.refs.Add(1)
	}
	h.size = whole * chunkSize
	if rest := tailOf(n); rest > 0 {
		h.append(c.chunks[whole].data[:rest])
	}
	return h
}

// at returns the bytes from off to the end of their chunk, none at the end.
func (c *content) at(off int64) []byte {
	if off >= c.size {
		return nil
	}
	return c.chunks[off/chunkSize].data[off%chunkSize:]
}
