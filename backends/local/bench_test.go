//go:build unix

package local_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/sys/unix"

	"github.com/ftpgate/ftpgate/backends/local"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func benchFs(b *testing.B, o local.Options) afero.Fs {
	o.Root = b.TempDir()
	backend, err := local.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { backend.Close() })
	return backend.Open("alice", 0)
}

// cpu reports what the process itself used since the returned function was
// made, which a busy machine changes less than the time on the wall.
func cpu(b *testing.B, per float64, unit string) func() {
	used := func() float64 {
		var u unix.Rusage
		_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric((used()-before)/float64(b.N)/per, "cpu-ns/"+unit) }
}

// BenchmarkReaddir lists a directory of 50,000 entries.
func BenchmarkReaddir(b *testing.B) {
	const entries = 50_000
	root := b.TempDir()
	for i := range entries {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("image-%06d.jpeg", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	backend, err := local.New(local.Options{Root: root})
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	fsys := backend.Open("alice", 0)
	b.ReportAllocs()
	defer cpu(b, entries, "entry")()
	for b.Loop() {
		d, err := fsys.Open("/")
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			batch, err := d.Readdir(1000)
			n += len(batch)
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if n != entries {
			b.Fatalf("%d entries", n)
		}
		d.Close()
	}
}

// BenchmarkStor1K stores files of 1 KiB: new, over an existing one, and below a directory.
func BenchmarkStor1K(b *testing.B) {
	content := make([]byte, 1024)
	for name, path := range map[string]func(i int) string{
		"new":     func(i int) string { return fmt.Sprintf("/f%d", i) },
		"replace": func(int) string { return "/f" },
		"below":   func(i int) string { return fmt.Sprintf("/d/e/f%d", i%100) },
	} {
		b.Run(name, func(b *testing.B) {
			fsys := benchFs(b, local.Options{})
			_ = fsys.MkdirAll("/d/e", 0o755)
			b.ReportAllocs()
			defer cpu(b, 1, "file")()
			i := 0
			for b.Loop() {
				i++
				f, err := fsys.OpenFile(path(i), vfs.ModeReplace, vfs.NewFileMode)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.Write(content); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRetr1K reads files of 1 KiB.
func BenchmarkRetr1K(b *testing.B) {
	for name, path := range map[string]string{"top": "/f", "below": "/d/e/f"} {
		b.Run(name, func(b *testing.B) {
			fsys := benchFs(b, local.Options{})
			_ = fsys.MkdirAll("/d/e", 0o755)
			if err := afero.WriteFile(fsys, path, make([]byte, 1024), 0o644); err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, 2048)
			b.ReportAllocs()
			defer cpu(b, 1, "file")()
			for b.Loop() {
				f, err := fsys.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if n, _ := f.Read(buf); n != 1024 {
					b.Fatal(n)
				}
				f.Close()
			}
		})
	}
}
