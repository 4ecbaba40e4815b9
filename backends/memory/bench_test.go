package memory_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func BenchmarkWrite(b *testing.B) {
	for _, piece := range []int{32 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("%dKiB", piece>>10), func(b *testing.B) {
			fsys := memory.New(memory.Options{}).Open("alice", 0)
			buf := make([]byte, piece)
			const size = 64 << 20
			b.SetBytes(size)
			for b.Loop() {
				f, err := fsys.OpenFile("/f", vfs.ModeReplace, 0)
				if err != nil {
					b.Fatal(err)
				}
				for range size / piece {
					if _, err := f.Write(buf); err != nil {
						b.Fatal(err)
					}
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// sink copies nothing, as a socket that is written to.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkRead(b *testing.B) {
	fsys := memory.New(memory.Options{}).Open("alice", 0)
	const size = 64 << 20
	f, _ := fsys.OpenFile("/f", vfs.ModeReplace, 0)
	_, _ = f.Write(make([]byte, size))
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 256<<10)
	for name, copyAll := range map[string]func(io.Reader) error{
		"WriteTo": func(r io.Reader) error { _, err := r.(io.WriterTo).WriteTo(sink{}); return err },
		"Read": func(r io.Reader) error {
			_, err := io.CopyBuffer(struct{ io.Writer }{sink{}}, struct{ io.Reader }{r}, buf)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				r, err := fsys.Open("/f")
				if err != nil {
					b.Fatal(err)
				}
				if err := copyAll(r); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

func BenchmarkSmallFiles(b *testing.B) {
	fsys := memory.New(memory.Options{}).Open("alice", 0)
	content := make([]byte, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f, err := fsys.OpenFile(fmt.Sprint("/", i%2000), vfs.ModeReplace, 0)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = f.Write(content)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReaddir(b *testing.B) {
	fsys := memory.New(memory.Options{}).Open("alice", 0)
	for i := range 50_000 {
		f, _ := fsys.OpenFile(fmt.Sprint("/", i), vfs.ModeReplace, 0)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := fsys.Open("/")
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := d.Readdir(128); errors.Is(err, io.EOF) {
				break
			}
		}
		d.Close()
	}
}
