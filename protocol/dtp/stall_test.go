package dtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

const (
	// interval is the stall interval of tests in which a stall is to be found.
	interval = 30 * time.Millisecond
	// longer is that of tests in which something moves that must not be taken for a stall, also where
	// a busy machine moves it late.
	longer = 30 * interval
)

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
			if err := x.Send(t.Context(), f, rawIf(raw, f)); !errors.Is(err, ErrStalled) {
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
		for _, size := range []int{0, 1, smallBuffer, 1 << 20, 3 << 20} {
			t.Run(fmt.Sprint(name, size), func(t *testing.T) {
				leavesNothing(t)
				server, client := connected(t)
				f := tempFile(t, nil)
				x := Transfer{Conn: server, Stall: 10 * interval}
				if size <= smallBuffer { // comes whole before the transfer begins
					client.Write(noise(size))
				} else {
					x.Stall = longer
					go client.Write(noise(size))
				}
				start := time.Now()
				if err := x.Receive(t.Context(), f, rawIf(raw, f)); !errors.Is(err, ErrStalled) {
					t.Fatal(err)
				}
				if d := time.Since(start); d < x.Stall {
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
	const steps = 6 // take longer than the stall interval
	for name, raw := range bothWays {
		t.Run("receive "+name, func(t *testing.T) {
			leavesNothing(t)
			server, client := connected(t)
			f := tempFile(t, nil)
			x := Transfer{Conn: server, Stall: longer}
			result := make(chan error)
			go func() { result <- x.Receive(t.Context(), f, rawIf(raw, f)) }()
			client.Write(noise(smallBuffer)) // beyond this the kernel copies
			pace := time.NewTicker(longer / 4)
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
			x := Transfer{Conn: server, Stall: longer}
			result := make(chan error)
			go func() {
				err := x.Send(t.Context(), f, rawIf(raw, f))
				x.Close()
				result <- err
			}()
			pace := time.NewTicker(longer / 4)
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
		x := Transfer{Conn: server, Stall: longer}
		if err := x.Send(t.Context(), &slow{tempFile(t, noise(size)), longer * 5 / 4, 2}, nil); err != nil || x.Bytes() != size {
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
		x := Transfer{Conn: server, Stall: longer}
		if err := x.Receive(t.Context(), &slow{tempFile(t, nil), longer * 5 / 4, 2}, nil); err != nil || x.Bytes() != size {
			t.Errorf("%d bytes, %v", x.Bytes(), err)
		}
		x.Close()
	})
}
