package ftpclient

import (
	"errors"
	"fmt"
	"net"

	"github.com/ftpgate/ftpgate/protocol/ftp"
)

// maxStale is how many replies may stand between ABOR and being in step again.
const maxStale = 8

// abort ends a transfer that failed with err, and brings the connection back in step: how many
// replies ABOR gets, and in which order, differs from server to server and from moment to
// moment, so PWD follows, whose 257 is the answer to nothing else. The error says how
// the transfer ended: if the server had refused it by itself, that is the reason.
func (t *transfer) abort(err error) error {
	if t.closed {
		return t.err
	}
	c := t.c
	if t.ctx.Err() != nil && t.isCut() {
		err = t.explain(err)
	}
	if c.isBroken() {
		return t.over(t.incomplete(err))
	}
	t.uncut()
	t.limit(abortLimit)
	reason, failed := t.resync()
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

// resync sends ABOR and closes the data connection, by RST: FIN would be the end of an upload.
// The reason is the refusal that the server had given before, if any.
func (t *transfer) resync() (reason, failed error) {
	if failed = t.write("ABOR"); failed != nil {
		return nil, failed
	}
	if t.data != nil {
		t.data.reset()
	}
	// The reply to ABOR, or to the transfer. Before it some servers throw away what else has come.
	for range maxStale {
		r, err := t.next()
		if err != nil {
			return reason, err
		}
		if r.Code >= 200 {
			reason = cause(reason, r)
			break
		}
	}
	if failed = t.write("PWD"); failed != nil {
		return reason, failed
	}
	for range maxStale {
		r, err := t.next()
		switch {
		case err != nil:
			return reason, err
		case r.Code == 257:
			t.asked = false
			return reason, nil
		}
		reason = cause(reason, r)
	}
	return reason, fmt.Errorf("%w: out of step after ABOR", ErrProtocol)
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
