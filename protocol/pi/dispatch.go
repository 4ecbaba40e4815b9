package pi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// command is a line from the client on its way to a handler.
type command struct {
	ftp.Command
	row     *row
	bad     *ftp.Error // the line was no command: answer with this
	aborted bool       // an ABOR came behind it while it waited
	hit     bool       // of an ABOR: it cancelled something
}

func (s *session) parse(line []byte) command {
	c, err := ftp.ParseCommand(line)
	if err != nil {
		return command{bad: ftp.Errorf(500, "Syntax error, command unrecognized.")}
	}
	return command{Command: c, row: s.server.table[c.Verb]}
}

// is reports whether c is verb as it is meant to be sent: with an argument ABOR and QUIT are only 501.
func (c *command) is(verb string) bool { return c.row != nil && c.row.verb == verb && !c.HasArg }

// overtakes reports whether c is answered at once while a transfer runs. STAT with a path
// belongs between transfers (RFC 959 §4.1.3) and waits.
func (c *command) overtakes() bool {
	return c.row != nil && c.row.overtakes && (c.Arg == "" || c.row.arg == argIgnored)
}

// take runs c, hands it to the worker, or queues it behind the running command. It
// reports whether the reader goes on reading.
func (s *session) take(c command) bool {
	s.mu.Lock()
	if s.ended || s.lost {
		s.mu.Unlock()
		return false
	}
	for s.busy && c.row != nil && c.row.barrier && !s.ended && !s.lost {
		s.waitForWorker()
	}
	if !s.busy {
		if c.row != nil && c.row.store && c.bad == nil {
			s.busy = true
			s.running = run{row: c.row}
			s.mu.Unlock()
			s.server.crew.do(func() { s.worker(c) })
			return true
		}
		s.mu.Unlock()
		s.execute(&c)
		s.mu.Lock()
		s.active = time.Now()
		over := s.ended || s.lost
		s.mu.Unlock()
		if s.upgrade && !over {
			return s.secure()
		}
		return !over
	}
	switch {
	case c.is("ABOR"):
		c.hit = s.abort()
	case c.is("QUIT"):
		s.quit = true
		s.work.Broadcast()
	case c.overtakes() && s.running.transfer != nil && len(s.queue) == 0:
		s.mu.Unlock()
		s.send(s.duringTransfer(c))
		return true
	}
	for s.busy && len(s.queue) > 0 && (len(s.queue) >= maxQueued || s.queued+len(c.Arg) > maxQueuedBytes) {
		s.waitForWorker()
	}
	if s.ended || s.lost {
		s.mu.Unlock()
		return false
	}
	if !s.busy { // the worker went while this waited for room
		s.mu.Unlock()
		return s.take(c)
	}
	s.queue = append(s.queue, c)
	s.queued += len(c.Arg)
	s.mu.Unlock()
	return !c.is("QUIT")
}

// waitForWorker lets the reader wait until the worker has done something. Meanwhile it
// does not read and sees no end of the connection. The kernel tells of a reset; a mere FIN
// ends nothing, since there may be a QUIT in what is unread. Called with mu held.
func (s *session) waitForWorker() {
	defer time.AfterFunc(resetCheck, func() {
		s.mu.Lock()
		s.work.Broadcast()
		s.mu.Unlock()
	}).Stop()
	s.work.Wait()
	if s.tcp != nil && dtp.Dead(s.tcp) {
		s.mu.Unlock()
		s.lose(syscall.ECONNRESET)
		s.mu.Lock()
	}
}

// abort cancels the running command unless it is too late, and whatever transfers
// wait behind it. It reports whether there was anything. Called with mu held.
func (s *session) abort() bool {
	hit := false
	switch r := &s.running; {
	case r.row == nil || r.publishing || r.row.steady:
	case r.cancel == nil: // it has not begun yet
		r.aborted, hit = true, true
	default:
		r.cancel(errAborted)
		hit = true
	}
	for i := range s.queue {
		if s.queue[i].row != nil && s.queue[i].row.transfer {
			s.queue[i].aborted, hit = true, true
		}
	}
	return hit || s.running.transfer != nil
}

