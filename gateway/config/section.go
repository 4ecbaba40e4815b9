package config

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// section reads the attributes of one block. Its methods return the default, and
// report what is wrong, when an attribute is missing or cannot be used.
type section struct {
	l      *loader
	attrs  hclsyntax.Attributes
	header hcl.Range // where what is missing is reported
	vars   *hcl.EvalContext
}

// open checks the names in a block against its schema. user is the value of
// user.name in it, or "".
func (l *loader) open(b *hclsyntax.Block, s schema, user string) *section {
	l.checkAttributes(b.Body, s)
	seen := make(map[string]bool)
	for _, inner := range b.Body.Blocks {
		switch {
		case slices.Contains(s.inner, inner.Type) && len(inner.Labels) > 0:
			l.errorAt(inner.LabelRanges[0], "No label here", "A %s block has no label.", inner.Type)
		case slices.Contains(s.inner, inner.Type) && seen[inner.Type]:
			l.errorAt(inner.TypeRange, fmt.Sprintf("A second %s block", inner.Type), "A %s has one at most.", b.Type)
		case slices.Contains(s.inner, inner.Type):
			seen[inner.Type] = true
		case slices.Contains(s.later, inner.Type):
			l.notYet(inner.TypeRange, inner.Type)
		case slices.Contains(s.attributes, inner.Type):
			l.errorAt(inner.TypeRange, "Not a block", "%s is set with an equals sign: %s = ...", inner.Type, inner.Type)
		default:
			l.errorAt(inner.TypeRange, fmt.Sprintf("Unknown block %q", inner.Type), "A %s block has no such block.%s",
				b.Type, didYouMean(inner.Type, slices.Concat(s.attributes, s.inner, s.later)))
		}
	}
	return &section{l: l, attrs: b.Body.Attributes, header: b.DefRange(), vars: l.evalContext(b.TypeRange.Filename, user)}
}

func (l *loader) checkAttributes(b *hclsyntax.Body, s schema) {
	for name, a := range b.Attributes {
		_, isBlock := blocks[name]
		switch {
		case slices.Contains(s.attributes, name):
		case slices.Contains(s.later, name):
			l.notYet(a.NameRange, name)
		case isBlock, slices.Contains(s.inner, name):
			l.errorAt(a.NameRange, "Not an attribute", "%s is a block: %s", name, header(name))
		default:
			l.errorAt(a.NameRange, fmt.Sprintf("Unknown attribute %q", name), "There is no such attribute here.%s",
				didYouMean(name, slices.Concat(s.attributes, s.inner, s.later)))
		}
	}
}

// notYet reports a name that the design has and this version has not.
func (l *loader) notYet(at hcl.Range, name string) {
	l.errorAt(at, "Not supported by this version", "%s is planned, but this version of ftpgate does not do it. Remove it to go on without.", name)
}

// at is where the value of an attribute stands.
func (s *section) at(name string) hcl.Range { return s.attrs[name].Expr.Range() }

// set reports whether an attribute stands in the block, right or wrong.
func (s *section) set(name string) bool { return s.attrs[name] != nil }

// missing reports that a block lacks an attribute.
func (s *section) missing(name, example string) {
	if s.l.torn {
		return
	}
	s.l.errorAt(s.header, fmt.Sprintf("%s is missing", name), "Set it, for example: %s = %s", name, example)
}

// wrong reports a value. The value itself, a string or NilVal, is quoted only if
// it is no secret. What format says quotes no secret.
func (s *section) wrong(name string, value cty.Value, format string, args ...any) {
	summary := fmt.Sprintf("%s is not valid", name)
	if !harmless(name) {
		at := s.at(name)
		s.l.report(false, &at, summary, fmt.Sprintf(format, args...))
		return
	}
	if value != cty.NilVal && !value.IsMarked() {
		summary = fmt.Sprintf("%s cannot be %q", name, clip(value.AsString()))
	}
	s.l.errorAt(s.at(name), summary, format, args...)
}

// clip keeps a quoted value from filling the screen.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}

// value evaluates an attribute as a value of type want. ok is false if it is not
// set or was reported.
func (s *section) value(name string, want cty.Type, example string) (v cty.Value, ok bool) {
	a := s.attrs[name]
	if a == nil || s.misplaced(a.Expr) {
		return cty.NilVal, false
	}
	v, ds := a.Expr.Value(s.vars)
	s.l.take(ds)
	if ds.HasErrors() {
		return cty.NilVal, false
	}
	if !v.IsWhollyKnown() && s.l.torn {
		return cty.NilVal, false
	}
	c, err := convert.Convert(v, want)
	// A number where a string belongs is a slip: 20000-20099 without quotes is -99.
	bare, _ := v.Unmark()
	if err != nil || v.IsNull() || !v.IsWhollyKnown() || want == cty.String && bare.Type() != cty.String {
		s.wrong(name, cty.NilVal, "It must be %s, for example: %s = %s", friendly(want), name, example)
		return cty.NilVal, false
	}
	return c, true
}

func friendly(t cty.Type) string {
	switch t {
	case cty.String:
		return "a text in quotes"
	case cty.Number:
		return "a number"
	case cty.Bool:
		return "true or false"
	case cty.Map(cty.String):
		return "pairs of texts in quotes"
	}
	return "a list of texts in quotes"
}

