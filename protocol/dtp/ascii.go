package dtp

import "bytes"

// expandLF puts a CR before every LF of b[at:at+n] and leaves the result in
// b[:m]. It works in place: with at >= n the result, at most 2n long, never
// overtakes what is still to be read.
func expandLF(b []byte, at, n int) (m int) {
	for src := b[at : at+n]; len(src) > 0; {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			return m + copy(b[m:], src)
		}
		m += copy(b[m:], src[:i])
		b[m], b[m+1] = '\r', '\n'
		m += 2
		src = src[i+1:]
	}
	return m
}

// joinCRLF turns every CRLF of b into LF, in place. If more follows, a CR at
// the very end is cut off and reported: what follows decides about it.
func joinCRLF(b []byte, more bool) (text []byte, cr bool) {
	if n := len(b); more && n > 0 && b[n-1] == '\r' {
		b, cr = b[:n-1], true
	}
	m := 0
	for src := b; ; {
		i := bytes.IndexByte(src, '\r')
		if i < 0 || i+1 == len(src) {
			return b[:m+copy(b[m:], src)], cr
		}
		keep := i
		if src[i+1] != '\n' {
			keep++
		}
		m += copy(b[m:], src[:keep])
		src = src[i+1:]
	}
}
