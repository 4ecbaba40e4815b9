package dtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// interval is the stall interval of tests in which a stall is to be found.
const interval = 30 * time.Millisecond

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
		for _, size := range []int{0, 1, smallBuffer, 1 << 20} {
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

// A peer that reads nothing is found out, and what the network took is counted
// to the byte.
func TestSendStalls(t *testing.T) {
	for name, raw := range bothWays {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			f := endless(t)
			x := Transfer{Conn: server, Stall: interval}
			start := time.Now()
			if err := x.Send(t.Context(), f, rawIf(raw, f)); err != ErrStalled {
				t.Fatal(err)
			}
			if d := time.Since(start); d < interval {
				t.Errorf("stalled after %v", d)
			}
			server.CloseWrite()
			n, err := io.Copy(io.Discard, client)
			if err != nil || n != x.Bytes() || n == 0 {
				t.Errorf("%d bytes arrived, %d counted, %v", n, x.Bytes(), err)
			}
			x.Close()
		})
	}
}

// A peer that sends nothing more is found out; what had come is stored.
func TestReceiveStalls(t *testing.T) {
	for name, raw := range bothWays {
		for _, size := range []int{0, 1, smallBuffer, 1 << 20} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				leavesNothing(t)
				server, client := connected(t)
				f := tempFile(t, nil)
				x := Transfer{Conn: server, Stall: interval}
				go client.Write(noise(size))
				start := time.Now()
				if err := x.Receive(t.Context(), f, rawIf(raw, f)); err != ErrStalled {
					t.Fatal(err)
				}
				if d := time.Since(start); d < interval {
					t.Errorf("stalled after %v", d)
				}
				if b := content(t, f); !bytes.Equal(b, noise(size)) || x.Bytes() != int64(size) {
					t.Errorf("%d bytes stored, %d counted", len(b), x.Bytes())
				}
				x.Close()
			})
		}
	}
}

// A peer that moves one byte in each interval is slow, not stalled.
func TestSlowIsNotStalled(t *testing.T) {
	const steps = 6
	for name, raw := range bothWays {
		t.Run("receive "+name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			f := tempFile(t, nil)
			x := Transfer{Conn: server, Stall: 4 * interval}
			result := make(chan error)
			go func() { result <- x.Receive(t.Context(), f, rawIf(raw, f)) }()
			client.Write(noise(smallBuffer)) // beyond this the kernel copies
			pace := time.NewTicker(2 * interval)
			defer pace.Stop()
			for range steps {
				<-pace.C
				client.Write([]byte("x"))
			}
			client.Close()
			if err := <-result; err != nil || x.Bytes() != smallBuffer+steps {
				t.Errorf("%d bytes, %v", x.Bytes(), err)
			}
			x.Close()
		})
		t.Run("send "+name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			f := tempFile(t, noise(16<<20))
			x := Transfer{Conn: server, Stall: 4 * interval}
			result := make(chan error)
			go func() {
				err := x.Send(t.Context(), f, rawIf(raw, f))
				x.Close()
				result <- err
			}()
			pace := time.NewTicker(2 * interval)
			defer pace.Stop()
			for range steps {
				<-pace.C
				io.CopyN(io.Discard, client, 1<<20)
			}
			n, err := io.Copy(io.Discard, client)
			if n += steps << 20; err != nil || n != 16<<20 {
				t.Errorf("%d bytes arrived, %v", n, err)
			}
			if err := <-result; err != nil {
				t.Error(err)
			}
		})
	}
}

// slow is a storage that takes longer than the stall interval.
type slow struct {
	file  *os.File
	delay time.Duration
	left  int
}

func (s *slow) wait() {
	if s.left--; s.left >= 0 {
		<-time.After(s.delay)
	}
}

func (s *slow) Read(b []byte) (int, error) {
	s.wait()
	return s.file.Read(b[:min(len(b), 10000)])
}

func (s *slow) Write(b []byte) (int, error) {
	s.wait()
	return s.file.Write(b)
}

// Waiting for storage is never the client's stall.
func TestSlowStorageIsNotAStall(t *testing.T) {
	const size = 1 << 20
	t.Run("send", func(t *testing.T) {
		leavesNothing(t)
		server, client := connected(t)
		server.SetWriteBuffer(4096)
		go io.Copy(io.Discard, client)
		x := Transfer{Conn: server, Stall: interval}
		if err := x.Send(t.Context(), &slow{tempFile(t, noise(size)), 3 * interval, 3}, nil); err != nil || x.Bytes() != size {
			t.Errorf("%d bytes, %v", x.Bytes(), err)
		}
		x.Close()
	})
	t.Run("receive", func(t *testing.T) {
		leavesNothing(t)
		server, client := connected(t)
		go func() {
			client.Write(noise(size))
			client.Close()
		}()
		x := Transfer{Conn: server, Stall: interval}
		if err := x.Receive(t.Context(), &slow{tempFile(t, nil), 3 * interval, 3}, nil); err != nil || x.Bytes() != size {
			t.Errorf("%d bytes, %v", x.Bytes(), err)
		}
		x.Close()
	})
}

