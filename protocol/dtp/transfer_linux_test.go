package dtp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

// A file that the kernel cannot send from is copied.
func TestSendFallsBackToCopying(t *testing.T) {
	leavesNothing(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := noise(3 << 20)
	go func() {
		w.Write(want)
		w.Close()
	}()
	server, client := connected(t)
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(client)
		got <- b
	}()
	x := Transfer{Conn: server, Stall: patience}
	if err := x.Send(t.Context(), r, r); err != nil {
		t.Error(err)
	}
	x.Close()
	if b := <-got; !bytes.Equal(b, want) || x.Bytes() != int64(len(want)) {
		t.Errorf("%d bytes arrived, %d counted", len(b), x.Bytes())
	}
}

// A file that the kernel cannot receive into gets what was under way and the
// rest by copying.
func TestReceiveFallsBackToCopying(t *testing.T) {
	leavesNothing(t)
	f := tempFile(t, nil)
	f, err := os.OpenFile(f.Name(), os.O_WRONLY|os.O_APPEND, 0) // splice refuses it
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := noise(3 << 20)
	server, client := connected(t)
	go func() {
		client.Write(want)
		client.Close()
	}()
	x := Transfer{Conn: server, Stall: patience}
	if err := x.Receive(t.Context(), f, f); err != nil {
		t.Error(err)
	}
	x.Close()
	if b := content(t, f); !bytes.Equal(b, want) || x.Bytes() != int64(len(want)) {
		t.Errorf("%d bytes stored, %d counted", len(b), x.Bytes())
	}
}

// The storage says in its own words why the kernel could not store.
func TestReceiveIntoFullDevice(t *testing.T) {
	leavesNothing(t)
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	server, client := connected(t)
	go client.Write(noise(3 << 20))
	x := Transfer{Conn: server, Stall: patience}
	if err := x.Receive(t.Context(), &lenient{f: f, n: smallBuffer}, f); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	x.Close()
}

// lenient drops the first bytes and hands on the rest.
type lenient struct {
	f *os.File
	n int
}

func (l *lenient) Write(b []byte) (int, error) {
	if l.n > 0 {
		l.n -= len(b)
		return len(b), nil
	}
	return l.f.Write(b)
}
