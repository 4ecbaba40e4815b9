package dtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	r.Read(b)
	return b
}

func tempFile(t *testing.T, content []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func content(t *testing.T, f *os.File) []byte {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sizes are around everything the copying changes its ways at.
var sizes = []int{0, 1, 1000, smallBuffer - 1, smallBuffer, smallBuffer + 1, largeBuffer, largeBuffer + smallBuffer + 1, 3<<20 + 17}

// ways says whether the kernel may copy.
var bothWays = map[string]bool{"kernel": true, "buffer": false}

func rawIf(is bool, f *os.File) *os.File {
	if is {
		return f
	}
	return nil
}

func TestSend(t *testing.T) {
	for name, raw := range bothWays {
		for _, size := range sizes {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				leavesNothing(t)
				want := noise(size)
				f := tempFile(t, append([]byte("skipped"), want...))
				f.Seek(7, io.SeekStart) // REST: from the file's offset
				server, client := connected(t)
				got := make(chan []byte)
				go func() {
					b, err := io.ReadAll(client)
					if err != nil {
						t.Error(err)
					}
					got <- b
				}()
				x := Transfer{Conn: server, Stall: patience}
				if err := x.Send(t.Context(), f, rawIf(raw, f)); err != nil {
					t.Error(err)
				}
				if err := x.Close(); err != nil {
					t.Error(err)
				}
				if b := <-got; !bytes.Equal(b, want) || x.Bytes() != int64(size) {
					t.Errorf("%d bytes arrived, %d counted", len(b), x.Bytes())
				}
			})
		}
	}
}

func TestReceive(t *testing.T) {
	for name, raw := range bothWays {
		for _, size := range sizes {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				leavesNothing(t)
				want := noise(size)
				f := tempFile(t, []byte("kept"))
				f.Seek(4, io.SeekStart)
				server, client := connected(t)
				go func() {
					client.Write(want)
					client.Close()
				}()
				x := Transfer{Conn: server, Stall: patience}
				if err := x.Receive(t.Context(), f, rawIf(raw, f)); err != nil {
					t.Error(err)
				}
				if err := x.Close(); err != nil {
					t.Error(err)
				}
				if b := content(t, f); string(b[:4]) != "kept" || !bytes.Equal(b[4:], want) || x.Bytes() != int64(size) {
					t.Errorf("%d bytes stored, %d counted", len(b)-4, x.Bytes())
				}
			})
		}
	}
}

func TestASCIITransfers(t *testing.T) {
	leavesNothing(t)
	file := bytes.Repeat([]byte("line\nCRLF\r\nCR\rx\n\n"), 20000)
	net := bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n"))
	f := tempFile(t, file)
	server, client := connected(t)
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(client)
		got <- b
	}()
	x := Transfer{Conn: server, ASCII: true, Stall: patience}
	if err := x.Send(t.Context(), f, f); err != nil {
		t.Error(err)
	}
	x.Close()
	if b := <-got; !bytes.Equal(b, net) || x.Bytes() != int64(len(net)) {
		t.Errorf("%d bytes arrived, %d counted", len(b), x.Bytes())
	}

	f = tempFile(t, nil)
	server, client = connected(t)
	go func() {
		client.Write(net)
		client.Close()
	}()
	x = Transfer{Conn: server, ASCII: true, Stall: patience}
	if err := x.Receive(t.Context(), f, f); err != nil {
		t.Error(err)
	}
	x.Close()
	if b := content(t, f); !bytes.Equal(b, file) || x.Bytes() != int64(len(net)) {
		t.Errorf("%d bytes stored, %d counted", len(b), x.Bytes())
	}
}

// A reset is never the end of a file, whatever had come before it.
func TestReceiveReset(t *testing.T) {
	for name, raw := range bothWays {
		for _, size := range []int{0, 1, smallBuffer, 1 << 20, 3 << 20} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				leavesNothing(t)
				f := tempFile(t, nil)
				server, client := connected(t)
				x := Transfer{Conn: server, Stall: patience}
				result := make(chan error)
				go func() { result <- x.Receive(t.Context(), f, rawIf(raw, f)) }()
				client.Write(noise(size))
				eventually(t, "all stored", func() bool { return x.Bytes() == int64(size) })
				client.SetLinger(0)
				client.Close()
				var peer *PeerError
				if err := <-result; !errors.As(err, &peer) || !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%v", err)
				}
				x.Close()
			})
		}
	}
}

