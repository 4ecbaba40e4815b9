//go:build e2e

package e2e

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// tlsClient is a client of the matrix.
type tlsClient struct {
	name     string
	title    string // in the table of docs/security.md; empty: not there
	program  string
	version  []string // arguments that make it tell its version
	observed string   // the version that the outcomes below were seen with

	// run does the operations in one session, and stops at the first that fails.
	run func(*cell, []operation) (output string, err error)

	// require is what comes of the tasks under session_reuse = "require", by version of TLS;
	// what is not here works. Without "require" everything does.
	require map[string]map[string]string
}

// loginOnly is what is left to a client that does not resume.
var loginOnly = map[string]string{
	"upload": "no", "3 uploads": "no", "empty file": "no", "ASCII, up and down": "no", "download": "no",
	"3 downloads": "no", "down, then up": "no", "up, then down": "no", "listing": "no",
}

var tlsClients = []*tlsClient{
	{
		name: "curl", title: "curl 7.88.1 (OpenSSL 3.0)", program: "curl", version: []string{"--version"}, observed: "7.88.1",
		run: runCurl,
		require: map[string]map[string]string{
			"1.2": loginOnly, // it offers no tickets, only session IDs
			// A ticket is used once, and an upload brings no new one.
			"1.3": {"3 uploads": "1 of 3", "ASCII, up and down": "1 of 2", "up, then down": "1 of 2"},
		},
	},
	{
		name: "lftp", title: "lftp 4.9.2 (GnuTLS 3.7)", program: "lftp", version: []string{"--version"}, observed: "4.9.2",
		run: runLftp,
	},
	{
		name: "ftplib", title: "ftplib of Python 3.11", program: "python3", version: []string{"--version"}, observed: "3.11",
		run:     runFtplib(false),
		require: map[string]map[string]string{"1.2": loginOnly, "1.3": loginOnly},
	},
	{
		name: "ftplib resuming", title: "the same, taught to resume", program: "python3", version: []string{"--version"}, observed: "3.11",
		run: runFtplib(true),
	},
	{
		name: "openssl", program: "openssl", version: []string{"version"}, observed: "3.0", run: runOpenSSL(false),
		require: map[string]map[string]string{"1.2": loginOnly, "1.3": loginOnly},
	},
	{
		name: "openssl resuming", program: "openssl", version: []string{"version"}, observed: "3.0", run: runOpenSSL(true),
	},
}

func (c *tlsClient) underRequire(version, task string) string {
	if outcome, differs := c.require[version][task]; differs {
		return outcome
	}
	return "yes"
}

// ask is the first line of what the client says of itself.
func (c *tlsClient) ask(t *testing.T) string {
	t.Helper()
	l := &lab{work: t.TempDir()}
	out, _, _ := l.try(t, "", c.program, c.version...)
	line, _, _ := strings.Cut(out, "\n")
	return line
}

// ended makes an error of an exit code.
func ended(code int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("it ended with %d", code)
}

func runCurl(c *cell, operations []operation) (string, error) {
	args := []string{"-sS", "--fail-early"}
	for i, o := range operations {
		if i > 0 {
			args = append(args, "--next", "-sS")
		}
		args = append(append(args, "--max-time", "60"), c.with(c.version)...)
		if strings.HasSuffix(o.what, " text") {
			args = append(args, "--use-ascii")
		}
		switch path := c.path(i, o); o.what {
		case "put", "put text":
			args = append(args, "--upload-file", path)
		case "list":
			args = append(args, "--list-only", "--output", path)
		default:
			args = append(args, "--output", path)
		}
		args = append(args, c.url(c.listener, "owner", "/"+c.dir+"/"+o.name))
	}
	if len(operations) == 0 {
		args = append(append(args, "--head"), append(c.with(c.version), c.url(c.listener, "owner", "/"+c.dir+"/there"))...)
	}
	_, text, code := c.tlsLab.try(c.t, "", "curl", args...)
	return text, ended(code)
}

// lftpOpen are the commands that log lftp in.
func (l *tlsLab) lftpOpen(listener, version string) []string {
	scheme := "ftp://"
	if strings.HasPrefix(listener, "implicit") {
		scheme = "ftps://"
	}
	return []string{
		"set cmd:fail-exit yes", "set net:max-retries 2", "set net:timeout 20", "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes",
		"set ssl:ca-file " + l.ca, "set ssl:check-hostname no", "set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS" + version, "set xfer:clobber yes",
		fmt.Sprintf("open -u 'owner,%s' %s%s", password, scheme, l.at(listener)),
	}
}

func runLftp(c *cell, operations []operation) (string, error) {
	script := append(c.lftpOpen(c.listener, c.version), "quote PWD")
	for i, o := range operations {
		here, there := c.path(i, o), c.dir+"/"+o.name
		script = append(script, map[string]string{
			"put":      "put " + here + " -o " + there,
			"put text": "put -a " + here + " -o " + there,
			"get":      "get " + there + " -o " + here,
			"get text": "get -a " + there + " -o " + here,
			"list":     "nlist " + there + " > " + here,
		}[o.what])
	}
	_, text, code := c.tlsLab.try(c.t, "", "lftp", "--norc", "-c", strings.Join(script, "; "))
	return text, ended(code)
}

//go:embed testdata/ftplib_tls.py
var ftplibTLS string

// python is the interpreter itself: the matrix starts it hundreds of times, and python3 may be a
// script that looks for one.
var python = sync.OnceValue(func() string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "python3"
	}
	return strings.TrimSpace(string(out))
})

func runFtplib(reuse bool) func(*cell, []operation) (string, error) {
	return func(c *cell, operations []operation) (string, error) {
		a := c.at(c.listener)
		all := [][3]string{}
		for i, o := range operations {
			all = append(all, [3]string{o.what, c.path(i, o), "/" + c.dir + "/" + o.name})
		}
		argument, err := json.Marshal(map[string]any{
			"host": a.Addr().String(), "port": a.Port(), "ca": c.ca, "user": "owner", "password": password,
			"mode": c.mode, "version": c.version, "reuse": reuse, "operations": all,
		})
		if err != nil {
			c.t.Fatal(err)
		}
		out, text, code := c.tlsLab.try(c.t, "", python(), "-I", "-S", "-c", ftplibTLS, string(argument))
		if code == 0 && out != "all well\n" {
			return text, errors.New("the script ended early")
		}
		return text, ended(code)
	}
}