// worker runs c and then what has queued up, in order, and goes.
func (s *session) worker(c command) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked(&command{}, v)
			s.cut(errPanic)
			s.mu.Lock()
			s.busy, s.running = false, run{}
			s.work.Broadcast()
			s.mu.Unlock()
		}
	}()
	for {
		s.execute(&c)
		s.mu.Lock()
		s.running = run{}
		if s.drained && !s.ended && !s.lost {
			s.mu.Unlock()
			s.send(ftp.Replyf(421, "Server is shutting down, closing control connection."))
			s.mu.Lock()
		}
		if len(s.queue) == 0 || s.ended || s.lost {
			s.busy = false
			s.active = time.Now()
			s.queue, s.queued = nil, 0
			s.work.Broadcast()
			s.mu.Unlock()
			return
		}
		c = s.queue[0]
		s.running = run{row: c.row}
		s.queue = s.queue[1:]
		s.queued -= len(c.Arg)
		s.work.Broadcast()
		s.mu.Unlock()
	}
}

// execute runs one command with the floor held and writes its reply.
func (s *session) execute(c *command) {
	s.told = false
	reply, err := s.run(c)
	if err != nil {
		reply = s.failed(c, err)
	}
	if c.row != nil {
		s.clearOneShots(c.row, reply.Code)
	}
	if t := s.server.Trace; t != nil && t.Command != nil {
		t.Command(s.info, c.redacted(), reply)
	}
	s.send(reply)
}

// failed turns an error into its reply, and reports it if it has a cause worth a look that
// nobody has been told of.
func (s *session) failed(c *command, err error) ftp.Reply {
	if errors.Is(err, vfs.ErrNotDir) && s.account != nil && !s.account.Access.All.Has(Look) {
		err = fs.ErrNotExist // "not a directory" would tell that there is a file
	}
	reply := replyTo(err, c)
	if t := s.server.Trace; t != nil && t.Failure != nil && !s.told && worthLogging(err) {
		t.Failure(s.info, c.redacted(), reply.Code, err)
	}
	return reply
}

// clearOneShots forgets the state that lasts for one command only, except what
// this one has just set or lets pass.
func (s *session) clearOneShots(r *row, code ftp.Code) {
	if r.keeps&keepRename == 0 && !(r.verb == "RNFR" && code == 350) {
		s.renameFrom = ""
	}
	if r.keeps&keepRestart == 0 && !(r.verb == "REST" && code == 350) {
		s.restart = 0
	}
	if r.keeps&keepSize == 0 && !(r.verb == "ALLO" && code == 202) {
		s.announced = 0
	}
	if r.keeps&keepUser == 0 && !(r.verb == "USER" && code == 331) {
		s.user = ""
	}
}

// run gates the command and calls its handler. A panic is answered with 451 and
// publishes nothing: transfers discard what they hold while it passes through.
func (s *session) run(c *command) (reply ftp.Reply, err error) {
	if err := s.gate(c); err != nil {
		return reply, err
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	s.begun(c.row, cancel)
	defer func() {
		if v := recover(); v != nil {
			s.panicked(c, v)
			reply, err = ftp.Reply{}, ftp.Errorf(451, "Requested action aborted: internal error.")
		}
		s.begun(nil, nil)
		cancel(nil)
		if c.row.transfer && s.data != nil {
			s.data.Reset() // of a transfer that was refused, too
		}
	}()
	if c.row.transfer && !s.private && s.protection() >= ProtectData {
		return reply, errNeedProt // RFC 4217 §10.2: on the transfer, not on PASV; and before it touches anything
	}
	r := request{Command: c.Command, row: c.row, hit: c.hit}
	if r.path, err = s.resolve(ctx, c); err != nil {
		return reply, because(ctx, err)
	}
	reply, err = c.row.handle(s, ctx, r)
	return reply, because(ctx, err)
}

// because names the reason why ctx ended to an error that tells only that it did.
func because(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// begun notes the command that runs and how to cancel it; a nil row that none does.
// What has been asked of it before it began is done now.
func (s *session) begun(r *row, cancel context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	aborted := s.running.aborted
	s.running = run{row: r, cancel: cancel}
	switch {
	case cancel == nil:
	case s.lost:
		cancel(errControlLost)
	case aborted:
		cancel(errAborted)
	}
}

// panicked reports a panic, with the stack it came from.
func (s *session) panicked(c *command, v any) {
	if t := s.server.Trace; t != nil && t.Panic != nil {
		t.Panic(s.info, c.redacted(), v, debug.Stack())
	}
}

// request is what a handler gets: the command, and its path argument resolved and checked.
type request struct {
	ftp.Command
	row  *row
	path string
	hit  bool
}

// fs is the account's filesystem for one command.
func (s *session) fs(ctx context.Context) fsys { return vfs.WithContext(ctx, s.account.FS) }
