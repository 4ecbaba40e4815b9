package config

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// values are what people write after `password_hash =`, and what breaks parsers.
var values = []string{
	``, ` `, `""`, `"$2b$04$abc"`, `a`, `a b`, `a("x")`, `a("x"`, `a.b`, `a.b.c["d"]`, `user.name`, `user.a`, `backend.local.a`,
	`"${a}"`, `"${user.a}"`, `"%{a}"`, `"%{if a}b%{endif}"`, `"%{ for a in b }c%{ endfor }"`, `"${a`, `"%{a`, `"\a"`, `"\u12"`, `"a`, `a"`,
	`'a'`, "`a`", `[a]`, `[a, "b", 1]`, `[a`, `a]`, `{a = b}`, `{a = b, a = c}["d"]`, `{"a": b}.c`, `{a`, `a}`, `(a)`, `(a`, `a)`,
	`env("A")`, `env("A", b)`, `env("A", "b", "c")`, `env({a = 1})`, `env([a]...)`, `file("a")`, `file("a/b")`, `enb("a")`, `file(a)`, `a::b("c")`,
	`$2b$04$abc`, `$argon2id$v=19$m=19456,t=2,p=1$a$b`, `#a`, `/* a */ b`, `a // b`, `a # b`, `a; b`, `a = b`, `a == b`, `a ? b : c`, `!a`, `-a`, `a + "b"`, `"b" * 2`,
	`12`, `1e5`, `12a`, `0x1f`, `[for a in b : c]`, `[for a, b in {c = 1} : d]`, `{for a in ["b"] : a => c}`, `a.*.b`, `a[*].b`, `["a"][b]`, `["a"]["b"]`, `"a"["b"]`, `{a = 1}.b`,
	`null`, `true`, `a, b = "c"`, `a { b = "c" }`, "<<EOT\na\nEOT", "<<EOT\nroot = a\nEOT", "<<EOT\nroot = ${a}\nEOT", "<<-EOT\n  a\n  EOT", "<<a\nb\na", "<<EOT\na",
	"[\n  a,\n  root = b\n]", "{\n  root = a\n}", "{\n  root = a", "(\n  root\n  a\n)", "\n  a", "\n  \"a\"", "\n\n  a(\"b\")", "# c\n  a", "\"a\nb\"", "a \\\n b", "\xff", "a\xffb", "é",
}

// A password may stand anywhere after password_hash and its equals sign, also
// when the name is misspelt: whatever is said does not show it.
func TestSecretsAreNotShown(t *testing.T) {
	check := func(text string) {
		t.Helper()
		l := &loader{checks: testChecks, machine: testMachine, sources: make(map[string]*source)}
		var bodies []*hclsyntax.Body
		if b := l.parseText("test.hcl", []byte(text)); b != nil {
			bodies = append(bodies, b)
		}
		_, ds := l.result(bodies)
		var b bytes.Buffer
		if err := ds.Write(&b, false, 0); err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			b.WriteString(d.String())
		}
		if strings.Contains(b.String(), sentinel) {
			t.Errorf("a secret is shown:\n%s\nof\n%s", b.String(), text)
		}
	}
	around := []string{
		"user \"bob\" {\n  %s =%s\n  filesystem = backend.memory.m\n}\n",
		"user \"bob\" {\n  %s=%s # c\n}\n",
		"user \"bob\" { %s = %s }\n",
		"user \"bob\" { %s = %s, access = \"read-only\" }\n",
		"user \"bob\" {\n  %s = %s",
		"nobody {\n  %s = %s\n}\n",
		"%s = %s\n",
		"listener \"l\" {\n  public_hosts = {\n    \"10.0.0.0/8\" = \"local\"\n    %s = %s\n  }\n}\n",
	}
	for n, attribute := range []string{"password_hash", "pasword", `"password_hash"`} {
		for _, form := range around[n:] {
			for _, v := range values {
				for i := range len(v) + 1 {
					for _, secret := range []string{sentinel, " " + sentinel + " "} {
						check("listener \"main\" { address = \":1\" }\nbackend \"memory\" \"m\" {}\n" +
							fmt.Sprintf(form, attribute, v[:i]+secret+v[i:]))
					}
				}
			}
		}
	}
}
