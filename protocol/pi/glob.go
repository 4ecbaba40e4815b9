package pi

import (
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Bounds on what a pattern may cost: match takes at most len(name) * len(pattern) steps.
const (
	maxPattern = 256
	maxStars   = 16
)

// isPattern reports whether the last segment of a path asks for more than itself.
func isPattern(name string) bool { return strings.ContainsAny(name, "*?[") }

func checkPattern(pattern string) error {
	if len(pattern) > maxPattern || strings.Count(pattern, "*") > maxStars {
		return ftp.Errorf(550, "Pattern too complex.")
	}
	return nil
}

// match reports whether name matches pattern: "*" is any bytes, "?" is any one byte,
// "[a-c]" one of a set and "[!a-c]" one outside it. A "[" that is never
// closed is itself. After a mismatch only the last star is tried again, so the
// cost never grows beyond the product of both lengths.
func match(pattern, name string) bool {
	p, n := 0, 0
	star, mark := -1, 0
	for n < len(name) {
		if p < len(pattern) {
			switch c := pattern[p]; c {
			case '*':
				star, mark = p, n
				p++
				continue
			case '?':
				p++
				n++
				continue
			case '[':
				if in, width := matchSet(pattern[p:], name[n]); width > 0 {
					if in {
						p += width
						n++
						continue
					}
					break
				}
				fallthrough
			default:
				if c == name[n] {
					p++
					n++
					continue
				}
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchSet matches c against the set that begins pattern. Its width is 0 if it is no set.
func matchSet(pattern string, c byte) (in bool, width int) {
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := true; i < len(pattern); first = false {
		lo := pattern[i]
		if lo == ']' && !first {
			return in != negated, i + 1
		}
		i++
		hi := lo
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			hi = pattern[i+1]
			i += 2
		}
		in = in || lo <= c && c <= hi
	}
	return false, 0
}
