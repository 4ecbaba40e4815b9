package dtp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"
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

// A client that reads steadily, but less in an interval than the kernel wants
// to see free before it lets the sender go on, is not stalled.
func TestSlowReaderOfALargeBuffer(t *testing.T) {
	for name, raw := range bothWays {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			if err := errors.Join(server.SetWriteBuffer(8<<20), client.SetReadBuffer(512<<10)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			enough := errors.New("enough")
			f := endless(t)
			x := Transfer{Conn: server, Stall: longer}
			result := make(chan error, 1)
			go func() { result <- x.Send(ctx, f, rawIf(raw, f)) }()
			pace := time.NewTicker(longer / 4)
			defer pace.Stop()
			for range 10 {
				<-pace.C
				if _, err := io.CopyN(io.Discard, client, 128<<10); err != nil {
					t.Error(err)
				}
			}
			cancel(enough)
			if err := <-result; !errors.Is(err, enough) {
				t.Error(err)
			}
			x.Close()
		})
	}
}
