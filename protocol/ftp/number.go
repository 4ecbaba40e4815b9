package ftp

import "strconv"

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// number reads an unsigned decimal number of 1 to digits digits and at most limit.
func number(s string, digits, limit int) (int, bool) {
	if len(s) > digits || !isDigits(s) {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n, n <= limit
}

// size reads a count of bytes. It takes no sign.
func size(s string) (int64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
