package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// maxStale is how many replies may stand between ABOR and being in step again.
const maxStale = 8

// abort ends a transfer that failed with err, and brings the connection back in step. If its
// context is over that is left to the next call, so that this one returns at once. The error says how
// the transfer ended: if the server had refused it by itself, that is the reason.
func (t *transfer) abort(err error) error {
	if t.closed {
		return t.err
	}
	c := t.c
	over := t.ctx.Err() != nil
	if over {
		err = context.Cause(t.ctx)
		t.uncut()
	}
	if c.isBroken() {
		return t.over(t.incomplete(err))
	}
	t.limit(min(abortLimit, c.o.ReplyTimeout))
	if t.interrupt() != nil {
		return t.over(t.incomplete(err))
	}
	if over {
		c.setOutOfStep(true)
		return t.over(t.incomplete(err))
	}
	reason, failed := t.catchUp()
	if failed != nil {
		_ = c.breakOff(failed) // err is what the caller asked about
	}
	switch {
	case reason != nil && isNetwork(err):
		err = reason
	case reason != nil:
		err = fmt.Errorf("%w (%w)", err, reason)
	}
	return t.over(t.incomplete(err))
}

// uncut lets the control connection be used again after the context has ended.
func (t *transfer) uncut() {
	t.ignore()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut, t.onCut = false, nil
}

// interrupt sends ABOR and closes the data connection, by RST: FIN would be the end of an upload.
func (t *transfer) interrupt() error {
	err := t.write("ABOR")
	if t.data != nil {
		t.data.reset()
	}
	return err
}

// catchUp comes after ABOR. How many replies that gets, and in which order, differs from
// server to server and from moment to moment, so PWD follows, whose 257 is the answer to
// nothing else. The reason is the refusal that the server had given before, if any.
func (e *exchange) catchUp() (reason, failed error) {
	// The reply to ABOR, or to the transfer. Before it some servers throw away what else has come.
	for range maxStale {
		r, err := e.next()
		if err != nil {
			return reason, err
		}
		if r.Code >= 200 {
			reason = cause(reason, r)
			break
		}
	}
	if failed = e.write("PWD"); failed != nil {
		return reason, failed
	}
	for range maxStale {
		r, err := e.next()
		switch {
		case err != nil:
			return reason, err
		case r.Code == 257:
			return reason, nil
		}
		reason = cause(reason, r)
	}
	return reason, fmt.Errorf("%w: out of step after ABOR", ErrProtocol)
}

// step does what the end of a transfer's context has left to do.
func (e *exchange) step() error {
	c := e.c
	c.mu.Lock()
	outOfStep := c.outOfStep
	c.mu.Unlock()
	if !outOfStep {
		return nil
	}
	e.limit(min(abortLimit, c.o.ReplyTimeout))
	if _, err := e.catchUp(); err != nil {
		return c.breakOff(e.explain(err))
	}
	c.setOutOfStep(false)
	return nil
}

func (c *Conn) setOutOfStep(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outOfStep = is
}

// cause is the first refusal that ABOR itself is not the reason for.
func cause(known error, r ftp.Reply) error {
	switch {
	case known != nil, r.Code < 400, r.Code == 426, r.Code == 500, r.Code == 502:
		return known
	}
	return refusal("", "", r)
}

// isNetwork reports whether err only says that the peer is gone.
func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}