func TestSendReset(t *testing.T) {
	for name, raw := range bothWays {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			f := tempFile(t, noise(32<<20))
			server, client := connected(t)
			x := Transfer{Conn: server, Stall: patience}
			result := make(chan error)
			go func() { result <- x.Send(t.Context(), f, rawIf(raw, f)) }()
			io.ReadFull(client, make([]byte, 1<<20))
			client.SetLinger(0)
			client.Close()
			var peer *PeerError
			if err := <-result; !errors.As(err, &peer) {
				t.Errorf("%v", err)
			}
			x.Close()
		})
	}
}

// endless is a source or a file that never comes to its end by itself.
func endless(t *testing.T) *os.File {
	t.Helper()
	f := tempFile(t, nil)
	if err := f.Truncate(1 << 40); err != nil {
		t.Skip(err)
	}
	return f
}

var errStorage = errors.New("storage failed")

type failing struct{ after int }

func (f *failing) Read(b []byte) (int, error) {
	if f.after <= 0 {
		return 0, errStorage
	}
	n := min(len(b), f.after)
	f.after -= n
	return n, nil
}

func (f *failing) Write(b []byte) (int, error) {
	n := min(len(b), f.after)
	f.after -= n
	if n < len(b) {
		return n, errStorage
	}
	return n, nil
}

type short struct{}

func (short) Write(b []byte) (int, error) { return len(b) - 1, nil }

type lazy struct{}

func (lazy) Read([]byte) (int, error) { return 0, nil }

func TestStorageErrors(t *testing.T) {
	leavesNothing(t)
	send := func(src io.Reader, ascii bool) (error, error) {
		server, client := connected(t)
		seen := make(chan error)
		go func() {
			_, err := io.Copy(io.Discard, client)
			seen <- err
		}()
		x := Transfer{Conn: server, Stall: patience, ASCII: ascii}
		err := x.Send(t.Context(), src, nil)
		x.Close()
		return err, <-seen
	}
	receive := func(dst io.Writer, ascii bool) error {
		server, client := connected(t)
		go func() {
			client.Write(noise(300000))
			client.Close()
		}()
		x := Transfer{Conn: server, Stall: patience, ASCII: ascii}
		defer x.Close()
		return x.Receive(t.Context(), dst, nil)
	}
	for _, ascii := range []bool{false, true} {
		for _, after := range []int{0, 1000, 200000} {
			if err, seen := send(&failing{after}, ascii); !errors.Is(err, errStorage) || !errors.Is(seen, syscall.ECONNRESET) {
				t.Errorf("after %d: %v, the peer sees %v", after, err, seen)
			}
			if err := receive(&failing{after}, ascii); !errors.Is(err, errStorage) {
				t.Errorf("after %d: %v", after, err)
			}
		}
		if err := receive(short{}, ascii); !errors.Is(err, io.ErrShortWrite) {
			t.Error(err)
		}
		if err, _ := send(lazy{}, ascii); !errors.Is(err, io.ErrNoProgress) {
			t.Error(err)
		}
	}
}

// What a client sends during its download does not cost it the end of the file.
func TestPeerSendsDuringDownload(t *testing.T) {
	leavesNothing(t)
	server, client := connected(t)
	client.Write(noise(5000))
	want := noise(3 << 20)
	f := tempFile(t, want)
	got := make(chan error)
	go func() {
		b, err := io.ReadAll(client)
		if err == nil && !bytes.Equal(b, want) {
			err = fmt.Errorf("%d bytes arrived", len(b))
		}
		got <- err
	}()
	x := Transfer{Conn: server, Stall: patience}
	if err := x.Send(t.Context(), f, f); err != nil {
		t.Error(err)
	}
	x.Close()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestBytesIsLive(t *testing.T) {
	leavesNothing(t)
	server, client := connected(t)
	f := tempFile(t, nil)
	x := Transfer{Conn: server, Stall: patience}
	result := make(chan error)
	go func() { result <- x.Receive(t.Context(), f, f) }()
	for _, n := range []int64{1, 100000, 1 << 20, 1<<20 + 1} {
		client.Write(make([]byte, n-x.Bytes()))
		eventually(t, fmt.Sprint(n), func() bool { return x.Bytes() == n })
	}
	client.Close()
	if err := <-result; err != nil {
		t.Error(err)
	}
	x.Close()
}
