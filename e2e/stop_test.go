//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/ftpgate/ftpgate/protocol/ftptest"
)

// uploading starts a curl that uploads what is written to in, until that is closed.
func (l *lab) uploading(t *testing.T, args ...string) (cmd *exec.Cmd, in io.WriteCloser, said *bytes.Buffer) {
	t.Helper()
	cmd = l.command(t, "curl", append([]string{"-sS", "-T", "-"}, args...)...)
	said = &bytes.Buffer{}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, said
}

// TestDrain: on SIGTERM idle sessions are told goodbye, running uploads finish, and
// then the gateway ends.
func TestDrain(t *testing.T) {
	need(t, "curl")
	l := newTLSLab(t)
	want := content(3 << 20)
	idle := connect(t, l.at("explicit off"))
	type upload struct {
		name string
		cmd  *exec.Cmd
		in   io.WriteCloser
		said *bytes.Buffer
	}
	var uploads []upload
	for i, listener := range []string{"explicit log", "implicit log"} {
		u := upload{name: listener}
		u.cmd, u.in, u.said = l.uploading(t, append(l.with(tlsVersions[i]), l.url(listener, "owner", "/"+listener))...)
		uploads = append(uploads, u)
		before := stagedBytes(t, l.home)
		if _, err := u.in.Write(want[:2<<20]); err != nil {
			t.Fatal(err)
		}
		ftptest.Eventually(t, "some of "+listener+" is staged", func() bool { return stagedBytes(t, l.home) > before })
	}
	l.terminate(t)
	idle.expect(421)
	for _, u := range uploads {
		missing(t, l.home, u.name)
		if _, err := u.in.Write(want[2<<20:]); err != nil {
			t.Error(err)
		}
		u.in.Close()
		if err := u.cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", u.name, err, u.said)
		}
		same(t, l.home, u.name, want)
	}
	<-l.done
	if l.err != nil || strings.Contains(l.log.text(), "were cut") {
		t.Errorf("the gateway ended with %v\n%s", l.err, l.log.tail(5))
	}
}

// TestShutdownTimeout: an upload that does not end in time is cut, and nothing of it is published.
func TestShutdownTimeout(t *testing.T) {
	l := newSmallLab(t, "", "", `limits { shutdown_timeout = "500ms" }`)
	cmd, in, _ := l.uploading(t, l.url("main", "owner", "/file"))
	if _, err := in.Write(content(2 << 20)); err != nil {
		t.Fatal(err)
	}
	ftptest.Eventually(t, "some is staged", func() bool { return stagedBytes(t, l.home) > 0 })
	l.terminate(t)
	<-l.done // although the client never ends
	in.Close()
	if cmd.Wait() == nil {
		t.Error("curl takes the upload for done")
	}
	if names := listed(t, l.home); len(names) != 0 || stagedBytes(t, l.home) != 0 {
		t.Errorf("there is %q, and %d bytes are staged", names, stagedBytes(t, l.home))
	}
	if l.err != nil || !strings.Contains(l.log.text(), "were cut") {
		t.Errorf("the gateway ended with %v\n%s", l.err, l.log.tail(5))
	}
}
