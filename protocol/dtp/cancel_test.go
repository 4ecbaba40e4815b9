package dtp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

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
				if err := <-result; !errors.Is(err, abor) {
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
	if err := x.Send(ctx, bytes.NewReader(noise(100)), nil); !errors.Is(err, abor) || x.Bytes() != 0 {
		t.Errorf("%d bytes, %v", x.Bytes(), err)
	}
	if err := x.Receive(ctx, io.Discard, nil); !errors.Is(err, abor) {
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
		if !errors.Is(err, abor) && !errors.Is(err, ErrStalled) { // a busy machine may stall the client
			t.Errorf("%v", err)
		}
		x.Close()
		client.Close()
		<-stop
		cancel(nil)
	}
}

// A stall interval that begins after the end of the context does not undo it.
func TestRenewalAfterCancel(t *testing.T) {
	leavesNothing(t)
	server, _ := connected(t)
	ctx, cancel := context.WithCancel(context.Background())
	w, err := newWire(ctx, &Transfer{Conn: server, Stall: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer w.release()
	w.arm()
	cancel()
	<-w.ended
	w.renew()
	start := time.Now()
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) > patience/2 {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
