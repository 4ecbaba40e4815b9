package ftpclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/ftptest/peers"
)

// deep runs what recorded transcripts do not have, because it is large or depends on timing.
const deep = true

// session goes through what the client can do, and checks what it sees. It is the same
// for live servers and for the transcripts of them. dir is where it may write.
func session(t *testing.T, c *ftpclient.Conn, dir string, large bool) {
	ctx := t.Context()
	f, err := c.Features(ctx)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }
	if _, err := c.MakeDir(ctx, at("one")); err != nil {
		t.Fatal("MKD", err)
	}
	if err := c.MakeDirAll(ctx, at("one/two/three")); err != nil {
		t.Fatal("MKD", err)
	}
	text := []byte("line one\r\nline two\n")
	for _, name := range []string{"one/file.txt", "one/with two  spaces.txt", "one/ümlaut.txt", "one/two/below"} {
		if n, err := c.StoreFrom(ctx, at(name), bytes.NewReader(text)); n != int64(len(text)) || err != nil {
			t.Fatal("STOR", name, n, err)
		}
	}
	if n, err := c.StoreFrom(ctx, at("one/empty"), strings.NewReader("")); n != 0 || err != nil {
		t.Fatal("STOR of nothing", n, err)
	}
	u, err := c.Store(ctx, at("one/file.txt"), int64(len(text)))
	if err != nil {
		t.Fatal("REST, STOR", err)
	}
	if _, err := io.WriteString(u, "line three\n"); err != nil {
		t.Fatal(err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	if u, err = c.Append(ctx, at("one/file.txt")); err != nil {
		t.Fatal("APPE", err)
	}
	if _, err := io.WriteString(u, "line four\n"); err != nil {
		t.Fatal(err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	text = append(text, "line three\nline four\n"...)
	if got := retrieve(t, c, at("one/file.txt"), 0); !bytes.Equal(got, text) {
		t.Errorf("RETR: %q", got)
	}
	if got := retrieve(t, c, at("one/file.txt"), 5); !bytes.Equal(got, text[5:]) {
		t.Errorf("REST, RETR: %q", got)
	}
	if got := retrieve(t, c, at("one/empty"), 0); len(got) != 0 {
		t.Errorf("RETR: %q", got)
	}
	if n, err := c.Size(ctx, at("one/file.txt")); n != int64(len(text)) || err != nil {
		t.Error("SIZE", n, err)
	}

	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := c.SetModTime(ctx, at("one/file.txt"), when); err != nil {
		t.Error("MFMT", err)
	}
	if got, err := c.ModTime(ctx, at("one/file.txt")); err != nil || !got.Equal(when) {
		t.Error("MDTM", got, err)
	}
	if e, err := c.Stat(ctx, at("one/file.txt")); err != nil || e.Size != int64(len(text)) || !e.ModTime.Equal(when) || e.IsDir() {
		t.Errorf("stat: %+v %v", e, err)
	}
	if e, err := c.Stat(ctx, at("one/two")); err != nil || !e.IsDir() || e.Name != "two" {
		t.Errorf("stat: %+v %v", e, err)
	}
	if e, err := c.Stat(ctx, at("one/none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of nothing: %+v %v", e, err)
	}
	if err := c.Chmod(ctx, at("one/file.txt"), 0o640); err != nil && !f.Has("MFF") && isOf(t, "pure", "pro") {
		t.Error("SITE CHMOD", err)
	}

	want := []string{"empty", "file.txt", "two/", "with two  spaces.txt", "ümlaut.txt"}
	if got := list(t, c, at("one")); !slices.Equal(got, want) {
		t.Errorf("list: %q", got)
	}
	for e, err := range c.List(ctx, at("one")) {
		if err != nil {
			t.Error(err)
		}
		if e.Name == "file.txt" && (e.Size != int64(len(text)) || e.ModTime.Sub(when).Abs() > 24*time.Hour) {
			t.Errorf("%+v", e)
		}
	}
	for e, err := range c.List(ctx, at("one/none")) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("list of nothing: %+v %v", e, err)
		}
	}
	if _, err := c.MakeDir(ctx, at("one/two/[x]")); err != nil {
		t.Error("MKD", err)
	}
	if got := list(t, c, at("one/two/[x]")); len(got) != 0 {
		t.Errorf("a directory that looks like a pattern: %q", got)
	}
	if err := c.RemoveDir(ctx, at("one/two/[x]")); err != nil {
		t.Error("RMD", err)
	}
	var names []string
	for name, err := range c.NameList(ctx, at("one")) {
		if err != nil {
			t.Error("NLST", err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) != len(want) || names[1] != "file.txt" {
		t.Errorf("NLST: %q", names)
	}
	if got := list(t, c, at("one/two/three")); len(got) != 0 {
		t.Errorf("an empty directory: %q", got)
	}
	var walked []string
	for w, err := range c.Walk(ctx, at("one")) {
		if err != nil {
			t.Error(err)
		}
		walked = append(walked, w.Path)
	}
	slices.Sort(walked)
	if len(walked) != 7 || walked[3] != at("one/two/below") {
		t.Errorf("walk: %q", walked)
	}

	if err := c.Rename(ctx, at("one/file.txt"), at("one/two/moved")); err != nil {
		t.Error("RNFR", err)
	}
	if _, err := c.Retrieve(ctx, at("one/file.txt"), 0); err == nil {
		t.Error("a file that is gone was sent")
	} else if !isRefused(err) {
		t.Error(err)
	}
	if err := c.RemoveDir(ctx, at("one")); err == nil {
		t.Error("a directory that is not empty was removed")
	}
	if algorithms, err := c.Hashes(ctx); err != nil {
		t.Error(err)
	} else if slices.Contains(algorithms, "SHA-256") {
		sum := sha256.Sum256(text)
		if got, err := c.Hash(ctx, at("one/two/moved"), "SHA-256"); err != nil || !bytes.Equal(got, sum[:]) {
			t.Errorf("HASH %x %v", got, err)
		}
	}
	if err := c.Copy(ctx, at("one/two/moved"), at("one/copy")); err == nil {
		if got := retrieve(t, c, at("one/copy"), 0); !bytes.Equal(got, text) {
			t.Errorf("the copy is %q", got)
		}
	} else if !errors.Is(err, errors.ErrUnsupported) && !isOf(t, "vsftpd") { // "550 Permission denied."
		t.Error("SITE CPFR", err)
	}
	if r, err := c.Quote(ctx, "SYST"); err != nil || r.Code != 215 {
		t.Error(r, err)
	}
	if large {
		transfersInTheLarge(t, c, at)
	}
	if err := c.RemoveAll(ctx, at("one")); err != nil {
		t.Error("remove", err)
	}
	if e, err := c.Stat(ctx, at("one")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it was removed: %+v %v", e, err)
	}
	if err := c.Noop(ctx); err != nil || !c.Usable() {
		t.Error("the connection is not usable", err)
	}
}

func isOf(t *testing.T, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(t.Name(), n) })
}

func list(t *testing.T, c *ftpclient.Conn, dir string) (names []string) {
	t.Helper()
	for e, err := range c.List(t.Context(), dir) {
		if err != nil {
			t.Error("list", err)
		}
		if e.IsDir() {
			e.Name += "/"
		}
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// transfersInTheLarge aborts transfers in the middle, both ways, and goes on.
func transfersInTheLarge(t *testing.T, c *ftpclient.Conn, at func(string) string) {
	ctx := t.Context()
	big := random(20_000_000)
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, big, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := c.StoreFrom(ctx, at("one/big"), f); n != int64(len(big)) || err != nil {
		t.Fatal(n, err)
	}
	if got := retrieve(t, c, at("one/big"), 0); !bytes.Equal(got, big) {
		t.Fatal("RETR of a large file differs")
	}
	for range 2 {
		d, err := c.Retrieve(ctx, at("one/big"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, d, 5000); err != nil {
			t.Fatal(err)
		}
		if err := d.Abort(); err != nil {
			t.Fatal("after an aborted download:", err)
		}
		if n, err := c.Size(ctx, at("one/big")); n != int64(len(big)) || err != nil {
			t.Fatal(n, err)
		}
		over, cancel := context.WithCancel(ctx)
		u, err := c.Store(over, at("one/cut"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(big[:5_000_000]); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := u.Close(); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := c.Noop(ctx); err != nil {
			t.Fatal("after a cancelled upload:", err)
		}
		for range c.List(ctx, at("one")) {
			break
		}
		if err := c.Noop(ctx); err != nil {
			t.Fatal("after a listing that was left:", err)
		}
	}
}

// TestLive runs the session against every server that is there, in every way to connect.
func TestLive(t *testing.T) {
	for _, name := range peers.Names() {
		t.Run(name, func(t *testing.T) {
			p := peers.Start(t, name, peers.Options{TLS: true})
			for way, o := range waysToConnect() {
				t.Run(way, func(t *testing.T) {
					if o.Security != ftpclient.Plain && o.TLS == nil {
						o.TLS = &tls.Config{RootCAs: p.Authority.Pool}
					}
					session(t, dialPeer(t, p, o), p.Dir, deep)
				})
			}
		})
	}
	t.Run("ftpgate", func(t *testing.T) {
		s := startOwn(t, nil)
		for way, o := range waysToConnect() {
			t.Run(way, func(t *testing.T) { session(t, s.dial(t, o), "/", deep) })
		}
	})
}

// TestLiveSessionReuse is about servers that demand it.
func TestLiveSessionReuse(t *testing.T) {
	for _, name := range []string{"vsftpd", "proftpd"} {
		for version, max := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
			t.Run(name+"/"+version, func(t *testing.T) {
				p := peers.Start(t, name, peers.Options{TLS: true, RequireReuse: true})
				o := ftpclient.Options{Security: ftpclient.Explicit, TLS: &tls.Config{RootCAs: p.Authority.Pool, MaxVersion: max}}
				session(t, dialPeer(t, p, o), p.Dir, deep)
			})
		}
	}
}

func dialPeer(t *testing.T, p *peers.Peer, o ftpclient.Options) *ftpclient.Conn {
	t.Helper()
	o.Trace = logTrace(t)
	o.ReplyTimeout = ftptest.Patience
	c, err := ftpclient.Dial(t.Context(), p.Addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), p.User, p.Password, ""); err != nil {
		t.Fatal(err)
	}
	return c
}

// logTrace shows the control connection when the test fails.
func logTrace(t *testing.T) *ftpclient.Trace {
	return &ftpclient.Trace{
		Sent:     func(line string) { t.Log("C:", line) },
		Received: func(r ftp.Reply) { t.Log("S:", r) },
	}
}

func isRefused(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && strings.Contains(err.Error(), "550")
}
