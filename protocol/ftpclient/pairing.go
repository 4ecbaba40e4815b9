package ftpclient

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// Which reply belongs to which command is told by nothing but their order. A reply too many, or one that a caller
// did not wait for, would be taken for the answer to the next command, and from then on every answer would be
// the one before: a 226 that came twice for the success of a DELE. So what cannot be an answer is noticed, and
// what is still to come is waited for.

// misplaced reports whether a reply cannot be the answer to a command line that uses no data connection. It knows the codes
// that servers use, not only those of the RFCs.
func misplaced(line string, code ftp.Code) bool {
	verb, arg, _ := strings.Cut(strings.ToUpper(line), " ")
	switch code {
	case 225, 226, 425, 426: // of transfers and ABOR
		return verb != "SITE" && verb != "STAT" // which may be anything
	}
	if code/100 != 2 {
		return false
	}
	switch verb {
	case "SIZE":
		return code != 213
	case "MDTM": // with a time it sets it
		return code != 213 && !strings.Contains(arg, " ")
	case "PWD":
		return code != 257
	case "RNFR":
		return true
	}
	return code == 227 || code == 229
}

func (c *Conn) misplaced(line string, r ftp.Reply) error {
	verb, _, _ := strings.Cut(line, " ")
	return c.breakOff(fmt.Errorf("%w: %d in answer to %s", ErrProtocol, r.Code, verb))
}

// small is the final reply to the first of the lines that have been sent and not been answered, all of them
// small commands. If ctx ends before it comes the call is over, and the next one waits for what is still to come.
func (e *exchange) small(sent ...string) (ftp.Reply, error) {
	r, err := e.answerTo(sent[0])
	if !errors.Is(err, errCut) {
		return r, err
	}
	err = e.explain(err)
	for _, line := range sent {
		if !forgettable(line) {
			return r, e.c.breakOff(err)
		}
	}
	e.c.owe(len(sent))
	return r, err
}

// forgettable reports whether a command leaves nothing behind on the connection. After a CWD of which nobody knows whether
// it has been done, say, relative paths would mean anything, and after an RNFR proftpd refuses everything but RNTO.
func forgettable(line string) bool {
	verb, arg, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "NOOP", "PWD", "FEAT", "SYST", "STAT", "SIZE", "MDTM", "MLST", "MFMT", "MFF", "MFCT", "DELE", "MKD", "RMD", "RNTO",
		"HASH", "MD5", "XMD5", "XCRC", "XSHA", "XSHA1", "XSHA256", "XSHA512":
		return true
	case "SITE":
		verb, _, _ = strings.Cut(arg, " ")
		return verb == "CHMOD" || verb == "UTIME" || verb == "CPTO" || verb == "COPY"
	}
	return false
}

// owe notes that n final replies are still to come.
func (c *Conn) owe(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = n
}

// unsettled reports whether replies are still to come that nobody waits for any more.
func (c *Conn) unsettled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outOfStep || c.owed > 0
}

// settleOwed reads the replies that are still to come, for at most abortLimit. It is no matter what they say.
func (e *exchange) settleOwed() error {
	c := e.c
	c.mu.Lock()
	left := c.owed
	c.mu.Unlock()
	if left == 0 {
		return nil
	}
	e.limit(min(abortLimit, c.o.ReplyTimeout))
	for range left * maxPreliminary {
		r, err := e.next()
		switch {
		case errors.Is(err, errCut):
			c.owe(left) // this call, too, has ended before they came
			return e.explain(err)
		case err != nil:
			return c.breakOff(e.explain(err))
		case r.Code == 421:
			return refusal("", "", r)
		case r.Code >= 200:
			left--
		}
		if left == 0 {
			c.owe(0)
			return nil
		}
	}
	return c.breakOff(fmt.Errorf("%w: preliminary replies without end", ErrProtocol))
}

// strayLimit is how long the rest of a TLS record may take of which some has come. What it holds may be no reply but a ticket.
const strayLimit = 20 * time.Millisecond

// stray looks for a reply that nobody asked for. Only 421 is one. The end of the connection is found here as
// well, before a command is sent of which nobody would know whether it was carried out.
func (e *exchange) stray() error {
	c := e.c
	if c.greeting.Code == 0 {
		return nil
	}
	switch _, isTLS := c.TLS(); {
	case c.lines.Buffered():
		e.limit(c.o.ReplyTimeout)
	case !c.waiting():
		return nil
	case isTLS:
		e.peek = true
		e.limit(strayLimit)
	default:
		e.limit(c.o.ReplyTimeout)
	}
	r, err := e.next()
	peek := e.peek
	e.peek = false
	switch {
	case errors.Is(err, errCut) && peek && !e.isCut():
		return nil
	case errors.Is(err, errCut):
		return e.explain(err)
	case err != nil:
		return err
	case r.Code == 421:
		return refusal("", "", r)
	}
	return c.breakOff(fmt.Errorf("%w: a reply to nothing: %q", ErrProtocol, r))
}

// waiting reports whether something has come that has not been read, or the end of the connection, as far as
// can be seen without waiting.
func (c *Conn) waiting() bool {
	s, ok := c.tcp.(syscall.Conn)
	if !ok {
		return false // behind some proxies
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	waiting := false
	_ = raw.Control(func(fd uintptr) { waiting = readable(fd) }) // closed: the command will tell
	return waiting
}
