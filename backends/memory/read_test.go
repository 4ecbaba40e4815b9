package memory_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

func TestReaders(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("alice", 0)
	content := make([]byte, 2*chunk+1234)
	for i := range content {
		content[i] = byte(i * i >> 7)
	}
	f, err := fsys.OpenFile("/f", vfs.ModeReplace, 0)
	check(t, err)
	_, err = f.Write(content)
	check(t, err)
	check(t, f.Close())
	r, err := fsys.Open("/f")
	check(t, err)
	defer r.Close()
	if err := iotest.TestReader(r, content); err != nil {
		t.Error(err)
	}
	_, err = r.Seek(chunk-1, io.SeekStart)
	check(t, err)
	var got bytes.Buffer
	if n, err := r.(io.WriterTo).WriteTo(&got); n != int64(len(content)-chunk+1) || err != nil || !bytes.Equal(got.Bytes(), content[chunk-1:]) {
		t.Errorf("WriteTo: %d, %v", n, err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("Read after WriteTo: %d, %v", n, err)
	}
	_, err = r.Seek(0, io.SeekStart)
	check(t, err)
	full := errors.New("full")
	if n, err := r.(io.WriterTo).WriteTo(failing{full}); n != 3 || !errors.Is(err, full) {
		t.Errorf("WriteTo a writer that fails: %d, %v", n, err)
	}
	if at, _ := r.Seek(0, io.SeekCurrent); at != 3 {
		t.Errorf("the reader is at %d", at)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 3, f.err }

// TestWrittenBufferIsFree: what Write was given can be used again at once.
func TestWrittenBufferIsFree(t *testing.T) {
	fsys := memory.New(memory.Options{}).Open("alice", 0)
	f, err := fsys.OpenFile("/f", vfs.ModeReplace, 0)
	check(t, err)
	buf := make([]byte, chunk)
	for i := range 3 {
		for j := range buf {
			buf[j] = byte(i)
		}
		_, err = f.Write(buf)
		check(t, err)
	}
	check(t, f.Close())
	r, err := fsys.Open("/f")
	check(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	check(t, err)
	if got[0] != 0 || got[chunk] != 1 || got[2*chunk] != 2 {
		t.Error("the file changed with the buffer")
	}
}

// TestTimes: files and directories carry the backend's clock.
func TestTimes(t *testing.T) {
	clock := &clock{at: time.Unix(1000, 0)}
	fsys := memory.New(memory.Options{Now: clock.now}).Open("alice", 0)
	at := func(name string) int64 {
		info, err := fsys.Stat(name)
		check(t, err)
		return info.ModTime().Unix()
	}
	check(t, fsys.Mkdir("/d", vfs.NewDirMode))
	clock.advance(time.Second)
	put(t, fsys, "/d/f", 1)
	clock.advance(time.Second)
	put(t, fsys, "/d/f", 2)
	if at("/") != 1000 || at("/d") != 1001 || at("/d/f") != 1002 {
		t.Errorf("the root is of %d, the directory of %d, the file of %d", at("/"), at("/d"), at("/d/f"))
	}
	clock.advance(time.Second)
	check(t, fsys.Rename("/d/f", "/d/g"))
	if at("/d") != 1003 || at("/d/g") != 1002 {
		t.Errorf("after the rename: the directory of %d, the file of %d", at("/d"), at("/d/g"))
	}
}
