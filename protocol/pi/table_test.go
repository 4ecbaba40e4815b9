package pi

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	for verb, r := range newTable() {
		switch {
		case verb != r.verb || verb != strings.ToUpper(verb):
			t.Errorf("%s is listed as %s", r.verb, verb)
		case r.rfc == "":
			t.Errorf("%s: where is it specified?", verb)
		case r.handle != nil && !strings.HasPrefix(r.help, verb):
			t.Errorf("%s: its syntax is %q", verb, r.help)
		case r.handle == nil && (r.help != "" || r.feat != nil || r.store):
			t.Errorf("%s is not spoken and has columns of one that is", verb)
		case r.transfer && !r.store:
			t.Errorf("%s uses the data connection on the reader", verb)
		case r.upload && !r.transfer:
			t.Errorf("%s uploads without a transfer", verb)
		case (r.arg == argPath || r.arg == argOptionalPath) && !r.store:
			t.Errorf("%s takes a path and does not touch storage", verb)
		case r.needs != 0 && r.beforeLogin:
			t.Errorf("%s needs rights and is answered before login", verb)
		case r.needs != 0 && r.handle != nil && !r.store:
			t.Errorf("%s needs rights and does not touch storage", verb)
		}
	}
}

// TestSynonyms: the X-forms are the same but for their names (RFC 1123 §4.1.3.1).
func TestSynonyms(t *testing.T) {
	table := newTable()
	for x, verb := range synonyms {
		a, b := *table[x], *table[verb]
		if a.handle == nil || a.needs != b.needs || a.arg != b.arg || a.store != b.store {
			t.Errorf("%s is not %s", x, verb)
		}
	}
}

func TestSecrets(t *testing.T) {
	for verb, r := range newTable() {
		c := command{row: r}
		c.Verb, c.Arg, c.HasArg = verb, "x hunter2", true
		if secret := verb == "PASS" || verb == "ACCT" || verb == "SITE" || r.arg == argNone; secret != (c.redacted().Arg != c.Arg) {
			t.Errorf("%s: the log shows %q", verb, c.redacted().Arg)
		}
	}
}
