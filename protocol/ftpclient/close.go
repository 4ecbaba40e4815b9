package ftpclient

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// Close says QUIT, waits at most a second for the answer, and closes the connection. A
// transfer that is going on is cut. The error is always nil.
func (c *Conn) Close() error {
	c.mu.Lock()
	k := c.keeper
	c.mu.Unlock()
	k.stop()
	if c.cutTransfer() {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.base, quitLimit)
	defer cancel()
	if e, err := c.begin(ctx); err == nil {
		if e.send("QUIT") == nil {
			if _, err := e.final("QUIT"); err == nil {
				if s, ok := c.conn.(*tls.Conn); ok {
					_ = s.CloseWrite() // the server may be gone already
				}
			}
		}
		_ = c.breakOff(net.ErrClosed)
		e.end()
	}
	_ = c.breakOff(net.ErrClosed)
	return nil
}

// cutTransfer closes the connection if a transfer is going on, or replies are still to come that nobody
// waits for: a goodbye would be too late.
func (c *Conn) cutTransfer() bool {
	c.mu.Lock()
	t, unsettled := c.transfer, c.outOfStep || c.owed > 0
	var data *dataConn
	if t != nil {
		data = t.data
	}
	c.mu.Unlock()
	if t == nil && !unsettled {
		return false
	}
	_ = c.breakOff(net.ErrClosed)
	if data != nil {
		data.reset() // FIN would be the end of an upload
	}
	return true
}

// Noop sends NOOP.
func (c *Conn) Noop(ctx context.Context) error {
	_, err := c.want(ctx, "NOOP", "")
	return err
}

// keeper keeps an idle connection alive.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// keep starts the keeper, once.
func (c *Conn) keep() {
	c.mu.Lock() // Close may come at any time
	defer c.mu.Unlock()
	if c.o.KeepAlive <= 0 || c.keeper != nil || c.broken != nil {
		return
	}
	ctx, cancel := context.WithCancel(c.base)
	k := &keeper{cancel: cancel, done: make(chan struct{})}
	c.keeper = k
	go func() {
		defer close(k.done)
		c.noops(ctx)
	}()
}

// noops sends NOOP whenever the connection has been idle for KeepAlive.
func (c *Conn) noops(ctx context.Context) {
	timer := time.NewTimer(c.o.KeepAlive)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		c.mu.Lock()
		broken, idle := c.broken, time.Since(c.used)
		if c.transfer != nil {
			idle = 0
		}
		c.mu.Unlock()
		if broken != nil {
			return
		}
		if idle >= c.o.KeepAlive {
			_ = c.Noop(ctx) // who uses the connection next finds out
			idle = 0
		}
		timer.Reset(c.o.KeepAlive - idle)
	}
}

func (k *keeper) stop() {
	if k != nil {
		k.cancel()
		<-k.done
	}
}
