//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// operation is one thing that a client does in its session.
type operation struct {
	what string // put, put text, get, get text or list
	name string // of the file, in the cell's directory
}

// tlsTasks are what each client tries with each listener and each version, a session for each.
var tlsTasks = []struct {
	name       string
	operations []operation
}{
	{"login", nil},
	{"upload", []operation{{"put", "one"}}},
	{"3 uploads", []operation{{"put", "first"}, {"put", "second"}, {"put", "third"}}},
	{"empty file", []operation{{"put", "empty"}}},
	{"ASCII, up and down", []operation{{"put text", "text"}, {"get text", "text"}}},
	{"download", []operation{{"get", "there"}}},
	{"3 downloads", []operation{{"get", "there"}, {"get", "there"}, {"get", "there"}}},
	{"down, then up", []operation{{"get", "there"}, {"put", "this"}}},
	{"up, then down", []operation{{"put", "that"}, {"get", "there"}}},
	{"listing", []operation{{"list", ""}}},
}

// cell is one client against one listener with one version.
type cell struct {
	*tlsLab
	t              *testing.T
	mode, listener string
	version        string
	dir            string // its own, below the user's home
	here           string // its own on this machine, where downloads go
}

// path is where an operation finds or leaves its file on this machine.
func (c *cell) path(i int, o operation) string {
	switch {
	case o.what == "put text":
		return filepath.Join(c.here, "lines")
	case o.name == "empty":
		return filepath.Join(c.here, "nothing")
	case o.what == "put":
		return filepath.Join(c.here, "source")
	}
	return filepath.Join(c.here, fmt.Sprintf("got%d", i))
}

var (
	cellSource = content(100_001)
	cellThere  = content(70_003)
	cellLines  = []byte("one\n\ntwo\n") // here and there; CRLF on the wire
)

// try has the client do all of a task and says what came of it: "yes", "no", or how many
// of its operations came off before the client gave up. Anything between, such as a client that is
// content with less, or half a file, fails the test.
func (c *cell) try(client *tlsClient, operations []operation) string {
	for i, o := range operations {
		if o.what != "put" && o.what != "put text" {
			os.Remove(c.path(i, o))
		}
	}
	since := c.log.length()
	output, err := client.run(c, operations)
	done := 0
	for i, o := range operations {
		if !c.done(i, o) {
			break
		}
		done++
	}
	switch {
	case err == nil && done == len(operations):
		return "yes"
	case err == nil:
		c.t.Errorf("the client is content, but only %d of %d operations are done\n%s", done, len(operations), output)
		return "broken"
	case len(operations) == 0 || done == len(operations):
		c.t.Errorf("all is done, but the client says %v\n%s", err, output)
		return "broken"
	}
	// It was refused, and for the only reason there is.
	if _, err := c.log.waitFrom(c.t.Context(), since, func(l logLine) bool {
		return l.Message == "transfer" && strings.HasPrefix(l.Path, "/"+c.dir) && l.Reply == 522
	}); err != nil {
		c.t.Errorf("the client failed, and not because of a 522: %v\n%s", err, output)
		return "broken"
	}
	for i, o := range operations[done:] {
		if _, err := os.Lstat(filepath.Join(c.home, c.dir, o.name)); strings.HasPrefix(o.what, "put") && !errors.Is(err, fs.ErrNotExist) {
			c.t.Errorf("operation %d failed, and there is a file: %v", done+i, err)
		}
	}
	if done == 0 {
		return "no"
	}
	return fmt.Sprintf("%d of %d", done, len(operations))
}

// done reports whether an operation has had its effect.
func (c *cell) done(i int, o operation) bool {
	holds := func(path string, want []byte) bool {
		got, err := os.ReadFile(path)
		return err == nil && bytes.Equal(got, want)
	}
	there := filepath.Join(c.home, c.dir, o.name)
	switch {
	case o.name == "empty":
		return holds(there, nil)
	case o.what == "put":
		return holds(there, cellSource)
	case o.what == "put text":
		return holds(there, cellLines)
	case o.what == "get text":
		return holds(c.path(i, o), cellLines)
	case o.what == "get":
		return holds(c.path(i, o), cellThere)
	}
	list, err := os.ReadFile(c.path(i, o))
	return err == nil && regexp.MustCompile(`(?m)^(.*/)?there$`).Match(list)
}

// TestTLSMatrix tries every client with every listener and version.
func TestTLSMatrix(t *testing.T) {
	l := newTLSLab(t)
	for _, client := range tlsClients {
		t.Run(client.name, func(t *testing.T) {
			need(t, client.program)
			if version := client.ask(t); !strings.Contains(version, client.observed) {
				t.Logf("the table is about version %s, and this is %q: if an outcome differs, change the table and docs/security.md",
					client.observed, version)
			}
			for _, mode := range tlsModes {
				for _, tls := range tlsVersions {
					for _, reuse := range tlsReuses {
						t.Run(mode+"/"+tls+"/"+reuse, func(t *testing.T) {
							t.Parallel()
							l.cell(t, client, mode, tls, reuse)
						})
					}
				}
			}
		})
	}
}

func (l *tlsLab) cell(t *testing.T, client *tlsClient, mode, version, reuse string) {
	c := &cell{
		tlsLab: l, t: t, mode: mode, listener: mode + " " + reuse, version: version, here: t.TempDir(),
		dir: strings.ReplaceAll(strings.Join([]string{client.name, mode, version, reuse}, "_"), " ", "_"),
	}
	put(t, c.here, "source", cellSource)
	put(t, c.here, "nothing", nil)
	put(t, c.here, "lines", cellLines)
	put(t, l.home, c.dir+"/there", cellThere)
	for _, task := range tlsTasks {
		want := "yes"
		if reuse == "require" {
			want = client.underRequire(version, task.name)
		}
		if got := c.try(client, task.operations); got != want {
			t.Errorf("%s: %s, want %s", task.name, got, want)
		}
	}
}

// TestTLSTable holds docs/security.md to what TestTLSMatrix expects.
func TestTLSTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| client | TLS |")
	for _, task := range tlsTasks {
		fmt.Fprintf(&table, " %s |", task.name)
	}
	table.WriteString("\n|" + strings.Repeat("---|", 2+len(tlsTasks)) + "\n")
	for _, client := range tlsClients {
		if client.title == "" {
			continue
		}
		for _, version := range tlsVersions {
			fmt.Fprintf(&table, "| %s | %s |", client.title, version)
			for _, task := range tlsTasks {
				fmt.Fprintf(&table, " %s |", client.underRequire(version, task.name))
			}
			table.WriteString("\n")
		}
	}
	docs, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(docs), "\n"+table.String()) {
		t.Errorf("docs/security.md must hold this:\n%s", table.String())
	}
}
