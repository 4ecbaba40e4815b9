//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestSpecialFiles: what is no regular file is neither replaced nor waited for.
func TestSpecialFiles(t *testing.T) {
	s := serve(t)
	s.write(t, "/a", "alpha")
	fifo := filepath.Join(s.dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	fails(t, exitFailure, "not a regular file", "put", fifo, s.url)
	fails(t, exitFailure, "not a regular file", "get", s.url+"a", fifo)
	if i, err := os.Lstat(fifo); err != nil || i.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the FIFO is now %v, %v", i, err)
	}
	fails(t, exitUsage, "cat writes to standard output", "get", s.url+"a", "-")
	for _, end := range []string{"pub/.", "pub/..", ".", "..", "%2F.", "%2Fpub/../"} {
		s.write(t, "/pub/b", "beta")
		fails(t, exitUsage, "not removed", "rm", "-rf", s.url+end)
		if s.read("/pub/b") != "beta" {
			t.Errorf("%s: it is removed", end)
		}
	}
}

// TestFullDevice: a device that the kernel cannot copy to, like a tape, is written to, and what is wrong with it is told.
func TestFullDevice(t *testing.T) {
	s := serve(t)
	s.write(t, "/a", "alpha")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	var errOut bytes.Buffer
	code := run(t.Context(), []string{"cat", s.url + "a"}, strings.NewReader(""), full, &errOut)
	if code != exitFailure || !strings.Contains(errOut.String(), "no space left on device") || strings.Contains(errOut.String(), "splice") {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
}

type brokenOut struct{}

func (brokenOut) Write([]byte) (int, error) { return 0, errors.New("no room left") }

// TestBrokenOutput: who cannot be told anything is told why, once, and nothing is tried again.
func TestBrokenOutput(t *testing.T) {
	s := serve(t)
	s.write(t, "/pub/a", "alpha")
	for _, verb := range []string{"ls", "cat"} {
		var errOut bytes.Buffer
		path := map[string]string{"ls": "pub/", "cat": "pub/a"}[verb]
		code := run(t.Context(), []string{verb, s.url + path}, strings.NewReader(""), brokenOut{}, &errOut)
		if code != exitFailure || strings.Count(errOut.String(), "no room left") != 1 || strings.Contains(errOut.String(), "again") {
			t.Errorf("%s: exit code %d: %s", verb, code, errOut.String())
		}
	}
}

// TestStdinEnds: an upload from a pipe in which nothing comes ends when it is to, and leaves nothing.
func TestStdinEnds(t *testing.T) {
	s := serve(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := w.WriteString("the beginning"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out, errOut bytes.Buffer
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"put", "-", s.url + "piped"}, r, &out, &errOut) }()
	ftptest.Eventually(t, "the beginning to be read", func() bool { return unread(t, r) == 0 })
	cancel()
	if code := <-ended; code != exitFailure || !strings.Contains(errOut.String(), "interrupted") {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
	if _, err := s.fs.Stat("/piped"); err == nil {
		t.Error("half of it is there")
	}
}

// unread is how many bytes are in a pipe.
func unread(t *testing.T, f *os.File) int {
	t.Helper()
	n, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCINQ)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