// Cancelling ends a transfer at once, in whatever it waits for.
func TestCancel(t *testing.T) {
	abor := errors.New("ABOR")
	for name, raw := range bothWays {
		for _, c := range []struct {
			what    string
			reached int64 // bytes after which it is cancelled
			run     func(ctx context.Context, t *testing.T, x *Transfer, client *net.TCPConn) error
		}{
			{"receive, nothing yet", 0, func(ctx context.Context, t *testing.T, x *Transfer, client *net.TCPConn) error {
				f := tempFile(t, nil)
				return x.Receive(ctx, f, rawIf(raw, f))
			}},
			{"receive, in the middle", 1 << 20, func(ctx context.Context, t *testing.T, x *Transfer, client *net.TCPConn) error {
				f := tempFile(t, nil)
				go client.Write(noise(1 << 20))
				return x.Receive(ctx, f, rawIf(raw, f))
			}},
			{"receive, never waiting", 8 << 20, func(ctx context.Context, t *testing.T, x *Transfer, client *net.TCPConn) error {
				f := tempFile(t, nil)
				go func() {
					for b := noise(1 << 20); ; {
						if _, err := client.Write(b); err != nil {
							return
						}
					}
				}()
				return x.Receive(ctx, f, rawIf(raw, f))
			}},
			{"send, peer does not read", 1, func(ctx context.Context, t *testing.T, x *Transfer, client *net.TCPConn) error {
				f := endless(t)
				return x.Send(ctx, f, rawIf(raw, f))
			}},
			{"send, peer reads", 64 << 20, func(ctx context.Context, t *testing.T, x *Transfer, client *net.TCPConn) error {
				f := endless(t)
				go io.Copy(io.Discard, client)
				return x.Send(ctx, f, rawIf(raw, f))
			}},
		} {
			t.Run(name+" "+c.what, func(t *testing.T) {
				leavesNothing(t)
				server, client := connected(t)
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				x := Transfer{Conn: server, Stall: patience}
				result := make(chan error)
				go func() {
					err := c.run(ctx, t, &x, client)
					x.Close()
					result <- err
				}()
				eventually(t, "so far", func() bool { return x.Bytes() >= c.reached })
				start := time.Now()
				cancel(abor)
				if err := <-result; err != abor {
					t.Errorf("%v", err)
				}
				if d := time.Since(start); d > patience/2 {
					t.Errorf("took %v", d)
				}
			})
		}
	}
}

func TestCancelledBefore(t *testing.T) {
	leavesNothing(t)
	server, client := connected(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	abor := errors.New("ABOR")
	cancel(abor)
	x := Transfer{Conn: server, Stall: patience}
	if err := x.Send(ctx, bytes.NewReader(noise(100)), nil); err != abor || x.Bytes() != 0 {
		t.Errorf("%d bytes, %v", x.Bytes(), err)
	}
	if err := x.Receive(ctx, io.Discard, nil); err != abor {
		t.Errorf("%v", err)
	}
	x.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer sees %v", err)
	}
}

// A context that ends many times while deadlines are renewed: never a hang,
// never another error.
func TestCancelMeetsRenewal(t *testing.T) {
	leavesNothing(t)
	abor := errors.New("ABOR")
	for range 50 {
		server, client := connected(t)
		ctx, cancel := context.WithCancelCause(context.Background())
		x := Transfer{Conn: server, Stall: time.Millisecond}
		stop := make(chan struct{})
		go func() { // one byte now and then keeps the stall away
			defer close(stop)
			for pace := time.NewTicker(300 * time.Microsecond); ; <-pace.C {
				if _, err := client.Write([]byte("x")); err != nil {
					pace.Stop()
					return
				}
			}
		}()
		time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, func() { cancel(abor) })
		err := x.Receive(ctx, io.Discard, nil)
		if err != abor && err != ErrStalled { // a busy machine may stall the client
			t.Errorf("%v", err)
		}
		x.Close()
		client.Close()
		<-stop
		cancel(nil)
	}
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
			if err, seen := send(&failing{after}, ascii); err != errStorage || !errors.Is(seen, syscall.ECONNRESET) {
				t.Errorf("after %d: %v, the peer sees %v", after, err, seen)
			}
			if err := receive(&failing{after}, ascii); err != errStorage {
				t.Errorf("after %d: %v", after, err)
			}
		}
		if err := receive(short{}, ascii); err != io.ErrShortWrite {
			t.Error(err)
		}
		if err, _ := send(lazy{}, ascii); err != io.ErrNoProgress {
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
