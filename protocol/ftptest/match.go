package ftptest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// placeholders are what may stand for text that differs from run to run.
var placeholders = map[string]string{
	"port":     `\d{1,5}`,
	"hostport": `\d{1,3}(?:,\d{1,3}){5}`,
	"time":     `\d{14}(?:\.\d{3})?`,
	"date":     `[A-Z][a-z][a-z] [0-3]\d (?:\d\d:\d\d| \d{4})`,
	"unique":   `[0-9A-Za-z]+`,
	"n":        `\d+`,
}

var placeholderForm = regexp.MustCompile(`\{(?:/.*?/|[a-z]+)\}`)

// match compares what came with what the transcript says, and returns what the
// placeholders stood for.
func match(want, got string) (map[string]string, bool) {
	if !strings.Contains(want, "{") {
		return nil, want == got
	}
	want, got = runes(want), runes(got)
	var names []string
	pattern := "(?s)^"
	for rest := want; ; {
		at := placeholderForm.FindStringIndex(rest)
		if at == nil {
			pattern += regexp.QuoteMeta(rest) + "$"
			break
		}
		pattern += regexp.QuoteMeta(rest[:at[0]])
		name := rest[at[0]+1 : at[1]-1]
		if known, ok := placeholders[name]; ok {
			pattern += "(" + known + ")"
			names = append(names, name)
		} else if strings.HasPrefix(name, "/") {
			pattern += "(?:" + strings.Trim(name, "/") + ")"
		} else {
			pattern += regexp.QuoteMeta(rest[at[0]:at[1]])
		}
		rest = rest[at[1]:]
	}
	form, err := regexp.Compile(pattern)
	if err != nil {
		return nil, false
	}
	m := form.FindStringSubmatch(got)
	if m == nil {
		return nil, false
	}
	vars := make(map[string]string)
	for i, name := range names {
		vars[name] = m[i+1]
	}
	return vars, true
}

// runes makes a rune of every byte, since names need not be UTF-8 and regular expressions must.
func runes(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// general puts placeholders where two runs are sure to differ; for -update.
func general(got string) string {
	today := time.Now().UTC().Format("20060102")
	for _, g := range []struct{ form, with string }{
		{`^(229 .*\(\|\|\|)\d+(\|\)\.?)$`, "${1}{port}$2"},
		{`^(227 .*\()\d{1,3}(?:,\d{1,3}){5}(\)\.?)$`, "${1}{hostport}$2"},
		{`\bunique=[^;]+;`, "unique={unique};"},
		{`\bmodify=` + today + `\d{6}(?:\.\d{3})?;`, "modify={time};"},
		{`^(213 )` + today + `\d{6}(?:\.\d{3})?$`, "${1}{time}"},
		{`(\d )[A-Z][a-z][a-z] [0-3]\d \d\d:\d\d `, "${1}{date} "},
		{`(Connected from \S+ for ).*$`, "${1}{/.*/}"},
		{`(upload|\S+)\.[0-9a-z]{12}$`, "$1.{unique}"},
	} {
		got = regexp.MustCompile(g.form).ReplaceAllString(got, g.with)
	}
	return got
}

// quote writes text so that unquote gives it back; plain if it can be.
func quote(text string, always bool) string {
	if always || strings.HasPrefix(text, `"`) || strings.HasSuffix(text, " ") || !printable(text) {
		return strconv.Quote(text)
	}
	return text
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) || r == '\uFFFD' })
}
