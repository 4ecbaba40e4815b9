package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// maxPreliminary is how many 1xx replies a command may have before its last one.
const maxPreliminary = 16

// send sends command lines in one piece. An error leaves the connection broken.
func (e *exchange) send(lines ...string) error {
	e.limit(e.c.o.ReplyTimeout)
	return e.write(lines...)
}

// write is send within the limit that stands.
func (e *exchange) write(lines ...string) error {
	c := e.c
	for _, line := range lines {
		if c.o.Trace.Sent != nil {
			c.o.Trace.Sent(redact(line))
		}
	}
	if _, err := io.WriteString(c.conn, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		return c.breakOff(e.explain(err))
	}
	return nil
}

// redact takes what is secret out of a command line.
func redact(line string) string {
	verb, _, _ := strings.Cut(line, " ")
	if strings.EqualFold(verb, "PASS") || strings.EqualFold(verb, "ACCT") {
		return verb + " ***"
	}
	return line
}

// errCut is a reply that did not come before the exchange was cut off, at a moment when
// nothing of it had been read: the connection can be brought back in step.
var errCut = errors.New("ftpclient: cut off between replies")

// next reads one reply. An error leaves the connection broken, errCut excepted.
func (e *exchange) next() (ftp.Reply, error) {
	c := e.c
	begun, received := c.lines.Buffered(), c.in.n
	c.in.enough = received + int64(c.o.MaxReply+c.o.MaxLine)
	r, err := ftp.ReadReply(c.lines, c.o.MaxReply)
	switch {
	case err == nil && 100 <= r.Code && r.Code < 600:
	case err == nil:
		return r, c.breakOff(fmt.Errorf("%w: reply code %d", ErrProtocol, r.Code))
	case errors.Is(err, os.ErrDeadlineExceeded) && (e.peek || e.isCut()) && !begun && c.in.n == received:
		return r, errCut
	default:
		return r, c.breakOff(e.explain(err))
	}
	if c.o.Trace.Received != nil {
		c.o.Trace.Received(r)
	}
	if r.Code == 421 {
		_ = c.breakOff(refusal("", "", r)) // the reply says it
	}
	return r, nil
}

// reply reads a reply within ReplyTimeout; an error leaves the connection broken.
func (e *exchange) reply() (ftp.Reply, error) {
	e.limit(e.c.o.ReplyTimeout)
	r, err := e.next()
	if errors.Is(err, errCut) {
		err = e.c.breakOff(e.explain(err))
	}
	return r, err
}

// final reads replies up to the first that is not preliminary: the answer to a command line. An error leaves the
// connection broken.
func (e *exchange) final(line string) (ftp.Reply, error) {
	r, err := e.answerTo(line)
	if errors.Is(err, errCut) {
		err = e.c.breakOff(e.explain(err))
	}
	return r, err
}

// answerTo is final, except that errCut leaves the connection as it is.
func (e *exchange) answerTo(line string) (ftp.Reply, error) {
	e.limit(e.c.o.ReplyTimeout)
	for range maxPreliminary {
		switch r, err := e.next(); {
		case err != nil:
			return r, err
		case r.Code >= 200 && misplaced(line, r.Code):
			return r, e.c.misplaced(line, r)
		case r.Code >= 200:
			return r, nil
		}
		e.limit(e.c.o.ReplyTimeout)
	}
	return ftp.Reply{}, e.c.breakOff(fmt.Errorf("%w: preliminary replies without end", ErrProtocol))
}

// explain turns an error of the control connection into one for the caller.
func (e *exchange) explain(err error) error {
	switch {
	case e.ctx.Err() != nil && e.isCut():
		return context.Cause(e.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case errors.Is(err, ftp.ErrLineTooLong), errors.Is(err, ftp.ErrReplyTooLong):
		return &worded{ErrTooLong.Error(), fmt.Errorf("%w: %w", ErrTooLong, err)}
	case errors.Is(err, ftp.ErrSyntax):
		return &worded{ErrProtocol.Error() + ": what it sends is no reply of FTP", fmt.Errorf("%w: %w", ErrProtocol, err)}
	case errors.Is(err, io.EOF):
		return &worded{"the server has closed the control connection", io.ErrUnexpectedEOF}
	}
	return InWords(err)
}
