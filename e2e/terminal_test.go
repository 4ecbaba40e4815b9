//go:build e2e && linux

package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is the other end of what a program takes for a terminal.
type terminal struct {
	*os.File
	cmd *exec.Cmd

	mu    sync.Mutex
	shown bytes.Buffer
	over  chan struct{} // closed when nothing more is shown
}

// onTerminal starts the binary on a terminal of its own.
func onTerminal(t *testing.T, env []string, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	term := &terminal{File: master, cmd: exec.Command(binary(t), args...), over: make(chan struct{})}
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = slave, slave, slave
	term.cmd.Env = env
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(term.over)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			term.mu.Lock()
			term.shown.Write(b[:n])
			term.mu.Unlock()
			if err != nil { // EIO: nobody has the terminal any more
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill() // if it has not ended
		<-term.over
		master.Close()
	})
	return term
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.shown.String()
}

// shows waits for a text.
func (term *terminal) shows(t *testing.T, text string) {
	t.Helper()
	for limit := time.Now().Add(patience); !strings.Contains(term.text(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("no %q on the terminal: %q", text, term.text())
		}
	}
}

// ends waits for the program and returns its exit code.
func (term *terminal) ends(t *testing.T) int {
	t.Helper()
	err := term.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	<-term.over
	return term.cmd.ProcessState.ExitCode()
}

// echoes reports whether the terminal shows what is typed.
func (term *terminal) echoes(t *testing.T) bool {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(term.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag&unix.ECHO != 0
}

// TestVerbsOnTerminal: a password is asked for and not shown, a bar is drawn, and Ctrl-C ends a transfer in good order.
func TestVerbsOnTerminal(t *testing.T) {
	l := newLab(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 4<<20) // 64 MiB
	put(t, l.home, "big", big)
	home := t.TempDir()
	env := append(os.Environ(), "HOME="+home, "NETRC=", "FTPGATE_USER=", "FTPGATE_PASSWORD=", "TERM=xterm")
	from := "ftp://owner@" + l.at("v4").String() + "/"

	to := t.TempDir()
	term := onTerminal(t, env, "get", from+"big", to)
	term.shows(t, "Password of owner at 127.0.0.1: ")
	if _, err := term.WriteString(password + "\n"); err != nil {
		t.Fatal(err)
	}
	if code := term.ends(t); code != 0 || strings.Contains(term.text(), password) || !strings.Contains(term.text(), "% |") || !strings.Contains(term.text(), "67108864 bytes in ") {
		t.Errorf("exit code %d: %q", code, term.text())
	}
	if got, err := os.ReadFile(filepath.Join(to, "big")); err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes, %v", len(got), err)
	}

	// Ctrl-C at the prompt ends it and leaves a terminal that echoes.
	term = onTerminal(t, env, "ls", from)
	term.shows(t, "Password of owner")
	for limit := time.Now().Add(patience); term.echoes(t) && time.Now().Before(limit); time.Sleep(time.Millisecond) {
	}
	if _, err := term.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	if code := term.ends(t); code != 1 || !term.echoes(t) {
		t.Errorf("Ctrl-C at the prompt: exit code %d, echo %v: %q", code, term.echoes(t), term.text())
	}

	// Ctrl-C in an upload: nothing is there under its name.
	env = append(env, "FTPGATE_PASSWORD="+password)
	since := l.log.length()
	term = onTerminal(t, env, "put", "-", from+"typed")
	if _, err := l.log.waitFrom(t.Context(), since, func(l logLine) bool { return l.Message == "logged in" }); err != nil {
		t.Fatal(err)
	}
	if _, err := term.WriteString("half a file\n\x03"); err != nil {
		t.Fatal(err)
	}
	if code := term.ends(t); code != 1 || !strings.Contains(term.text(), "interrupted") {
		t.Errorf("exit code %d: %q", code, term.text())
	}
	if left := (place{root: l.home}).left(t); len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}
