package dtp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// direct gives a wire whose socket has left the poller, and the other end.
func direct(t *testing.T) (*wire, *net.TCPConn) {
	t.Helper()
	server, client := connected(t)
	x := &Transfer{Conn: server, Stall: patience}
	w, err := newWire(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.release()
		x.Close()
	})
	go client.Write(noise(directFrom))
	exactly(t, w, directFrom)
	w.leave()
	if w.direct < 0 {
		t.Fatal("it has not left")
	}
	return w, client
}

// exactly reads n bytes, with no more than that on the way.
func exactly(t *testing.T, w *wire, n int) {
	t.Helper()
	for b := make([]byte, smallBuffer); n > 0; {
		k, err := w.read(b)
		if err != nil {
			t.Fatal(err)
		}
		n -= k
	}
}

// A busy upload leaves the poller, and what stands at its end is a connection
// like any other.
func TestBusyUploadIsDirect(t *testing.T) {
	for name, raw := range bothWays {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			want := noise(4 << 20)
			go func() {
				client.Write(want)
				client.CloseWrite()
			}()
			f := tempFile(t, nil)
			x := Transfer{Conn: server, Stall: patience}
			if err := x.Receive(t.Context(), f, rawIf(raw, f)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(content(t, f), want) {
				t.Error("other bytes")
			}
			if x.Conn == server {
				t.Error("it never left the poller")
			}
			if x.Conn.RemoteAddr().String() != client.LocalAddr().String() {
				t.Errorf("connected to %v", x.Conn.RemoteAddr())
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
			if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("%d, %v: the client must see the end", n, err)
			}
		})
	}
}

// A small upload pays nothing for it.
func TestSmallUploadStaysWithThePoller(t *testing.T) {
	leavesNothing(t)
	server, client := connected(t)
	go func() {
		client.Write(noise(directFrom - 1))
		client.CloseWrite()
	}()
	f := tempFile(t, nil)
	x := Transfer{Conn: server, Stall: patience}
	if err := x.Receive(t.Context(), f, nil); err != nil {
		t.Fatal(err)
	}
	if x.Conn != server {
		t.Error("it left the poller")
	}
	x.Close()
}

// A client that pauses is waited for by the poller, without a thread.
func TestPauseJoinsThePoller(t *testing.T) {
	leavesNothing(t)
	w, client := direct(t)
	closed := w.conn
	result := make(chan error)
	go func() {
		_, err := w.read(make([]byte, 1))
		result <- err
	}()
	eventually(t, "joined", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.conn != closed
	})
	client.Write([]byte{1})
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// A client that drips loses its thread, however short the pauses are.
func TestDripJoinsThePoller(t *testing.T) {
	leavesNothing(t)
	w, client := direct(t)
	for n := 0; w.direct >= 0; n++ {
		if n > 10 {
			t.Fatal("it still holds a thread")
		}
		go client.Write([]byte{1})
		exactly(t, w, 1)
	}
}

// An alert that TLS sends during an upload finds the connection.
func TestWriteJoinsThePoller(t *testing.T) {
	leavesNothing(t)
	w, client := direct(t)
	if err := w.write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// With no descriptor to spare, a transfer under way goes on without the poller.
func TestDescriptorsRunOutWhileDirect(t *testing.T) {
	for _, c := range []struct {
		what  string
		whole bool
	}{{"whole", true}, {"cut", false}} {
		t.Run(c.what, func(t *testing.T) {
			leavesNothing(t)
			w, client := direct(t)
			restore := noDescriptors(t)
			defer restore()
			for range 3 {
				go client.Write([]byte{1})
				exactly(t, w, 1)
			}
			if w.direct < 0 {
				t.Fatal("it has joined")
			}
			w.stall = interval
			if _, err := w.read(make([]byte, 1)); !errors.Is(err, ErrStalled) {
				t.Errorf("%v", err)
			}
			w.transfer.whole = c.whole
			w.release()
			switch _, err := client.Read(make([]byte, 1)); {
			case c.whole && err != io.EOF:
				t.Errorf("%v instead of the end", err)
			case !c.whole && !errors.Is(err, unix.ECONNRESET):
				t.Errorf("%v instead of a reset", err)
			}
			w.unwatch = nil // released
		})
	}
}

// noDescriptors makes the next one impossible, until the limit is restored.
func noDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	// Standard input is open. A limit of 0 would forbid poll as well.
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Skip(err)
	}
	if f, err := os.Open(os.DevNull); err == nil {
		f.Close()
		t.Fatal("the limit does not hold")
	}
	return func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &before) }
}
