package fake

import "io"

// content is the bytes of an object. It is never changed, so copies share it.
type content []piece

// piece is a run of bytes: data, or size zeros that take no memory.
type piece struct {
	data []byte
	size int64
}

func bytesOf(data []byte) content {
	if len(data) == 0 {
		return nil
	}
	return content{{data, int64(len(data))}}
}

func zeros(size int64) content { return content{{nil, size}} }

func (c content) size() (n int64) {
	for _, p := range c {
		n += p.size
	}
	return n
}

// slice returns the bytes from, inclusive, to to, exclusive.
func (c content) slice(from, to int64) (out content) {
	for _, p := range c {
		if lo, hi := max(from, 0), min(to, p.size); lo < hi {
			if p.data != nil {
				out = append(out, piece{p.data[lo:hi], hi - lo})
			} else {
				out = append(out, piece{nil, hi - lo})
			}
		}
		from, to = from-p.size, to-p.size
	}
	return out
}

// WriteTo implements io.WriterTo.
func (c content) WriteTo(w io.Writer) (n int64, err error) {
	for _, p := range c {
		for rest := p; rest.size > 0; {
			chunk := rest.data
			if chunk == nil {
				chunk = nothing[:min(rest.size, int64(len(nothing)))]
			}
			m, err := w.Write(chunk)
			n += int64(m)
			if err != nil {
				return n, err
			}
			if rest.data != nil {
				break
			}
			rest.size -= int64(m)
		}
	}
	return n, nil
}

// nothing is never written to.
var nothing [64 << 10]byte
