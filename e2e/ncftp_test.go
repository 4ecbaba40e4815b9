//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNcftp moves a tree both ways with ncftpput, ncftpget and ncftpls.
func TestNcftp(t *testing.T) {
	l := newLab(t)
	a := l.at("v4")
	host, port := a.Addr().String(), strconv.Itoa(int(a.Port()))
	login := []string{"-u", "owner", "-p", password, "-P", port}
	when := time.Date(2015, 6, 7, 8, 9, 10, 0, time.UTC)
	for name, size := range map[string]int{"tree/a": 0, "tree/b with space": 1, "tree/deep/er/c": 300_000} {
		path := put(t, l.work, name, content(size))
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]string{"passive": "-F", "active": "-E"} {
		t.Run(name, func(t *testing.T) {
			l.run(t, "ncftpput", append(append([]string{mode, "-m", "-R"}, login...), host, "/"+name, "tree")...)
			compare(t, filepath.Join(l.home, name, "tree"), filepath.Join(l.work, "tree"), true)

			got := t.TempDir()
			l.run(t, "ncftpget", append(append([]string{mode, "-R"}, login...), host, got, "/"+name+"/tree")...)
			compare(t, filepath.Join(got, "tree"), filepath.Join(l.home, name, "tree"), true)

			list := l.run(t, "ncftpls", mode, "-1", "-u", "owner", "-p", password, "ftp://"+host+":"+port+"/"+name+"/tree/")
			for _, want := range []string{"a\n", "b with space\n", "deep"} {
				if !strings.Contains(list, want) {
					t.Errorf("%q is not in %q", want, list)
				}
			}
		})
	}
	t.Run("resume", func(t *testing.T) {
		want := content(500_000)
		put(t, l.home, "file", want)
		put(t, l.work, "file", want[:123_456])
		l.run(t, "ncftpget", append(append([]string{"-z"}, login...), host, l.work, "/file")...)
		same(t, l.work, "file", want)
		// Not ncftpput -z: version 3.2.6 says REST and then sends the whole file.
	})
	t.Run("anonymous", func(t *testing.T) {
		put(t, l.mirror, "pub/x.txt", content(1000))
		l.run(t, "ncftpget", "ftp://"+host+":"+port+"/pub/x.txt")
		same(t, l.work, "x.txt", content(1000))
	})
	t.Run("temporary name", func(t *testing.T) { // -S renames when all is there
		l.run(t, "ncftpput", append(append([]string{"-S", ".tmp"}, "-u", "camera", "-p", password, "-P", port), host, "/", "tree/deep/er/c")...)
		same(t, l.dropbox, "c", content(300_000))
		missing(t, l.dropbox, "c.tmp")
	})
}
