package ftpclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Conn is one control connection; the package documentation has its states.
type Conn struct {
	o        Options
	host     string          // of the address given to Dial
	peer     netip.Addr      // of the control connection; invalid behind a Dialer
	base     context.Context // for what must be done although the caller's context is over
	greeting ftp.Reply

	tcp        net.Conn // the socket
	conn       net.Conn // tcp, or TLS over it
	in         counter  // what conn received
	lines      *ftp.LineReader
	controlTLS *tls.Config // nil: no TLS
	dataTLS    *tls.Config // nil: data in clear

	turn chan struct{} // holds something while a call or a transfer uses the connection

	// What the server has shown; guarded by turn.
	features *Features
	loggedIn bool        // features are what FEAT says after the login
	ahead    bool        // commands may be sent before the reply to the one before
	noEPSV   bool        // it does not know EPSV
	noEPRT   bool        // it does not know EPRT
	noMLSD   atomic.Bool // it does not know MLSD
	passive  bool        // a passive data connection has come about
	ascii    bool        // TYPE I is to be sent again

	mu        sync.Mutex
	broken    error     // why the connection is of no more use
	transfer  *transfer // going on
	used      time.Time // when the last call ended
	outOfStep bool      // ABOR has been sent, and its replies have not been read
	owed      int       // final replies to small commands that have not been read
	utime     int       // which way to set times worked, from 1; 0: none yet

	keeper *keeper
}

// counter counts what has been received.
type counter struct {
	r io.Reader
	n int64
	// enough is where reading ends: a line of the server's may never end, and is not
	// waited for until ReplyTimeout.
	enough int64
}

func (c *counter) Read(b []byte) (int, error) {
	if c.n > c.enough {
		return 0, ftp.ErrReplyTooLong
	}
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// Usable reports whether the connection is neither broken nor closed, as far as is known, and no transfer is going on.
func (c *Conn) Usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken == nil && c.transfer == nil
}

// breakOff closes the connection, once. It returns err.
func (c *Conn) breakOff(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.tcp.Close()
	}
	if c.broken == nil || err == net.ErrClosed { //nolint:errorlint // Close's own
		c.broken = err
	}
	return err
}

// exchange is the use of the control connection by one call, or by one transfer to its end.
type exchange struct {
	c    *Conn
	ctx  context.Context
	stop func() bool
	cuts chan struct{} // closed when cutOff has returned

	mu    sync.Mutex
	cut   bool   // ctx has ended, or the transfer was aborted from outside
	onCut func() // closes the data connection
	over  bool
	peek  bool // a reply is looked for, and need not come
	deaf  bool // stop has been called
}

// begin waits for the connection and takes it. Every begin is followed by end.
func (c *Conn) begin(ctx context.Context) (*exchange, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := c.state(); err != nil { // a transfer does not end by waiting for it here
		return nil, err
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := c.state(); err != nil {
		<-c.turn
		return nil, err
	}
	e := &exchange{c: c, ctx: ctx, cuts: make(chan struct{})}
	e.stop = context.AfterFunc(ctx, func() {
		defer close(e.cuts)
		e.cutOff()
	})
	err := e.step()
	if err == nil {
		err = e.settleOwed()
	}
	if err == nil {
		err = e.stray()
	}
	if err == nil && e.isCut() {
		err = context.Cause(ctx) // nothing has been sent
	}
	if err != nil {
		e.end()
		return nil, err
	}
	return e, nil
}

func (c *Conn) state() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.broken != nil:
		return fmt.Errorf("%w (%w)", ErrBroken, c.broken)
	case c.transfer != nil:
		return ErrBusy
	}
	return nil
}

// end gives the connection back.
func (e *exchange) end() {
	if e.over {
		return
	}
	e.over = true
	e.ignore()
	c := e.c
	c.mu.Lock()
	c.transfer = nil
	c.used = time.Now()
	c.mu.Unlock()
	if !c.isBroken() {
		c.tcp.SetDeadline(time.Time{}) // it may have been cut when all was done
	}
	<-c.turn
}

// ignore makes the end of the context matter no longer; cutOff does not run any more when it returns.
func (e *exchange) ignore() {
	if e.deaf {
		return
	}
	e.deaf = true
	if !e.stop() {
		<-e.cuts
	}
}

func (c *Conn) isBroken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken != nil
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// cutOff ends whatever waits for the network.
func (e *exchange) cutOff() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cut = true
	e.c.tcp.SetDeadline(past)
	if e.onCut != nil {
		e.onCut()
	}
}

func (e *exchange) isCut() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cut
}

// whenCut has f called when the exchange is cut off, or at once if it is already.
func (e *exchange) whenCut(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.onCut = f
	if e.cut {
		f()
	}
}

// limit sets the deadline of what comes next on the control connection.
func (e *exchange) limit(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.cut {
		e.c.tcp.SetDeadline(time.Now().Add(d))
	}
}
