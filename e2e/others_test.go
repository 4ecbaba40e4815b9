//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWget fetches a tree and goes on with a file.
func TestWget(t *testing.T) {
	l := newLab(t)
	when := time.Date(2009, 8, 7, 6, 5, 0, 0, time.UTC) // LIST has no seconds, and wget believes it
	for name, size := range map[string]int{"pub/a": 0, "pub/with space": 1, "pub/deep/er/c.txt": 300_000, "pub/ü": 5} {
		path := put(t, l.mirror, name, content(size))
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	for _, family := range l.families(t) {
		for _, mode := range []string{"", "--no-passive-ftp"} {
			got := t.TempDir()
			args := []string{"-q", "-r", "-nH", "--restrict-file-names=nocontrol", "-P", got}
			if mode != "" {
				args = append(args, mode)
			}
			l.run(t, "wget", append(args, l.url(family, "", "/pub/"))...)
			for _, leftover := range []string{".listing"} {
				missing(t, got, leftover)
			}
			compare(t, filepath.Join(got, "pub"), filepath.Join(l.mirror, "pub"), false)
		}
	}
	want := content(300_000)
	put(t, l.work, "c.txt", want[:1000])
	l.run(t, "wget", "-q", "-c", l.url("v4", "", "/pub/deep/er/c.txt"))
	same(t, l.work, "c.txt", want)
	l.run(t, "wget", "-q", "-O", "globbed", l.url("v4", "", "/pub/")+"*space")
	same(t, l.work, "globbed", want[:1])
}

// TestTnftp types a session into BSD's ftp.
func TestTnftp(t *testing.T) {
	l := newLab(t)
	want := content(300_000)
	put(t, l.work, "up", want)
	for _, family := range l.families(t) {
		for name, mode := range map[string]string{"passive": "-p", "active": "-A"} {
			t.Run(family+" "+name, func(t *testing.T) {
				a := l.at(family)
				put(t, l.work, "part", want[:1234])
				// size comes before ls: tnftp leaves TYPE A behind then, in which SIZE is 550.
				input := strings.Join([]string{
					"user owner \"" + password + "\"", "binary", "put up file", "get file down", "restart 1234", "get file part",
					"size file", "ls", "mlsd", "modtime file", "chmod 600 file", "rename file other", "mkdir d",
					"cd d", "pwd", "cdup", "rmdir d", "append up other", "prompt", "mget oth*", "delete other", "nlist", "quit", "",
				}, "\n")
				_, text, code := l.try(t, input, "tnftp", "-n", "-v", mode, a.Addr().String(), fmt.Sprint(a.Port()))
				if code != 0 {
					t.Fatalf("tnftp ended with %d\n%s", code, text)
				}
				same(t, l.work, "down", want)
				same(t, l.work, "part", want)
				same(t, l.work, "other", append(want[:len(want):len(want)], want...))
				for _, line := range strings.Split(text, "\n") {
					if len(line) > 3 && (line[0] == '4' || line[0] == '5') && line[3] == ' ' {
						t.Errorf("refused: %s", line)
					}
				}
				if names := listed(t, l.home); len(names) != 0 {
					t.Fatalf("left: %q\n%s", names, text)
				}
			})
		}
	}
}
