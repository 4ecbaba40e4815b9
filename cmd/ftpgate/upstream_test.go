package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// upstreamConfig writes a configuration of an upstream server.
func upstreamConfig(t *testing.T, address, more string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "c.hcl")
	text := fmt.Sprintf(`
		listener "main" { address = "127.0.0.1:2121" }
		backend "ftp" "old" {
		  address = %q
		  %s
		}
		user "alice" {
		  password_hash = "$2b$04$abcdefghijklmnopqrstuuIvJqbFGfcKsZ4nMDV0jVbXlOvaBcF7K"
		  filesystem    = backend.ftp.old
		}
	`, address, more)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestCheckUpstream: what does not work is told with what to do about it, and nothing is left behind.
func TestCheckUpstream(t *testing.T) {
	below := memory.New(memory.Options{}).Open("", 0)
	s := ftptest.Start(t, ftptest.Options{FS: below})
	const plain = "\ntls = \"none\"\n"
	for _, x := range []struct {
		name, more string
		code       int
		want       []string
	}{
		{"all is well", `user = "rw"` + "\n" + `password = "rw"` + plain, exitOK, []string{
			"backend.ftp.old (server ", "  limited  connect: without TLS", "  ok       log in as rw\n", "  ok       list /\n", "  ok       store a file\n",
			"  ok       read it back\n", "  ok       rename it over the first\n", "  ok       delete it\n",
		}},
		{"read-only", `user = "readonly"` + "\n" + `password = "readonly"` + plain, exitOK, []string{"  limited  store a file: refused", `access = "read-only"`}},
		{"wrong password", `user = "rw"` + "\n" + `password = "hunter2"` + plain, exitFailure, []string{
			"  FAILED   log in as rw: ", "530", "\n           compare user and password",
		}},
		{"wrong root", `user = "rw"` + "\n" + `password = "rw"` + plain + `root = "/none"`, exitFailure, []string{"  FAILED   list /none: ", "\n           look at root"}},
		{"no TLS there", `user = "rw"` + "\n" + `password = "hunter2"`, exitFailure, []string{"  FAILED   connect: ", "\n           switch TLS on"}},
		{"passthrough", "passthrough = true" + plain, exitOK, []string{"  limited  connect: not tried"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			code, out, errOut := ftpgate(t, "", "check", "--connect", "-c", upstreamConfig(t, s.Addr.String(), x.more))
			if code != x.code || errOut != "" {
				t.Errorf("exit code %d, %s", code, errOut)
			}
			for _, want := range x.want {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
			if strings.Contains(out, "hunter2") {
				t.Errorf("it says too much:\n%s", out)
			}
			d, err := below.Open("/")
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if names, err := d.Readdirnames(-1); err != nil || len(names) > 0 {
				t.Errorf("left behind: %q, %v", names, err)
			}
		})
	}
}
