package s3

import "sync"

// keepMapped is how much of the memory of a Budget that nobody uses is kept: what small
// files need.
const keepMapped = 1 << 20

// memory is where the chunks of a Budget lie: outside of the heap, so that the garbage
// collector neither lets as much garbage pile up beside them as they are large, nor keeps
// what is not needed any more.
type memory struct {
	limit int64 // that what is kept does not pass

	mu     sync.Mutex
	mapped int64
	used   int64
	free   map[int64][]*chunk // by size
}

// chunk returns one of this size. What is in it is anything.
func (b *Budget) chunk(size int64) *chunk {
	if b == nil {
		return &chunk{b: make([]byte, size)}
	}
	m := &b.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used += size
	if free := m.free[size]; len(free) > 0 {
		k := free[len(free)-1]
		m.free[size] = free[:len(free)-1]
		return k
	}
	m.trim(m.limit - size)
	m.mapped += size
	return &chunk{b: mapMemory(int(size)), memory: m}
}

// free gives k back. Nobody may use it any more.
func (k *chunk) free() {
	k.n = 0
	m := k.memory
	if m == nil {
		return
	}
	size := int64(len(k.b))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= size
	if m.free == nil {
		m.free = make(map[int64][]*chunk)
	}
	m.free[size] = append(m.free[size], k)
	if m.used == 0 {
		m.trim(keepMapped)
	}
}

// trim unmaps what is free until not more than limit is mapped, as far as there is
// something: the larger chunks first.
func (m *memory) trim(limit int64) {
	for _, size := range []int64{largeChunk, smallChunk} {
		free := m.free[size]
		for m.mapped > limit && len(free) > 0 {
			k := free[len(free)-1]
			free[len(free)-1] = nil
			free = free[:len(free)-1]
			unmapMemory(k.b)
			k.b = nil // who uses it nevertheless is told
			m.mapped -= size
		}
		if m.free != nil {
			m.free[size] = free
		}
	}
}