// text reads a string. v is the same for wrong.
func (s *section) text(name, example string) (text string, v cty.Value, ok bool) {
	if v, ok = s.value(name, cty.String, example); !ok {
		return "", cty.NilVal, false
	}
	bare, _ := v.Unmark()
	return bare.AsString(), v, true
}

// choice reads one of several words.
func choice[T ~string](s *section, name string, otherwise T, words ...T) T {
	text, v, ok := s.text(name, strconv.Quote(string(words[0])))
	if !ok {
		return otherwise
	}
	if slices.Contains(words, T(text)) {
		return T(text)
	}
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = string(w)
	}
	hint := ""
	if !v.IsMarked() {
		hint = didYouMean(text, plain)
	}
	s.wrong(name, v, "It can be %s.%s", strings.Join(plain, ", "), hint)
	return otherwise
}

// boolean reads true or false; false is the default.
func (s *section) boolean(name string) bool { return s.booleanOr(name, false) }

// booleanOr is boolean with another default, which stands for a mistake, too.
func (s *section) booleanOr(name string, otherwise bool) bool {
	v, ok := s.value(name, cty.Bool, "true")
	if !ok {
		return otherwise
	}
	bare, _ := v.Unmark()
	return bare.True()
}

// number reads a whole number between lo and hi.
func (s *section) number(name string, lo, hi, otherwise int) int {
	v, ok := s.value(name, cty.Number, strconv.Itoa(max(lo, otherwise)))
	if !ok {
		return otherwise
	}
	bare, _ := v.Unmark()
	n, exact := bare.AsBigFloat().Int64()
	if exact != 0 || n < int64(lo) || n > int64(hi) {
		s.wrong(name, cty.NilVal, "It must be a whole number from %d to %d.", lo, hi)
		return otherwise
	}
	return int(n)
}

// size reads a number of bytes, "256MiB", between lo and hi.
func (s *section) size(name, example string, lo, hi, otherwise int64) int64 {
	// plain numbers are bytes and need no quotes
	if a := s.attrs[name]; a != nil {
		if v, ds := a.Expr.Value(s.vars); !ds.HasErrors() && v.Type() == cty.Number && !v.IsNull() {
			v, _ = v.Unmark()
			if n, exact := v.AsBigFloat().Int64(); exact == 0 && n >= lo && n <= hi {
				return n
			}
			s.wrong(name, cty.NilVal, "It must be a whole number of bytes from %d to %d.", lo, hi)
			return otherwise
		}
	}
	text, v, ok := s.text(name, example)
	if !ok {
		return otherwise
	}
	n, err := parseSize(text)
	if err == nil && (n < lo || n > hi) {
		err = fmt.Errorf("it must be from %s to %s", formatSize(lo), formatSize(hi))
	}
	if err != nil {
		s.wrong(name, v, "%s.", capital(err.Error()))
		return otherwise
	}
	return n
}

// duration reads a time, "10m", of at least least.
func (s *section) duration(name string, least, otherwise time.Duration) time.Duration {
	text, v, ok := s.text(name, strconv.Quote(formatDuration(otherwise)))
	if !ok {
		return otherwise
	}
	d, err := parseDuration(text)
	if err == nil && (d < least || d > maxTimeout) {
		err = fmt.Errorf("it must be from %s to %s", formatDuration(least), formatDuration(maxTimeout))
	}
	if err != nil {
		s.wrong(name, v, "%s.", capital(err.Error()))
		return otherwise
	}
	return d
}

// mode reads permission bits in octal, "0640", that include need.
func (s *section) mode(name string, need, otherwise fs.FileMode) fs.FileMode {
	text, v, ok := s.text(name, fmt.Sprintf(`"%04o"`, otherwise))
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 8, 32)
	switch m := fs.FileMode(n); {
	case err != nil || n > 0o777:
		s.wrong(name, v, "It must be permission bits in octal, from \"0000\" to \"0777\".")
	case m&need != need:
		s.wrong(name, v, "It must include %04o, or the gateway could not use what it has made.", need)
	default:
		return m
	}
	return otherwise
}

// item is one text of a list with its place.
type item struct {
	text   string
	at     hcl.Range
	secret bool
}

// list reads a list of strings.
func (s *section) list(name, example string) (items []item, ok bool) {
	v, ok := s.value(name, cty.List(cty.String), example)
	if !ok {
		return nil, false
	}
	places, _ := hcl.ExprList(s.attrs[name].Expr) // one each, if it is written out
	bare, marks := v.Unmark()
	for i, e := range bare.AsValueSlice() {
		x := item{at: s.at(name), secret: len(marks) > 0 || e.IsMarked()}
		if i < len(places) {
			x.at = places[i].Range()
		}
		if e, _ = e.Unmark(); !e.IsNull() {
			x.text = e.AsString()
		}
		items = append(items, x)
	}
	return items, true
}

// shown is the item for a diagnostic: quoted, or named if it is a secret.
func (x item) shown() string {
	if x.secret {
		return "the value"
	}
	return strconv.Quote(clip(x.text))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
