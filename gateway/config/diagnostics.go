package config

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// Diagnostic is one thing that is wrong, or odd, with a configuration.
type Diagnostic struct {
	Warning bool   // odd, but it works
	Summary string // what is wrong, without a full stop
	Detail  string // sentences: why, and what to do

	File   string // empty: the configuration as a whole
	Line   int    // from 1; 0: the file as a whole
	Column int    // in characters, from 1

	source   string // the line, without secrets
	from, to int    // bytes of source that are meant
}

// Diagnostics are all that is wrong with a configuration, in the order of the files.
type Diagnostics []Diagnostic

// Count returns how many errors and warnings there are.
func (ds Diagnostics) Count() (errors, warnings int) {
	for _, d := range ds {
		if d.Warning {
			warnings++
		} else {
			errors++
		}
	}
	return errors, warnings
}

// HasErrors reports whether there is more than warnings.
func (ds Diagnostics) HasErrors() bool {
	errors, _ := ds.Count()
	return errors > 0
}

// String is the diagnostic on one line, for logs.
func (d Diagnostic) String() string {
	s := d.Summary
	if d.Detail != "" {
		s += ": " + strings.ReplaceAll(d.Detail, "\n", " ")
	}
	if place := d.place(); place != "" {
		s = place + ": " + s
	}
	return s
}

func (d Diagnostic) place() string {
	switch {
	case d.File == "":
		return ""
	case d.Line == 0:
		return d.File
	}
	return fmt.Sprintf("%s:%d:%d", d.File, d.Line, d.Column)
}

// Write writes the diagnostics for a person, with the source line and a caret
// under the words that are meant. Details are wrapped at width characters
// (0: not at all); color asks for ANSI colours.
func (ds Diagnostics) Write(w io.Writer, color bool, width int) error {
	var b bytes.Buffer
	for _, d := range ds {
		d.write(&b, color, width)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (d Diagnostic) write(b *bytes.Buffer, color bool, width int) {
	red, yellow, bold, plain := "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
	if !color {
		red, yellow, bold, plain = "", "", "", ""
	}
	kind, tint := "Error", red
	if d.Warning {
		kind, tint = "Warning", yellow
	}
	fmt.Fprintf(b, "%s%s%s: %s%s%s\n", tint, kind, plain, bold, d.Summary, plain)
	if place := d.place(); place != "" {
		fmt.Fprintf(b, "  --> %s\n", place)
	}
	if d.Line > 0 && d.source != "" {
		number := fmt.Sprintf("%5d", d.Line)
		fmt.Fprintf(b, "%s | %s\n", number, d.source)
		fmt.Fprintf(b, "%s | %s%s%s%s\n", strings.Repeat(" ", len(number)), blank(d.source[:d.from]),
			tint, strings.Repeat("^", max(1, utf8.RuneCountInString(d.source[d.from:d.to]))), plain)
	}
	if d.Detail != "" {
		for l := range strings.Lines(wrap(d.Detail, width-2)) {
			fmt.Fprintf(b, "  %s\n", strings.TrimRight(l, "\n"))
		}
	}
	b.WriteByte('\n')
}

// blank is as wide as s: tabs stay, everything else becomes a space.
func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}

// wrap breaks s at spaces into lines of at most width characters, if words allow.
func wrap(s string, width int) string {
	if width <= 0 {
		return s
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// report adds a diagnostic. It belongs to nowhere if at is nil.
func (l *loader) report(warning bool, at *hcl.Range, summary, detail string) {
	d := Diagnostic{Warning: warning, Summary: summary, Detail: detail}
	if at != nil {
		d.File, d.Line, d.Column = at.Filename, at.Start.Line, at.Start.Column
		end := at.End.Byte
		if s := l.sources[at.Filename]; s != nil {
			d.source, d.from, d.to = s.excerpt(at.Start.Line, at.Start.Byte, end)
		}
	}
	// One block is evaluated once for each user that refers to it, and a value that
	// is not shown needs no second caret.
	if !slices.ContainsFunc(l.diagnostics, func(o Diagnostic) bool {
		o.Column = d.Column
		return o == d
	}) {
		l.diagnostics = append(l.diagnostics, d)
	}
}

// errorAt reports what may quote the source, which it does not where a secret may be.
func (l *loader) errorAt(at hcl.Range, summary, format string, args ...any) {
	if l.hides(&at) {
		l.report(false, &at, concealedSummary, concealedDetail)
		return
	}
	l.report(false, &at, summary, fmt.Sprintf(format, args...))
}

func (l *loader) warnAt(at hcl.Range, summary, format string, args ...any) {
	l.report(true, &at, summary, fmt.Sprintf(format, args...))
}

// take reports HCL's own diagnostics. They quote the source: names of variables,
// of functions and of much else that a password without quotes is taken for.
func (l *loader) take(ds hcl.Diagnostics) {
	for _, d := range ds {
		summary, detail := d.Summary, d.Detail
		if l.hides(d.Subject) {
			summary, detail = concealedSummary, concealedDetail
			if e := failedCall(d); e != nil {
				summary, detail = d.Summary, capital(e.unnamed())+"."
			}
		}
		l.report(d.Severity == hcl.DiagWarning, d.Subject, summary, detail)
	}
}

// sorted returns what was reported: by file and place, the placeless last.
func (l *loader) sorted() Diagnostics {
	slices.SortStableFunc(l.diagnostics, func(a, b Diagnostic) int {
		if (a.File == "") != (b.File == "") {
			return cmp.Compare(b.File, a.File)
		}
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.diagnostics
}
