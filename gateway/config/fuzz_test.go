package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad: no panic, no secret shown, and a configuration or an error but not both.
func FuzzLoad(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.hcl")
	for _, s := range append(seeds, "../../config.hcl.example") {
		text, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		// secrets in the text itself may be anywhere; only env's are looked for
		f.Add(strings.ReplaceAll(string(text), sentinel, "secret"))
	}
	name := filepath.Join(f.TempDir(), "fuzz.hcl")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, sentinel) || strings.Contains(text, "/dev/") || len(text) > 10_000 {
			t.Skip()
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, ds := load(name, testChecks, testMachine)
		if (c == nil) != ds.HasErrors() {
			t.Errorf("configuration %v, diagnostics %v", c, ds)
		}
		var b bytes.Buffer
		if err := ds.Write(&b, false, 80); err != nil {
			t.Error(err)
		}
		if strings.Contains(b.String(), sentinel) {
			t.Errorf("a secret is shown:\n%s", b.String())
		}
	})
}
