package config

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// source is a configuration file as diagnostics may show it.
type source struct {
	lines   []line
	secrets []span
}

// line is a source line. From cut on it holds what may be secret.
type line struct {
	offset int // in the file
	text   string
	cut    int
}

// notShown stands where something was cut.
const notShown = "(not shown)"

var (
	assignment = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_-]*)[ \t]*=(?:[^=]|$)`)
	blockStart = regexp.MustCompile(`^[ \t]*[A-Za-z_][A-Za-z0-9_-]*(?:[ \t]+(?:"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_-]*))*[ \t]*\{`)
	firstWord  = regexp.MustCompile(`^[ \t]*[A-Za-z_][A-Za-z0-9_-]*`)
	hashLike   = regexp.MustCompile(`\$[0-9a-z]{1,10}\$`)
	secretWord = regexp.MustCompile(`(?:[Pp]assw|_hash)[A-Za-z0-9_-]*"?[ \t]*[=:]?`)
)

// newSource finds what must not be shown. It looks at text and not at the
// syntax tree, because the line to show is often one that could not be parsed:
// the value of every attribute that is not harmless is cut, up to the next
// attribute, block or closing brace; so is what follows a word that is neither
// ("password: x") or sounds like a secret, and whatever looks like a hash.
func newSource(text []byte) *source {
	s := &source{secrets: secretValues(text)}
	secret := false // the line continues a value that is not harmless
	offset := 0
	for t := range strings.Lines(string(text)) {
		l := line{offset: offset}
		offset += len(t)
		t = strings.TrimRight(t, "\r\n")
		l.text, l.cut = t, len(t)
		assignments := assignment.FindAllStringSubmatchIndex(t, -1)
		trimmed := strings.TrimSpace(t)
		begins := blockStart.MatchString(t) || trimmed == "}" ||
			len(assignments) > 0 && strings.TrimSpace(t[:assignments[0][2]]) == ""
		switch {
		case begins:
			secret = false
		case secret:
			l.cut = len(t) - len(strings.TrimLeft(t, " \t"))
		default:
			if w := firstWord.FindString(t); w != "" && !expressionWord(strings.TrimSpace(w)) {
				l.cut = len(w)
			}
		}
		for _, a := range assignments {
			if secret = !harmless(t[a[2]:a[3]]); secret {
				l.cut = min(l.cut, strings.IndexByte(t[a[3]:], '=')+a[3]+1)
				break
			}
		}
		if h := hashLike.FindStringIndex(t); h != nil {
			l.cut = min(l.cut, h[0])
		}
		if w := secretWord.FindStringIndex(t); w != nil {
			l.cut = min(l.cut, w[1])
		}
		for _, x := range s.secrets {
			if x.from < l.offset+len(t) && x.to > l.offset {
				indent := len(t) - len(strings.TrimLeft(t, " \t"))
				l.cut = min(l.cut, max(x.from-l.offset, indent))
			}
		}
		s.lines = append(s.lines, l)
	}
	return s
}

// expressionWord reports whether a line of a longer value may well begin with word.
func expressionWord(word string) bool {
	switch word {
	case "env", "file", "backend", "user":
		return true
	}
	return false
}

// excerpt returns line number n (from 1) with its secrets cut, and where in it
// the file's bytes from start to end are to be found.
func (s *source) excerpt(n, start, end int) (text string, from, to int) {
	if n < 1 || n > len(s.lines) {
		return "", 0, 0
	}
	l := s.lines[n-1]
	start = max(0, start-l.offset)
	end = max(start, end-l.offset)
	if l.cut == len(l.text) {
		start = min(start, len(l.text))
		return printable(l.text), start, min(max(start, end), len(l.text))
	}
	shown := l.text[:l.cut]
	if strings.TrimSpace(shown) != "" {
		shown = strings.TrimRight(shown, " \t") + " "
	}
	text = shown + notShown
	if start >= l.cut {
		return printable(text), len(shown), len(text)
	}
	if end > l.cut {
		end = len(text)
	}
	return printable(text), min(start, len(shown)), min(end, len(text))
}

// printable replaces each byte of anything that could move a terminal's cursor,
// and of anything that is not UTF-8, so that the length in bytes stays.
func printable(s string) string {
	b := []byte(s)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError || r != '\t' && !unicode.IsPrint(r) {
			for j := range n {
				b[i+j] = '?'
			}
		}
		i += n
	}
	return string(b)
}
