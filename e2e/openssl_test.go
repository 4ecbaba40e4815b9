//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sclient is an FTP client of openssl s_client: a process for the control connection, and
// one for each data connection.
type sclient struct {
	l       *tlsLab
	t       *testing.T
	version string
	ca      string   // file of the authority that is trusted
	session string   // file of the TLS session of the control connection; empty: nothing is resumed
	more    []string // arguments for control and data connections

	cmd     *exec.Cmd
	in      io.WriteCloser
	replies *textproto.Reader
	errors  transcript
}

// command prepares s_client to connect to an address.
func (c *sclient) command(address string, more ...string) *exec.Cmd {
	args := []string{"s_client", "-connect", address, "-CAfile", c.ca, "-verify_return_error", "-quiet", "-nocommands", "-tls1_" + c.version[2:]}
	cmd := c.l.command(c.t, "openssl", append(append(args, c.more...), more...)...)
	cmd.Stderr = &c.errors
	return cmd
}

// dialOpenSSL opens a control connection under TLS, with more arguments for each s_client.
func (l *tlsLab) dialOpenSSL(t *testing.T, listener, version string, resume bool, more ...string) *sclient {
	t.Helper()
	c := &sclient{l: l, t: t, version: version, ca: l.ca, more: more}
	file := filepath.Join(t.TempDir(), "session")
	if resume {
		c.session = file
	}
	args := []string{"-sess_out", file}
	explicit := !strings.HasPrefix(listener, "implicit")
	if explicit {
		args = append(args, "-starttls", "ftp")
	}
	c.cmd = c.command(l.at(listener).String(), args...)
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.replies = textproto.NewReader(bufio.NewReader(out))
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	})
	if !explicit { // else s_client has read the greeting itself
		c.must(c.reply(220))
	}
	return c
}

func (c *sclient) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%v\nopenssl: %s\nlog of the gateway:\n%s", err, c.errors.String(), c.l.log.tail(20))
	}
}

// send sends a command.
func (c *sclient) send(format string, args ...any) error {
	_, err := fmt.Fprintf(c.in, format+"\r\n", args...)
	return err
}

// reply reads a reply, which must have this code.
func (c *sclient) reply(want int) error {
	code, text, err := c.replies.ReadResponse(0)
	if err == nil && code != want {
		err = fmt.Errorf("reply %d %s, want %d", code, text, want)
	}
	return err
}

// do sends a command whose reply must have this code.
func (c *sclient) do(want int, format string, args ...any) error {
	return errors.Join(c.send(format, args...), c.reply(want))
}

// login logs in with a password, and protects data connections.
func (c *sclient) login(user string) {
	c.t.Helper()
	c.must(c.do(331, "USER %s", user))
	c.must(c.do(230, "PASS %s", password))
	c.protect()
}

func (c *sclient) protect() {
	c.t.Helper()
	c.must(c.do(200, "PBSZ 0"))
	c.must(c.do(200, "PROT P"))
	c.must(c.do(200, "TYPE I"))
}

// open sends a command for a transfer, and has another s_client make the data connection.
func (c *sclient) open(command string, more ...string) (*exec.Cmd, io.WriteCloser, error) {
	if err := c.send("EPSV"); err != nil {
		return nil, nil, err
	}
	_, text, err := c.replies.ReadResponse(229)
	if err != nil {
		return nil, nil, err
	}
	_, port, _ := strings.Cut(text, "|||")
	port, _, _ = strings.Cut(port, "|")
	if c.session != "" {
		more = append(more, "-sess_in", c.session)
	}
	data := c.command("127.0.0.1:"+port, more...)
	in, err := data.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	return data, in, c.send("%s", command)
}

// upload begins an upload. What is written arrives; closing ends it.
func (c *sclient) upload(path string) (*exec.Cmd, io.WriteCloser, error) {
	data, in, err := c.open("STOR "+path, "-no_ign_eof")
	if err == nil {
		err = data.Start()
	}
	if err == nil {
		err = c.reply(150)
	}
	return data, in, err
}

// store uploads content.
func (c *sclient) store(path string, content []byte) error {
	data, in, err := c.upload(path)
	if err != nil {
		return err
	}
	in.Write(content) // the reply tells whether it arrived
	in.Close()
	err = c.reply(226)
	data.Wait()
	return err
}

// fetch runs a command that sends data.
func (c *sclient) fetch(command string) ([]byte, error) {
	data, in, err := c.open(command)
	if err != nil {
		return nil, err
	}
	defer in.Close() // it ends when the gateway does, not with its input
	var got bytes.Buffer
	data.Stdout = &got
	if err := data.Start(); err != nil {
		return nil, err
	}
	err = c.reply(150)
	if err == nil {
		err = c.reply(226)
	}
	err = errors.Join(err, data.Wait())
	return got.Bytes(), err
}

// arrived waits until n bytes of the running upload have arrived.
func (c *sclient) arrived(n int) {
	c.t.Helper()
	for limit := time.Now().Add(patience); ; {
		c.must(c.send("STAT"))
		_, text, err := c.replies.ReadResponse(211)
		c.must(err)
		if strings.Contains(text, fmt.Sprintf(": %d bytes so far", n)) {
			return
		}
		if time.Now().After(limit) {
			c.t.Fatalf("waited for %d bytes to arrive: %s", n, text)
		}
	}
}

// quit says goodbye.
func (c *sclient) quit() {
	c.t.Helper()
	c.must(c.do(221, "QUIT"))
}

func runOpenSSL(resume bool) func(*cell, []operation) (string, error) {
	return func(cell *cell, operations []operation) (string, error) {
		c := cell.dialOpenSSL(cell.t, cell.listener, cell.version, resume)
		defer c.in.Close()
		c.login("owner")
		c.must(c.do(257, "PWD"))
		for i, o := range operations {
			if err := c.operate(cell, i, o); err != nil {
				return c.errors.String(), err
			}
		}
		c.quit()
		return c.errors.String(), nil
	}
}

func (c *sclient) operate(cell *cell, i int, o operation) error {
	here, there := cell.path(i, o), "/"+cell.dir+"/"+o.name
	if strings.HasSuffix(o.what, " text") {
		if err := c.do(200, "TYPE A"); err != nil {
			return err
		}
	}
	switch o.what {
	case "put", "put text":
		content, err := os.ReadFile(here)
		if err != nil {
			return err
		}
		if o.what == "put text" {
			content = bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n"))
		}
		return c.store(there, content)
	}
	command := "RETR " + there
	if o.what == "list" {
		command = "NLST " + there
	}
	got, err := c.fetch(command)
	if err != nil {
		return err
	}
	if o.what != "get" {
		got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
	}
	return os.WriteFile(here, got, 0o644)
}
