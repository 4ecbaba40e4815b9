package s3

import (
	"context"
	"io"
	"sync"
	"time"
)

// One streamed GET is the cheapest way to read an object, as long as it keeps up with
// the client. Parallel ranges cost memory and a copy of every byte; they pay where one
// connection is the bottleneck.
const (
	paceWindow = 4 << 20 // how many bytes decide
	// fastStream is a rate of the store, in bytes a second, that parallel ranges are not
	// worth the trouble beyond.
	fastStream = 256 << 20
	minRange   = 1 << 20
)

// pace measures who waits for whom.
type pace struct {
	store, client time.Duration // of this window
	bytes         int
	at            time.Time // the last begin or end
}

// begin is called when the client wants more.
func (p *pace) begin() {
	now := time.Now()
	if !p.at.IsZero() {
		p.client += now.Sub(p.at)
	}
	p.at = now
}

// end is called when the store has given n bytes. It reports, once a window, whether the
// store was what was waited for.
func (p *pace) end(n int) (slow bool) {
	now := time.Now()
	p.store += now.Sub(p.at)
	p.at = now
	if p.bytes += n; p.bytes < paceWindow {
		return false
	}
	slow = p.store > p.client && p.store > time.Duration(p.bytes)*time.Second/fastStream
	p.store, p.client, p.bytes = 0, 0, 0
	return slow
}

// readAhead reads ranges of an object at the same time, each in a goroutine that close
// waits for.
type readAhead struct {
	d      *download
	claim  *Claim
	cancel context.CancelFunc
	ctx    context.Context
	wg     sync.WaitGroup
	size   int64   // of one range
	next   int64   // where the next range begins
	spans  []*span // in order; the first one holds the next byte
	rest   []byte  // of used, what was not read yet
	used   *chunk
}

// span is one range on its way.
type span struct {
	filled chan *chunk // as many as the range needs, then closed
	err    error       // why it ended early; to be read after filled is closed
}

// newReadAhead goes on with ranges where the stream is, which becomes the first one.
// It returns nil where it would not help.
func (d *download) newReadAhead() *readAhead {
	o := d.fs.o
	size := max(o.ReadAhead/int64(max(o.Concurrency, 1)), minRange)
	size -= size % largeChunk
	if o.Concurrency < 2 || d.broken != nil || d.end-d.off < 2*size {
		return nil
	}
	a := &readAhead{d: d, claim: o.Budget.Claim(nil), size: size, next: d.off}
	a.ctx, a.cancel = context.WithCancel(d.ctx)
	if !a.fill(d.stream) {
		a.close()
		return nil
	}
	d.stream, d.broken = nil, nil
	return a
}

// fill begins ranges as far as there is memory, the first with the stream that is there.
// It reports whether anything is on its way.
func (a *readAhead) fill(stream io.ReadCloser) bool {
	end := a.d.end
	for len(a.spans) < a.d.fs.o.Concurrency && a.next < end && a.claim.TryGrow(a.size) {
		off := a.next
		a.next = min(off+a.size, end)
		s := &span{filled: make(chan *chunk, a.size/largeChunk)}
		a.spans = append(a.spans, s)
		body := stream
		stream = nil
		until := a.next
		a.wg.Go(func() {
			defer close(s.filled)
			s.err = guarded(func() error { return a.fetch(s, body, off, until) })
		})
	}
	return len(a.spans) > 0
}

// fetch fills s with the bytes from off to end. body, if there is one, is at off.
func (a *readAhead) fetch(s *span, body io.ReadCloser, off, end int64) error {
	defer func() {
		if body != nil {
			_ = body.Close() // whatever was wrong, Read has said it
		}
	}()
	tries := 0
	for off < end {
		k := a.d.fs.o.Budget.chunk(largeChunk)
		want := int(min(end-off, largeChunk))
		for k.n < want {
			var err error
			if body == nil {
				if body, err = a.d.get(a.ctx, off+int64(k.n), end); err != nil {
					k.free()
					return err
				}
			}
			var n int
			n, err = body.Read(k.b[k.n:want])
			k.n += n
			if n > 0 {
				tries = 0
			}
			if err == nil || k.n == want {
				continue
			}
			_ = body.Close()
			body = nil
			if tries, err = again(a.ctx, tries, err); err != nil {
				k.free()
				return err
			}
		}
		off += int64(k.n)
		s.filled <- k
	}
	return nil
}

// read copies what has arrived to p. It returns 0 and no error when nothing is on its
// way and there is no memory for more.
func (a *readAhead) read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		a.drop()
		a.fill(nil)
		if len(a.spans) == 0 {
			a.close()
			return 0, nil
		}
		s := a.spans[0]
		select {
		case k, ok := <-s.filled:
			if ok {
				a.used, a.rest = k, k.b[:k.n]
				break
			}
			if s.err != nil {
				return 0, s.err
			}
			a.spans = a.spans[1:]
		case <-a.ctx.Done():
			return 0, a.ctx.Err()
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	if len(a.rest) == 0 {
		a.drop()
	}
	return n, nil
}

// drop gives back the chunk that was read.
func (a *readAhead) drop() {
	if a.used != nil {
		a.used.free()
		a.used, a.rest = nil, nil
		a.claim.Shrink(largeChunk)
	}
}

// close ends what is on its way, waits for it and gives all memory back.
func (a *readAhead) close() {
	a.cancel()
	a.wg.Wait()
	for _, s := range a.spans {
		for k := range s.filled {
			k.free()
		}
	}
	a.spans = nil
	a.drop()
	a.claim.Close()
}
