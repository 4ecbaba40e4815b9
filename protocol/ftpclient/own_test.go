package ftpclient_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
)

// own is a server of this project in the test's own process.
type own struct {
	*ftptest.Server
	fs        afero.Fs
	authority *ftptest.Authority
}

func startOwn(t testing.TB, change func(o *ftptest.Options)) *own {
	t.Helper()
	s := &own{fs: memory.New(memory.Options{}).Open("", 0), authority: ftptest.NewAuthority(t)}
	o := ftptest.Options{FS: s.fs, Endpoint: pi.Endpoint{TLS: s.authority.TLS(nil)}}
	if change != nil {
		change(&o)
	}
	s.Server = ftptest.Start(t, o)
	t.Cleanup(func() {
		for range 3 {
			runtime.GC() // it closes the pipes that splice has used, before descriptors are counted
		}
	})
	return s
}

// dial connects and logs in as rw.
func (s *own) dial(t testing.TB, o ftpclient.Options) *ftpclient.Conn {
	t.Helper()
	ctx := t.Context()
	if o.Security != ftpclient.Plain && o.TLS == nil {
		o.TLS = &tls.Config{RootCAs: s.authority.Pool}
	}
	c, err := ftpclient.Dial(ctx, s.Addr.String(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(ctx, "rw", "rw", ""); err != nil {
		t.Fatal(err)
	}
	return c
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func retrieve(t testing.TB, c *ftpclient.Conn, path string, offset int64) []byte {
	t.Helper()
	d, err := c.Retrieve(t.Context(), path, offset)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}

func store(t testing.TB, c *ftpclient.Conn, path string, b []byte) {
	t.Helper()
	u, err := c.Store(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
}

// waysToConnect are the combinations that transfers are tested with.
func waysToConnect() map[string]ftpclient.Options {
	return map[string]ftpclient.Options{
		"plain":      {},
		"sequential": {Sequential: true},
		"pasv":       {NoEPSV: true},
		"active":     {Active: true},
		"tls":        {Security: ftpclient.Explicit},
		"tls active": {Security: ftpclient.Explicit, Active: true},
		"any tls":    {Security: ftpclient.Explicit, TLS: insecure()},
	}
}

func TestTransfers(t *testing.T) {
	for name, o := range waysToConnect() {
		t.Run(name, func(t *testing.T) {
			s := startOwn(t, nil)
			c := s.dial(t, o)
			ctx := t.Context()
			for _, size := range []int{0, 1, 1000, 300_000, 3_000_000} {
				want := random(size)
				store(t, c, "/a", want)
				if got := retrieve(t, c, "/a", 0); !bytes.Equal(got, want) {
					t.Fatalf("%d bytes become %d others", size, len(got))
				}
				if n, err := c.StoreFrom(ctx, "/b", bytes.NewReader(want)); n != int64(size) || err != nil {
					t.Fatal(n, err)
				}
				half := int64(size / 2)
				if got := retrieve(t, c, "/b", half); !bytes.Equal(got, want[half:]) {
					t.Fatalf("from %d: %d bytes", half, len(got))
				}
				if n, err := c.Size(ctx, "/b"); n != int64(size) || err != nil {
					t.Fatal(n, err)
				}
				// Through files, where the kernel copies.
				file := filepath.Join(t.TempDir(), "f")
				f, err := os.Create(file)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				d, err := c.Retrieve(ctx, "/b", 0)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := io.Copy(f, d); n != int64(size) || err != nil {
					t.Fatal(n, err)
				}
				if got, _ := os.ReadFile(file); !bytes.Equal(got, want) {
					t.Fatal("the file differs")
				}
				if _, err := f.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				if n, err := c.StoreFrom(ctx, "/c", f); n != int64(size) || err != nil {
					t.Fatal(n, err)
				}
				if got := retrieve(t, c, "/c", 0); !bytes.Equal(got, want) {
					t.Fatal("the stored file differs")
				}
			}
			u, err := c.Append(ctx, "/c")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.ReadFrom(strings.NewReader("tail")); err != nil {
				t.Fatal(err)
			}
			if err := u.Close(); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Size(ctx, "/c"); n != 3_000_004 || err != nil {
				t.Fatal(n, err)
			}
			u, err = c.Store(ctx, "/c", 3)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Write([]byte("xyz")); err != nil {
				t.Fatal(err)
			}
			if err := u.Close(); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Size(ctx, "/c"); n != 6 || err != nil {
				t.Fatal(n, err)
			}
			if u, err = c.StoreUnique(ctx, ""); err != nil {
				t.Fatal(err)
			}
			if u.Name() == "" {
				t.Error("the server's name of a STOU is not known")
			}
			if err := u.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTreeCommands(t *testing.T) {
	s := startOwn(t, nil)
	c := s.dial(t, ftpclient.Options{})
	ctx := t.Context()
	if made, err := c.MakeDir(ctx, `/d "q"`); made != `/d "q"` || err != nil {
		t.Fatal(made, err)
	}
	if err := c.MakeDirAll(ctx, "/x/y/z"); err != nil {
		t.Fatal(err)
	}
	if err := c.MakeDirAll(ctx, "/x/y/z"); err != nil {
		t.Fatal(err)
	}
	store(t, c, "/x/y/file  two.txt", []byte("hello"))
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := c.SetModTime(ctx, "/x/y/file  two.txt", when); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ModTime(ctx, "/x/y/file  two.txt"); !got.Equal(when) || err != nil {
		t.Fatal(got, err)
	}
	e, err := c.Stat(ctx, "/x/y/file  two.txt")
	if err != nil || e.Size != 5 || !e.ModTime.Equal(when) || e.Name != "file  two.txt" || e.Precision != time.Second {
		t.Fatalf("%+v %v", e, err)
	}
	if e, err = c.Stat(ctx, "/x"); err != nil || !e.IsDir() {
		t.Fatalf("%+v %v", e, err)
	}
	var names []string
	for e, err := range c.List(ctx, "/x/y") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
	}
	if strings.Join(names, "|") != "file  two.txt|z" && strings.Join(names, "|") != "z|file  two.txt" {
		t.Fatalf("%q", names)
	}
	names = nil
	for name, err := range c.NameList(ctx, "/x/y") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if len(names) != 2 {
		t.Fatalf("%q", names)
	}
	var paths []string
	for w, err := range c.Walk(ctx, "/") {
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, w.Path)
	}
	if len(paths) != 5 {
		t.Fatalf("%q", paths)
	}
	if err := c.Rename(ctx, "/x/y/file  two.txt", "/x/moved"); err != nil {
		t.Fatal(err)
	}
	if err := c.Chmod(ctx, "/x/moved", 0o600); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if err := c.RemoveDir(ctx, "/x"); err == nil {
		t.Fatal("a directory that is not empty was removed")
	}
	if err := c.RemoveAll(ctx, "/x"); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveAll(ctx, "/x"); err != nil {
		t.Fatal(err)
	}
	for verb, f := range map[string]func() error{
		"SIZE": func() error { _, err := c.Size(ctx, "/x"); return err },
		"STAT": func() error { _, err := c.Stat(ctx, "/x"); return err },
		"RETR": func() error { _, err := c.Retrieve(ctx, "/x", 0); return err },
		"DELE": func() error { return c.Delete(ctx, "/x") },
		"RNFR": func() error { return c.Rename(ctx, "/x", "/y") },
		"LIST": func() error {
			for _, err := range c.List(ctx, "/x") {
				return err
			}
			return nil
		},
	} {
		if err := f(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v is not ErrNotExist", verb, err)
		}
	}
	if !c.Usable() {
		t.Error("the connection is not usable")
	}
}

func TestWrongPasswordThenRightOne(t *testing.T) {
	s := startOwn(t, nil)
	c, err := ftpclient.Dial(t.Context(), s.Addr.String(), ftpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), "rw", "wrong", ""); !errors.Is(err, ftpclient.ErrLogin) || !errors.Is(err, fs.ErrPermission) {
		t.Fatal(err)
	}
	if err := c.Login(t.Context(), "rw", "rw", ""); err != nil {
		t.Fatal(err)
	}
}
