package config

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// What is said of a value that may be a secret and cannot be read.
const (
	concealedSummary = "The value cannot be read"
	concealedDetail  = "Write it in quotes, with nothing after it on its line, or take it from env or file. " +
		"More is not said, because it could show a password."
)

// hides reports whether what begins at a place may be a secret.
func (l *loader) hides(at *hcl.Range) bool {
	if at == nil {
		return false
	}
	s := l.sources[at.Filename]
	return s != nil && slices.ContainsFunc(s.secrets, func(x span) bool {
		return x.from <= at.Start.Byte && at.Start.Byte < x.to
	})
}

// span is some bytes of a file.
type span struct{ from, to int }

// secretValues finds the values of attributes that are not harmless, each to the
// end of its last line. It looks at tokens, which there are whatever is wrong with
// the file.
func secretValues(text []byte) (found []span) {
	tokens, _ := hclsyntax.LexConfig(text, "", hcl.InitialPos) // diagnostics come from parsing
	hosts := false                                             // the value of public_hosts comes next, or goes on
	for i := 1; i < len(tokens); i++ {
		if tokens[i].Type != hclsyntax.TokenEqual || hosts && networkAt(tokens, i-1) {
			continue
		}
		if tokens[i-1].Type == hclsyntax.TokenIdent {
			hosts = string(tokens[i-1].Bytes) == "public_hosts"
		}
		if !harmlessAt(tokens, i-1) {
			from := tokens[i].Range.End.Byte
			i = valueEnd(text, tokens, i)
			to := tokens[i].Range.End.Byte
			if n := bytes.IndexByte(text[to:], '\n'); n < 0 {
				to = len(text)
			} else if !endsLine(tokens[i]) {
				to += n
			}
			found = append(found, span{from, to})
		}
	}
	return found
}

// valueEnd returns the last token of the value after the equals sign: the end of a
// line on which all brackets and quotes are closed and no backslash asks for
// another one, as in a shell, or a bracket of what is around. A value on a line of
// its own is a mistake, but it may be a secret all the same.
func valueEnd(text []byte, tokens hclsyntax.Tokens, equals int) int {
	depth, empty := 0, true
	for i := equals + 1; i < len(tokens); i++ {
		t := tokens[i]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if depth--; depth < 0 {
				return i
			}
		}
		if !endsLine(t) {
			empty = empty && t.Type == hclsyntax.TokenComment
			continue
		}
		next := i+2 < len(tokens) && harmlessAt(tokens, i+1) && tokens[i+2].Type == hclsyntax.TokenEqual
		line := bytes.TrimRight(text[:t.Range.Start.Byte], " \t")
		if depth == 0 && (!empty || next) && !bytes.HasSuffix(line, []byte(`\`)) {
			return i
		}
	}
	return len(tokens) - 1
}

// endsLine reports whether a line ends with the token, as those of comments do.
func endsLine(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment && bytes.HasSuffix(t.Bytes, []byte("\n"))
}

// networkAt reports whether a token is the end of a quoted text that can be a network.
func networkAt(tokens hclsyntax.Tokens, i int) bool {
	if i < 2 || tokens[i].Type != hclsyntax.TokenCQuote || tokens[i-2].Type != hclsyntax.TokenOQuote {
		return false
	}
	text := tokens[i-1].Bytes
	return tokens[i-1].Type == hclsyntax.TokenQuotedLit && bytes.ContainsAny(text, ".:") && len(bytes.Trim(text, "0123456789abcdefABCDEF.:/")) == 0
}

// harmlessAt reports whether a token is the name of a harmless attribute.
func harmlessAt(tokens hclsyntax.Tokens, i int) bool {
	return tokens[i].Type == hclsyntax.TokenIdent && harmless(string(tokens[i].Bytes))
}
