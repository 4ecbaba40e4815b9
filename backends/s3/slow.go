package s3

import (
	"fmt"
	"time"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// errTooSlow ends an upload whose client holds memory that others wait for.
var errTooSlow = fmt.Errorf("%w: the client sends less than %d bytes a second, and others wait for what it holds of transfer_memory", vfs.ErrTransient, slowestPace)

// busy notes that the transfer has n bytes from its client, which is not waited for until
// waiting is called.
func (c *Claim) busy(n int) {
	c.note(func(now time.Time) {
		c.debt = max(0, min(c.debt, 2*slowPatience)-time.Duration(n)*time.Second/slowestPace)
		c.moved += int64(n)
	})
}

// waiting notes that the client is waited for.
func (c *Claim) waiting() {
	c.note(func(now time.Time) { c.idle, c.paced = now, false })
}

// pacing notes that the client may not send for now: it is not waited for until waiting is called.
func (c *Claim) pacing() {
	c.note(func(now time.Time) { c.idle, c.paced = now, true })
}

// note adds up what was waited for until now, and says what comes next.
func (c *Claim) note(next func(now time.Time)) {
	b := c.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !c.idle.IsZero() {
		c.debt = c.owes(now)
		c.waited += now.Sub(c.idle)
	}
	c.idle = time.Time{}
	next(now)
}

// look finds out who is slow, and does about it what the documentation of Budget says.
func (b *Budget) look() {
	now := time.Now()
	var worst *Claim
	b.mu.Lock()
	for c := range b.claims {
		c.judge(b, now)
		if !c.idle.IsZero() && !c.paced && c.sum() > 0 && (worst == nil || c.owes(now) > worst.owes(now)) {
			worst = c
		}
	}
	b.grant()
	if worst != nil && (len(b.wait) == 0 || now.Sub(b.wait[0].since) <= slowPatience || worst.owes(now) <= slowPatience || now.Sub(b.ended) < lookEvery) {
		worst = nil
	}
	if worst != nil {
		b.ended = now
	}
	b.mu.Unlock()
	if worst != nil {
		worst.slow()
	}
}

// judge notes whether c trickles, once in lookEvery. What was waited for the store or for
// memory does not count: who has trickled and now waits for memory is as slow as it was.
func (c *Claim) judge(b *Budget, now time.Time) {
	since := now.Sub(c.looked)
	if since < lookEvery {
		return
	}
	moved, waited := c.moved, c.waited
	if !c.idle.IsZero() {
		waited += now.Sub(c.idle)
	}
	c.looked, c.moved, c.waited = now, 0, c.waited-waited // the rest will be added
	switch {
	case waited > since/2:
		c.trickles = float64(moved) < tricklePace*waited.Seconds()
	case float64(moved) >= tricklePace*since.Seconds():
		c.trickles = false
	}
	if c.trickles && !c.overdrawn {
		b.unreserve(c)
	}
}

// owes is how much longer the client was waited for than what it has sent may take.
func (c *Claim) owes(now time.Time) time.Duration {
	if c.idle.IsZero() || c.paced {
		return c.debt
	}
	return c.debt + now.Sub(c.idle)
}

// tooSlow ends the upload, unless its client has just sent something. What was collected is
// given up at once; the client hears of it with the next byte that it sends.
func (u *upload) tooSlow() {
	if !u.mu.TryLock() {
		return
	}
	defer u.mu.Unlock()
	if u.done || u.failed != nil {
		return
	}
	u.failed = fault("write", u.name, errTooSlow)
	u.cancel(errTooSlow)
	if u.part != nil {
		u.part.release()
		u.part = nil
	}
}
