//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// lftp runs commands in lftp, logged in as user ("" is anonymous). Any failure ends it.
func (l *lab) lftp(t *testing.T, family, user string, commands ...string) string {
	t.Helper()
	open := "open "
	if user != "" {
		open += fmt.Sprintf("-u '%s,%s' ", user, password)
	}
	script := append([]string{
		"set cmd:fail-exit yes", "set net:max-retries 2", "set net:timeout 20", "set ftp:ssl-allow no",
		"set xfer:clobber yes", open + "ftp://" + l.at(family).String(),
	}, commands...)
	return l.run(t, "lftp", "--norc", "-c", strings.Join(script, "; "))
}

// TestLftpMirror mirrors a tree of 300 files with awkward names down, and up to
// every backend, and down again.
func TestLftpMirror(t *testing.T) {
	l := newLab(t)
	plant(t, l.mirror)
	modes := map[string]string{
		"passive":         "set ftp:passive-mode on",
		"active":          "set ftp:passive-mode off",
		"without MLSD":    "set ftp:use-mlsd off",
		"without EPSV":    "set ftp:prefer-epsv off",
		"three at a time": "set mirror:parallel-transfer-count 3",
	}
	for name, mode := range modes {
		t.Run("down "+name, func(t *testing.T) {
			for _, family := range l.families(t) {
				got := t.TempDir()
				l.lftp(t, family, "", mode, "mirror --no-perms / "+got)
				compare(t, got, l.mirror, name != "without MLSD")
			}
		})
	}
	for _, user := range []string{"owner", "memory"} {
		t.Run("up and down "+user, func(t *testing.T) {
			l.lftp(t, "v4", user, "mkdir tree", "mirror --reverse --no-perms "+l.mirror+" /tree")
			if user == "owner" {
				compare(t, filepath.Join(l.home, "tree"), l.mirror, true)
			}
			got := t.TempDir()
			l.lftp(t, "v4", user, "mirror --no-perms /tree "+got)
			compare(t, got, l.mirror, true)
			// Now both are equal: there is nothing to do.
			if out := l.lftp(t, "v4", user, "mirror --reverse --no-perms --dry-run "+l.mirror+" /tree"); strings.Contains(out, "put ") {
				t.Fatalf("a second mirror would send again:\n%s", out)
			}
			l.lftp(t, "v4", user, "rm -r tree")
			if out := l.lftp(t, "v4", user, "cls -1a /"); strings.Contains(out, "tree") {
				t.Fatalf("rm -r left %q", out)
			}
		})
	}
}

// TestLftpResume goes on with downloads and uploads.
func TestLftpResume(t *testing.T) {
	l := newLab(t)
	want := content(500_000)
	put(t, l.home, "file", want)
	put(t, l.work, "down", want[:123_456])
	l.lftp(t, "v4", "owner", "get -c file -o down")
	same(t, l.work, "down", want)

	put(t, l.work, "source", want)
	put(t, l.home, "up", want[:123_456])
	l.lftp(t, "v4", "owner", "put -c source -o up")
	same(t, l.home, "up", want)
	l.lftp(t, "v4", "owner", "pget -n 4 file -o parts")
	same(t, l.work, "parts", want)
}

// TestLftpAbort leaves a download in the middle (head closes the connection
// when it has enough) and goes on in the same session.
func TestLftpAbort(t *testing.T) {
	l := newLab(t)
	want := content(64 << 20)
	put(t, l.mirror, "large", want)
	put(t, l.mirror, "small", want[:1000])
	out := l.lftp(t, "v4", "", "cat large | head -c 100000 | wc -c || true", "get small")
	if !strings.Contains(out, "100000") {
		t.Fatalf("lftp: %q", out)
	}
	same(t, l.work, "small", want[:1000])
	// The server saw it end before the end.
	cut, err := l.log.wait(t.Context(), func(l logLine) bool { return l.Message == "transfer" && l.Path == "/large" })
	if err != nil {
		t.Fatal(err)
	}
	if cut.Outcome == "complete" {
		t.Fatalf("the aborted download counts as complete:\n%s", l.log.text())
	}
}

// TestLftpFiles does what a person does in a session.
func TestLftpFiles(t *testing.T) {
	l := newLab(t)
	put(t, l.work, "source", content(1000))
	out := l.lftp(t, "v4", "owner",
		"mkdir -p 'a b/c'", "cd 'a b'", "put source -o x", "mv x 'c/y z'", "chmod 600 'c/y z'",
		"ls c", "cls -l --time-style=%Y c", "cat 'c/y z' | wc -c", "mput -O c source", "glob echo c/*", "pwd")
	same(t, l.home, "a b/c/y z", content(1000))
	for _, want := range []string{"-rw-------", "c/source", "c/y z", "1000", "/a%20b"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in the output:\n%s", want, out)
		}
	}
	l.lftp(t, "v4", "owner", "mrm 'a b/c/*'", "rmdir 'a b/c' 'a b'")
	if names := listed(t, l.home); len(names) != 0 {
		t.Fatalf("left: %q", names)
	}
}
