package local_test

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLinkSwappedDuringRequests races every operation against somebody on the
// host who exchanges a directory and a file for links to the outside, as fast
// as the kernel does it.
func TestLinkSwappedDuringRequests(t *testing.T) {
	fsys, root, outside := jail(t)
	at := func(name string) string { return filepath.Join(root, name) }
	put(t, at("dir/secret"), "mine, not theirs")
	put(t, at("file"), "mine, not theirs")
	link(t, "../outside/dir", at("dir2"))
	link(t, "../outside/secret", at("file2"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, name := range []string{"dir", "file"} {
		wg.Go(func() {
			one, two := at(name), at(name+"2")
			for {
				select {
				case <-stop:
					return
				default:
					_ = unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, two, unix.RENAME_EXCHANGE)
					runtime.Gosched()
				}
			}
		})
	}
	deadline := time.Now().Add(3 * time.Second)
	for round := 0; time.Now().Before(deadline) || round < 50; round++ {
		for _, path := range []string{"/dir/secret", "/dir/new", "/file"} {
			for _, op := range everything {
				switch op.name {
				case "RETR":
					if got, err := read(fsys, path); err == nil && got == "secret" {
						t.Fatalf("%s gave the secret away", path)
					}
				case "SIZE":
					if info, err := fsys.Stat(path); err == nil && path != "/dir/new" && info.Mode().IsRegular() && info.Size() == int64(len("secret")) {
						t.Fatalf("stat of %s was of the secret", path)
					}
				case "RNFR", "RNTO", "DELE", "RMD all":
					if path == "/dir/new" { // the others would end the game
						_ = op.do(fsys, path)
					}
				default:
					_ = op.do(fsys, path) // whatever comes of it, untouched tells
				}
			}
		}
		// An upload may have replaced a link: it is put up again.
		for name, target := range map[string]string{"file": "../outside/secret", "dir": "../outside/dir"} {
			if isRegular(at(name)) && isRegular(at(name+"2")) {
				link(t, target, at("new"))
				must(t, os.Rename(at("new"), at(name+"2")))
			}
		}
	}
	close(stop)
	wg.Wait()
	untouched(t, outside)
}

func isRegular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}
