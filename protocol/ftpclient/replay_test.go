package ftpclient_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// TestTranscripts runs the session against what real servers once said. The client must send
// exactly what it sent then.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(transcripts, "*.txt"))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d transcripts (%v)", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			ftptest.CheckLeaks(t)
			_, way, _ := strings.Cut(strings.Replace(name, "pure-ftpd", "pureftpd", 1), "-")
			r := startReplay(t, file)
			o, ok := recorded()[way]
			if !ok {
				t.Fatalf("no way to connect is called %q", way)
			}
			o.Trace = logTrace(t)
			c, err := ftpclient.Dial(t.Context(), r.l.Addr().String(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(t.Context(), r.setting["user"], "secret", ""); err != nil {
				t.Fatal(err)
			}
			session(t, c, r.setting["dir"], false)
			c.Close()
			if err := <-r.done; err != nil {
				t.Error(err)
			}
		})
	}
}

// replay is a server that says what a transcript has it say.
type replay struct {
	l       net.Listener
	file    string
	lines   []string
	setting map[string]string
	done    chan error

	control net.Conn
	read    *bufio.Reader
	data    *net.TCPListener // of the last 227 or 229
}

func startReplay(t *testing.T, file string) *replay {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &replay{file: file, lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), setting: map[string]string{}, done: make(chan error, 1)}
	for _, line := range r.lines {
		if s, ok := strings.CutPrefix(line, "# "); ok {
			key, value, _ := strings.Cut(s, ": ")
			r.setting[key] = value
		}
	}
	if r.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.done <- r.run()
	}()
	t.Cleanup(func() {
		r.l.Close()
		<-over
	})
	return r
}

func (r *replay) run() (err error) {
	if r.control, err = r.l.Accept(); err != nil {
		return err
	}
	defer r.control.Close()
	defer r.listen(false)
	r.read = bufio.NewReader(r.control)
	for i, line := range r.lines {
		if strings.HasPrefix(line, "#") {
			continue
		}
		kind, text, _ := strings.Cut(line, " ")
		if strings.HasPrefix(text, `"`) {
			if text, err = strconv.Unquote(text); err != nil {
				return err
			}
		}
		if err := r.step(kind, text); err != nil {
			return fmt.Errorf("%s:%d: %w", r.file, i+1, err)
		}
	}
	return nil
}

func (r *replay) step(kind, text string) error {
	r.control.SetDeadline(time.Now().Add(ftptest.Patience))
	switch kind {
	case "C:":
		line, err := r.read.ReadString('\n')
		if line = hidden(strings.TrimSuffix(line, "\r\n")); err != nil || line != text {
			return fmt.Errorf("the client sends %q (%w) and not %q", line, err, text)
		}
	case "S:":
		if strings.Contains(text, "{") {
			at, err := r.listen(true)
			if err != nil {
				return err
			}
			text = strings.Replace(text, "{port}", strconv.Itoa(at.Port), 1)
			text = strings.Replace(text, "{hostport}", ftp.FormatHostPort(at.AddrPort()), 1)
		}
		_, err := io.WriteString(r.control, text+"\r\n")
		return err
	case "D>", "D<":
		return r.transfer(kind, text)
	}
	return nil
}

// listen opens another data port, and closes the last.
func (r *replay) listen(again bool) (*net.TCPAddr, error) {
	if r.data != nil {
		r.data.Close()
		r.data = nil
	}
	if !again {
		return nil, nil
	}
	var err error
	if r.data, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		return nil, err
	}
	return r.data.Addr().(*net.TCPAddr), nil
}

func (r *replay) transfer(kind, text string) error {
	r.data.SetDeadline(time.Now().Add(ftptest.Patience))
	conn, err := r.data.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(ftptest.Patience))
	if kind == "D>" {
		_, err := io.WriteString(conn, text)
		return err
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != text {
		return fmt.Errorf("the client stores %q (%w) and not %q", got, err, text)
	}
	return nil
}
