package gateway

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestThreatsAreTested: docs/security.md has a row for each of the 24 threats, and every test and every
// transcript that it names is there.
func TestThreatsAreTested(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	named := 0
	for _, m := range regexp.MustCompile("`(?:([a-z]+)\\.)?((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1) {
		named++
		if in := tests[m[2]]; !in[m[1]] {
			t.Errorf("docs/security.md names %s, which is in %v", m[0], in)
		}
	}
	for _, m := range regexp.MustCompile("`([a-z_0-9]+\\.txt)`").FindAllStringSubmatch(string(text), -1) {
		named++
		if _, err := os.Stat("../protocol/pi/testdata/transcripts/" + m[1]); err != nil {
			t.Errorf("docs/security.md names a transcript: %v", err)
		}
	}
	if named < 100 {
		t.Errorf("only %d tests are named: has the form of the tables changed?", named)
	}

	_, table, _ := strings.Cut(string(text), "\n## Attacks")
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|.*\|.*\|(.*)\|$`).FindAllStringSubmatch(table, -1)
	for i, row := range rows {
		if row[1] != strconv.Itoa(i+1) {
			t.Errorf("row %d is about threat %s", i+1, row[1])
		}
		if !strings.Contains(row[2], "`") && row[1] != "21" { // there is no client yet
			t.Errorf("threat %s has no test", row[1])
		}
	}
	if len(rows) != 24 {
		t.Errorf("%d rows for 24 threats", len(rows))
	}
}

// testNames finds the test functions of the module: name to the packages that have
// it, "" included.
func testNames(t *testing.T) map[string]map[string]bool {
	t.Helper()
	functions, clause := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`), regexp.MustCompile(`(?m)^package (\w+)`)
	all := make(map[string]map[string]bool)
	err := filepath.WalkDir("..", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pkg := strings.TrimSuffix(string(clause.FindSubmatch(text)[1]), "_test")
		for _, m := range functions.FindAllSubmatch(text, -1) {
			name := string(m[1])
			if all[name] == nil {
				all[name] = map[string]bool{"": true}
			}
			all[name][pkg] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
