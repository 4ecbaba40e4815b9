package ftp

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TestShortDownload: a server that says "226" before the end of a file has not sent it.
func TestShortDownload(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	fsys := u.backend(t, o).Open("", 0)
	if err := put(below, "/f", "half of it"); err != nil {
		t.Fatal(err)
	}
	size := "213 20"
	m.set(func(line string) (string, bool, bool) {
		switch line {
		case "MLST /f":
			return "250-so\r\n type=file;size=20;modify=20260101000000; /f\r\n250 end", true, false
		case "SIZE /f":
			return size, true, false
		}
		return "", false, false
	})
	if got, err := afero.ReadFile(fsys, "/f"); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("%q, %v", got, err)
	}
	f, err := fsys.Open("/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 20), 0); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("ReadAt: %v", err)
	}
	// proftpd: MLST tells the length of a link, and SIZE that of the file.
	m.mu.Lock()
	size = "213 10"
	m.mu.Unlock()
	if got, err := afero.ReadFile(fsys, "/f"); string(got) != "half of it" || err != nil {
		t.Errorf("through a link: %q, %v", got, err)
	}
}

// TestNotReachable: what a server says before the login is about no file, and passes for who uses the gateway; the log tells what to do.
func TestNotReachable(t *testing.T) {
	u, _ := startOwn(t)
	o := u.options()
	o.Client.Security = ftpclient.Explicit // which it does not have
	_, err := u.backend(t, o).Open("", 0).Stat("/f")
	if !errors.Is(err, vfs.ErrTransient) || errors.Is(err, vfs.ErrUnsupported) {
		t.Errorf("%v is not worth another try", err)
	}
	text := err.Error()
	for _, want := range []string{u.address, "switch TLS on at the server"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
	for _, not := range []string{"ftpclient", "\n"} {
		if strings.Contains(text, not) {
			t.Errorf("%q says %q", text, not)
		}
	}
}

// TestSilenceOnce: a server that does not answer is waited for once; a connection that is lost is replaced.
func TestSilenceOnce(t *testing.T) {
	u, _ := startOwn(t)
	b := u.backend(t, u.options())
	for _, x := range []struct {
		err  error
		want int
	}{{ftpclient.ErrTimeout, 1}, {io.ErrUnexpectedEOF, 1 + idleConnections}} {
		asked := 0
		err := b.with(t.Context(), true, func(c *ftpclient.Conn) error {
			asked++
			c.Close()
			return x.err
		})
		if !errors.Is(err, x.err) || asked != x.want {
			t.Errorf("%v: asked %d times", err, asked)
		}
	}
}

// TestReadAtAsksOnce: what is read from the middle of a file is no reason to ask how long the file is.
func TestReadAtAsksOnce(t *testing.T) {
	u, below := startOwn(t)
	m, o := u.between(t)
	fsys := u.backend(t, o).Open("", 0)
	if err := put(below, "/f", "all of it"); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.Open("/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var asked atomic.Int32
	m.set(func(line string) (string, bool, bool) {
		if strings.HasPrefix(line, "MLST") || strings.HasPrefix(line, "SIZE") {
			asked.Add(1)
		}
		return "", false, false
	})
	p := make([]byte, 3)
	if n, err := f.ReadAt(p, 4); err != nil || string(p[:n]) != "of " {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("it was asked %d times", n)
	}
}
