package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// transfer is one use of a data connection; the package documentation has its states.
type transfer struct {
	*exchange
	verb, path string
	line       string // the command
	offset     int64
	eager      bool // an upload that does not wait for the 150

	info      DataInfo
	data      *dataConn
	first     ftp.Reply  // the preliminary one
	handshake *handshake // of the data connection; nil: none has begun
	asked     bool       // the command is on its way, and no final reply to it has been read
	closed    bool       // the transfer is over, one way or the other
	err       error      // how it ended
}

// open sends a command that uses a data connection, and returns when both stand. Whatever the error, the
// transfer is over then.
func (c *Conn) open(ctx context.Context, verb, path string, offset int64, eager bool) (*transfer, error) {
	line, err := c.line(verb, path)
	if err == nil && offset < 0 {
		err = fmt.Errorf("ftpclient: negative offset %d", offset)
	}
	if err != nil {
		return nil, pathError(verb, path, err)
	}
	e, err := c.begin(ctx)
	if err != nil {
		return nil, pathError(verb, path, err)
	}
	t := &transfer{exchange: e, verb: verb, path: path, line: line, offset: offset, eager: eager && c.dataTLS == nil && c.ahead && !c.o.Active}
	c.mu.Lock()
	c.transfer = t
	c.mu.Unlock()
	if err := t.start(); err != nil {
		if t.closed {
			return nil, t.err // the server's refusal is known, or ctx ended
		}
		return nil, t.abort(err)
	}
	return t, nil
}

// start makes the data connection. An error that leaves the control connection in step is told by refuse.
func (t *transfer) start() error {
	if err := t.typeImage(); err != nil {
		return err
	}
	begun := time.Now()
	var err error
	if t.c.o.Active {
		err = t.startActive()
	} else {
		err = t.startPassive()
	}
	if err != nil {
		return err
	}
	t.info.Took = time.Since(begun)
	if t.c.o.Trace.Data != nil {
		t.info.Verb = t.verb
		t.info.Local, t.info.Remote = t.data.raw.LocalAddr(), t.data.raw.RemoteAddr()
		t.c.o.Trace.Data(t.info)
	}
	return nil
}

// typeImage sends TYPE I if Quote may have changed it.
func (t *transfer) typeImage() error {
	if !t.c.ascii {
		return nil
	}
	if err := t.send("TYPE I"); err != nil {
		return err
	}
	r, err := t.final("TYPE I")
	if err != nil {
		return err
	}
	if r.Code/100 != 2 {
		return t.refuse("TYPE", r)
	}
	t.c.ascii = false
	return nil
}

// hold makes conn the data connection, which is closed when the transfer is cut off.
func (t *transfer) hold(d *dataConn) {
	d.truncation = t.c.o.Truncation
	t.c.mu.Lock()
	t.data = d
	t.c.mu.Unlock()
	t.whenCut(d.reset)
}

// rest sends REST before the command that it is for.
func (t *transfer) rest() error {
	if t.offset == 0 {
		return nil
	}
	if err := t.send("REST " + strconv.FormatInt(t.offset, 10)); err != nil {
		return err
	}
	r, err := t.final("REST")
	switch {
	case err != nil:
		return err
	case r.Code != 350:
		// Without it the command would fetch or replace the whole file.
		return t.refuse("REST", r)
	}
	return nil
}

// begun reads the answer to the command.
func (t *transfer) begun() error {
	r, err := t.answer()
	switch {
	case err != nil:
		return err
	case r.Code < 200:
		t.first = r
	case r.Code == 226, r.Code == 250: // nothing preliminary: an empty listing, from some
		t.first = r
		t.asked = false
	case r.Code < 400:
		return t.c.misplaced(t.line, r)
	default:
		t.asked = false
		return t.refuse(t.verb, r)
	}
	return nil
}

// answer is reply for a transfer: when it is cut off the connection is not lost yet.
func (t *transfer) answer() (ftp.Reply, error) {
	t.limit(t.c.o.ReplyTimeout)
	return t.next()
}

// refuse ends the transfer with the server's refusal; the connection is in step.
func (t *transfer) refuse(verb string, r ftp.Reply) error {
	return t.over(refusal(verb, t.path, r))
}

// over ends the transfer.
func (t *transfer) over(err error) error {
	if t.closed {
		return t.err
	}
	t.closed, t.err = true, err
	if t.data != nil {
		if err != nil {
			t.data.reset()
		} else {
			t.data.close()
		}
	}
	_ = t.handshake.wait() // which is over now
	t.end()
	return err
}

// complete is called after the end of data, and returns how the transfer ended: nil
// only if the server says so.
func (t *transfer) complete() error {
	if t.closed {
		return t.err
	}
	for range maxPreliminary {
		if !t.asked {
			return t.over(nil)
		}
		r, err := t.answer()
		switch {
		case err != nil:
			return t.abort(err)
		case r.Code < 200: // the 150 of an eager upload; 110 (RFC 959 §3.4.2)
			t.first = r
		case r.Code == 226, r.Code == 250: // RFC 959 §5.4
			t.asked = false
			if t.uploads() && t.data.wasReset() {
				return t.over(t.incomplete(errReset))
			}
			t.c.passive = t.c.passive || !t.c.o.Active // an eager upload finds out here
		case r.Code < 400:
			return t.abort(t.c.misplaced(t.line, r))
		default:
			t.asked = false
			return t.over(t.incomplete(refusal("", "", r)))
		}
	}
	return t.abort(fmt.Errorf("%w: preliminary replies without end", ErrProtocol))
}

// errReset is what a server did that closed a data connection before it had read everything.
var errReset = errors.New("the server reset the data connection, so it may not have all of it although it says so")

func (t *transfer) uploads() bool { return t.verb == "STOR" || t.verb == "APPE" || t.verb == "STOU" }

// incomplete is the error of a transfer that failed because of err.
func (t *transfer) incomplete(err error) error {
	if local := (*localError)(nil); errors.As(err, &local) {
		err = local.error
	} else {
		err = InWords(err)
	}
	return pathError(t.verb, t.path, fmt.Errorf("%w: %w", ErrIncomplete, err))
}
