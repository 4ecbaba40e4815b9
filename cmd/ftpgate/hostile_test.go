package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// hostile serves whatever lines as a listing of every directory, and "evil" as every file.
func hostile(t *testing.T, listing ...string) (url, dir string) {
	t.Helper()
	signal.Stop(signalsOnce())
	ftptest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var sessions sync.WaitGroup
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { hostileSession(c, listing) })
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
		sessions.Wait()
		for range 3 {
			runtime.GC() // it closes the pipes that splice has used, before descriptors are counted
		}
	})
	t.Setenv("HOME", t.TempDir())
	t.Setenv("FTPGATE_USER", "")
	return "ftp://" + l.Addr().String() + "/pub", filepath.Join(t.TempDir(), "outer", "inner")
}

func hostileSession(c net.Conn, listing []string) {
	defer c.Close()
	fmt.Fprint(c, "220 hello\r\n")
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	send := func(text string) {
		fmt.Fprint(c, "150 here\r\n")
		if conn, err := data.Accept(); err == nil {
			fmt.Fprint(conn, text)
			conn.Close()
		}
		fmt.Fprint(c, "226 done\r\n")
	}
	listed := false
	for s := bufio.NewScanner(c); s.Scan(); {
		switch verb, arg, _ := strings.Cut(s.Text(), " "); verb {
		case "USER":
			fmt.Fprint(c, "230 in\r\n")
		case "FEAT":
			fmt.Fprint(c, "211-\r\n MLST type*;size*;modify*;\r\n EPSV\r\n HASH SHA-256*\r\n211 end\r\n")
		case "EPSV":
			if data != nil {
				data.Close()
			}
			var err error
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			fmt.Fprintf(c, "229 (|||%d|)\r\n", data.Addr().(*net.TCPAddr).Port)
		case "MLST":
			kind := "file"
			if arg == "pub" {
				kind = "dir"
			}
			fmt.Fprintf(c, "250-\r\n type=%s;size=4; %s\r\n250 end\r\n", kind, arg)
		case "MLSD":
			if listed {
				send("")
			} else {
				send(strings.Join(listing, "\r\n") + "\r\n")
			}
			listed = true
		case "HASH":
			fmt.Fprintf(c, "213 SHA-256 0-4 %x %s\r\n", sha256.Sum256([]byte("evil")), arg)
		case "RETR":
			send("evil")
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "200 fine\r\n")
		}
	}
}

// TestHostileNames: whatever a server calls its files, they end up in the directory that was named, or nowhere.
func TestHostileNames(t *testing.T) {
	url, dir := hostile(t,
		"type=file;size=4; good",
		"type=file;size=4; ../up", "type=file;size=4; ..", "type=file;size=4; /abs", "type=file;size=4; sub/../../up",
		"type=dir; ..", "type=dir; ../updir", "type=file;size=4; a\x00b", "type=file;size=4; \x1b[2Jclear", "type=file;size=4; .ftpgate-part.good",
		"type=file;size=4; ", "type=dir; .",
	)
	code, out, errOut := ftpgate(t, "", "mirror", "--retries=0", url, dir)
	if code != exitFailure {
		t.Errorf("exit code %d, although some could not be had: %s%s", code, out, errOut)
	}
	if strings.Contains(errOut, "\x1b") {
		t.Errorf("the terminal is sent commands: %q", errOut)
	}
	if got := files(t, filepath.Dir(filepath.Dir(dir))); got != "outer/inner/good=evil" {
		t.Errorf("%q\n%s", got, errOut)
	}
	_, out, _ = ftpgate(t, "", "ls", url)
	if strings.ContainsAny(out, "\x1b\x00") {
		t.Errorf("the terminal is sent commands: %q", out)
	}
}

// TestHostileLinks: links that are in the directory already do not lead out of it.
func TestHostileLinks(t *testing.T) {
	url, dir := hostile(t, "type=dir; link", "type=file;size=4; file", "type=file;size=4; .ftpgate-part.x")
	outside := t.TempDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": outside, "file": filepath.Join(outside, "file"), ".ftpgate-part.file": filepath.Join(outside, "part")} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errOut := ftpgate(t, "", "mirror", "--retries=0", "--delete", url, dir)
	if code != exitFailure {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	fails(t, exitFailure, "escapes", "get", "--retries=0", url+"/file", dir)
	if got := files(t, outside); got != "" {
		t.Errorf("outside: %s", got)
	}
}

// TestUnreadableListing: what a server shows in a way that cannot be understood is not taken for something that is not there.
func TestUnreadableListing(t *testing.T) {
	for _, line := range []string{"-rw-r--r-- 1 me me 4 kept", "type=file;size=x; kept", "type=file;size=4; d/kept"} {
		url, dir := hostile(t, "type=file;size=4; good", line)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "kept"), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		fails(t, exitFailure, "nothing is deleted", "mirror", "--delete", "--retries=0", url, dir)
		if got := files(t, dir); got != "good=evil kept=mine" {
			t.Errorf("%q: %s", line, got)
		}
	}
}
