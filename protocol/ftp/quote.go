package ftp

import "strings"

// Quote returns path as a 257 reply shows it: in double quotes, those within doubled (RFC 959 Appendix II).
func Quote(path string) string {
	return `"` + strings.ReplaceAll(path, `"`, `""`) + `"`
}

// Unquote finds the first quoted path in the text of a 257 reply and undoes
// Quote. It reports false if there is none or its closing quote is missing.
func Unquote(text string) (path string, ok bool) {
	_, rest, found := strings.Cut(text, `"`)
	if !found {
		return "", false
	}
	var b strings.Builder
	for {
		part, after, closed := strings.Cut(rest, `"`)
		if !closed {
			return "", false
		}
		b.WriteString(part)
		if !strings.HasPrefix(after, `"`) {
			return b.String(), true
		}
		b.WriteByte('"')
		rest = after[1:]
	}
}
