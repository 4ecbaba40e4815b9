package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/auth"
)

// ftpgate runs a command line.
func ftpgate(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.hcl")
	if err := os.WriteFile(broken, []byte("listner {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		args string
		in   string
		code int
		says string // on either output
	}{
		{"", "", exitOK, "Exit codes:"},
		{"--help", "", exitOK, "Exit codes:"},
		{"help check", "", exitOK, "caret"},
		{"version", "", exitOK, "ftpgate "},
		{"completion bash", "", exitOK, "bash completion"},
		{"hash", "secret\n", exitOK, "$argon2id$"},
		{"hash --algorithm=bcrypt", "secret", exitOK, "$2b$12$"},
		{"hash", "", exitFailure, "no password on standard input"},
		{"hash", "\n", exitFailure, "no password on standard input"},
		{"hash -a bcrypt", strings.Repeat("x", 73), exitFailure, "72 bytes"},
		{"hash", strings.Repeat("x", 5000), exitFailure, "4096 bytes"},
		{"hash", "a\x00b", exitFailure, "NUL"},
		{"hash --algorithm md5", "secret", exitUsage, "argon2id and bcrypt"},
		{"hash secret", "", exitUsage, "ftpgate hash --help"},
		{"check --config " + broken, "", exitFailure, `Did you mean "listener"?`},
		{"check --config " + broken + ".not", "", exitFailure, "No such file"},
		{"check --config ../../config.hcl.example", "", exitOK, "no errors"},
		{"check --config ../../deploy/s3.hcl", "", exitOK, "no errors"},
		{"check extra", "", exitUsage, "ftpgate check --help"},
		{"check --conf x", "", exitUsage, "unknown flag: --conf"},
		{"serve --config " + broken, "", exitFailure, `Did you mean "listener"?`},
		{"serve extra", "", exitUsage, "ftpgate serve --help"},
		{"chekc", "", exitUsage, "Did you mean this?\n\tcheck"},
		{"--nonsense", "", exitUsage, "See 'ftpgate --help'"},
	} {
		code, out, errOut := ftpgate(t, x.in, strings.Fields(x.args)...)
		if code != x.code || !strings.Contains(out+errOut, x.says) {
			t.Errorf("ftpgate %s: exit code %d, want %d and %q in:\n%s%s", x.args, code, x.code, x.says, out, errOut)
		}
	}
}

// TestCheckCertificates: check and serve look into the files of TLS.
func TestCheckCertificates(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"c.hcl": `listener "x" {
			address = "127.0.0.1:0"
			tls {
				cert_file = "cert.pem"
				key_file  = "key.pem"
			}
		}`,
		"cert.pem": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
		"key.pem":  "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range []string{"check", "serve"} {
		code, out, errOut := ftpgate(t, "", verb, "--config", dir)
		if code != exitFailure || !strings.Contains(out+errOut, "something of type CERTIFICATE REQUEST") {
			t.Errorf("%s: exit code %d:\n%s%s", verb, code, out, errOut)
		}
	}
}

func TestCheckSummary(t *testing.T) {
	code, out, errOut := ftpgate(t, "", "check", "--config", "../../config.hcl.example")
	if code != exitOK || errOut != "" {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{
		"listener \"main\"  127.0.0.1:2121  passive on ports 20000 to 20099\n",
		"anonymous        read-only       on backend.local.mirror\n",
		"user \"scanner\"   drop-box        on backend.local.dropbox\n",
		"user \"demo\"      read-write      on backend.memory.scratch\n",
		"../../config.hcl.example: no errors, ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// The passwords that the example, and README with it, promise.
func TestExamplePasswords(t *testing.T) {
	c, ds := loadConfig("../../config.hcl.example")
	if c == nil {
		t.Fatal(ds)
	}
	for _, u := range c.Users {
		h, err := auth.ParseHash(u.PasswordHash)
		if err != nil || !h.Match(u.Name) {
			t.Errorf("%s's password is not %q (%v)", u.Name, u.Name, err)
		}
	}
}

// What hash prints is only the hash, and check takes it.
func TestHashFitsCheck(t *testing.T) {
	for _, algorithm := range auth.Algorithms() {
		_, out, errOut := ftpgate(t, "päss\r\nsecond line\n", "hash", "--algorithm", algorithm)
		hash, rest, _ := strings.Cut(out, "\n")
		if rest != "" || errOut != "" {
			t.Errorf("%s: more than a hash: %q %q", algorithm, out, errOut)
		}
		h, err := auth.ParseHash(hash)
		if err != nil || !h.Match("päss") {
			t.Errorf("%s: %q is not a hash of the line: %v", algorithm, hash, err)
		}
		name := filepath.Join(t.TempDir(), "user.hcl")
		text := `listener "main" { address = ":2121" }` + "\n" + `backend "memory" "m" {}` + "\n" +
			"user \"bob\" {\n  filesystem = backend.memory.m\n  password_hash = \"" + hash + "\"\n}\n"
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, _ := ftpgate(t, "", "check", "-c", name); code != exitOK {
			t.Errorf("%s: check says:\n%s", algorithm, out)
		}
		cut := strings.Replace(text, hash, hash[:len(hash)-10], 1)
		if err := os.WriteFile(name, []byte(cut), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, _ := ftpgate(t, "", "check", "-c", name)
		if code != exitFailure || !strings.Contains(out, "password_hash is not valid") || strings.Contains(out, hash[20:40]) {
			t.Errorf("%s: a hash that is cut off: exit code %d\n%s", algorithm, code, out)
		}
	}
}

func TestTwice(t *testing.T) {
	for _, x := range []struct {
		answers []string
		want    string
		err     string
	}{
		{[]string{"a", "a"}, "a", ""},
		{[]string{"a", "b"}, "", "differ"},
		{[]string{""}, "", "no password"},
		{nil, "", "closed"},
		{[]string{"a"}, "", "closed"},
	} {
		answers := x.answers
		got, err := twice(func(string) (string, error) {
			if len(answers) == 0 {
				return "", errors.New("closed")
			}
			a := answers[0]
			answers = answers[1:]
			return a, nil
		})
		if got != x.want || (err == nil) != (x.err == "") || err != nil && !strings.Contains(err.Error(), x.err) {
			t.Errorf("%q: %q, %v", x.answers, got, err)
		}
	}
}

func TestVersion(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := version(info); !strings.HasPrefix(got, "ftpgate v1.2.3 (commit 0123456789ab) with changes, go") {
		t.Error(got)
	}
	if got := version(nil); !strings.HasPrefix(got, "ftpgate unknown, go") {
		t.Error(got)
	}
}
