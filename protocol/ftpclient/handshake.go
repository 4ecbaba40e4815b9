package ftpclient

import (
	"context"
	"fmt"
	"time"
)

// handshake is that of a data connection while it goes on.
type handshake struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error // once done is closed
}

// begunSecurely is begun, and the TLS handshake meanwhile. Servers differ in which they do first: pure-ftpd, proftpd,
// vsftpd, pyftpdlib and ours say 150 and then begin TLS, and others the other way round, of which each
// would wait for ever for a client that does it like the former (RFC 4217 §7 has no order). Beginning at once suits
// both, and spares the round trip of the 150.
func (t *transfer) begunSecurely() error {
	t.beginTLS()
	err := t.begun()
	if err == nil {
		return t.secured()
	}
	if failed := t.handshake.failed(); failed != nil {
		err = fmt.Errorf("%w (%w)", failed, err) // the server's 425 does not tell that it was this side
		if t.closed {
			t.err = err
		}
	}
	return err
}

// beginTLS starts the handshake of the data connection, if there is to be one.
func (t *transfer) beginTLS() {
	if t.c.dataTLS == nil {
		return
	}
	ctx, cancel := context.WithCancelCause(t.ctx)
	h := &handshake{cancel: cancel, done: make(chan struct{})}
	t.handshake = h
	go func() {
		defer close(h.done)
		if h.err = t.data.secure(ctx, t.c.dataTLS); h.err != nil {
			t.data.reset()                               // the server may wait for it with its reply
			t.limit(min(abortLimit, t.c.o.ReplyTimeout)) // and if not, it is not waited for long
		}
	}()
}

// secured waits for the handshake, which a server may begin only with its 150: so the time runs from there.
func (t *transfer) secured() error {
	if t.c.dataTLS == nil {
		return nil
	}
	if t.handshake == nil {
		t.beginTLS()
	}
	timer := time.AfterFunc(t.c.o.ConnectTimeout, func() { t.handshake.cancel(ErrTimeout) })
	defer timer.Stop()
	if err := t.handshake.wait(); err != nil {
		return err
	}
	s := t.data.tls.tls.ConnectionState()
	t.info.TLS = &s
	return nil
}

// failed is why the handshake failed, if that is known by now and it was not merely cut.
func (h *handshake) failed() error {
	if h == nil {
		return nil
	}
	select {
	case <-h.done:
	default:
		return nil
	}
	if h.err == nil || isCutHandshake(h.err) {
		return nil
	}
	return h.err
}

// wait returns how the handshake ended.
func (h *handshake) wait() error {
	if h == nil {
		return nil
	}
	<-h.done
	h.cancel(nil)
	return h.err
}
