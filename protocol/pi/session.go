package pi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Why a command's context ends before the command does.
var (
	errAborted     = errors.New("aborted by the client (ABOR)")
	errControlLost = errors.New("control connection lost")
	errShutdown    = errors.New("server is shutting down")
)

// session is one control connection. The fields of the first block never change;
// those of the second belong to whoever holds the floor (see the package doc);
// those of the third are under mu.
type session struct {
	server   *Server
	endpoint *Endpoint
	limits   Limits
	conn     net.Conn     // for deadlines; bytes go through stream and lines
	tcp      *net.TCPConn // conn, if it is one
	ctx      context.Context
	cancel   context.CancelCauseFunc
	start    time.Time

	info         SessionInfo
	lines        *ftp.LineReader
	telnet       int           // options refused; the reader's own
	spoke        bool          // the client has sent a line; the reader's own
	commands     *rate.Limiter // of limits.CommandRate, once one has come; the reader's own
	account      *Account      // nil: not logged in
	nobody       time.Time     // ... since then
	user         string        // named by USER, until PASS
	wd           string
	typ          dataType
	typeSet      bool // the client has sent TYPE
	renameFrom   string
	restart      int64
	announced    int64 // bytes, by ALLO; 0: none
	facts        ftp.Facts
	hashed       vfs.Hashes // selected by OPTS HASH; 0: none has been
	data         *dtp.Channel
	epsvAll      bool
	failedLogins int
	told         bool // the failure of the running command has been reported with its transfer
	strangers    int  // unknown verbs before login

	upgrade    bool        // AUTH has been answered: the handshake comes next
	secrets    *tls.Config // of this session's TLS; nil: the control connection is clear
	certified  []string    // names in the client's certificate
	noPassword bool        // it was enough for the login
	pbszSeen   bool
	private    bool // PROT P
	notResumed bool // some data connection had a TLS session of its own

	mu      sync.Mutex
	work    sync.Cond // the queue has room, the worker has gone, or quit or lost is set
	queue   []command
	queued  int // bytes in queue
	busy    bool
	running run
	quit    bool // QUIT has been received
	lost    bool // the control connection has failed or ended
	left    bool // ... before anybody here ended it
	ended   bool // the last reply has been written
	freed   bool // the slot has been given back
	drained bool // end after the running command
	reason  string
	active  time.Time // when the last command ended

	writeBy time.Time // the deadline of writes

	stream  net.Conn // conn or the TLS over it; under replies
	replies struct {
		sync.Mutex
		buf []byte
	}
}

// run is the command that a worker is running.
type run struct {
	row        *row
	cancel     context.CancelCauseFunc // nil: it has not begun
	aborted    bool                    // ABOR came before it began
	transfer   *dtp.Transfer           // once 150 is out
	path       string
	publishing bool // too late to abort
	outlives   bool // an upload that goes on without its control connection (CommitLenient)
}

// serve is the reader: it runs the session from greeting to goodbye.
func (s *session) serve() {
	defer s.rescue() // close may panic as well: accounts and reports are not ours
	defer s.close()
	defer s.rescue()
	if s.open() {
		s.read()
	}
}

// rescue ends a session that panics outside of a handler, and only that session.
func (s *session) rescue() {
	if v := recover(); v != nil {
		s.panicked(&command{}, v)
		s.cut(errPanic)
	}
}

var errPanic = errors.New("internal error")

// open gets as far as the greeting, or reports that there is nobody to greet.
func (s *session) open() bool {
	s.reset()
	s.lines = ftp.NewLineReader(s.conn, s.limits.CommandLine)
	s.lines.Refuse = s.refuseTelnet
	s.active, s.nobody = s.start, s.start
	if t := s.endpoint.TLS; t != nil && t.Implicit && !s.secure() {
		return false
	}
	s.send(s.greeting())
	return s.waitUntil(s.start.Add(min(s.limits.LoginTimeout, s.limits.IdleTimeout)))
}

func (s *session) close() {
	s.wait()
	s.release()
	defer s.reportEnd(s.info)
	defer s.hangUp()
	s.logout()
	s.cancel(nil)
}

func (s *session) hangUp() {
	if t, ok := s.stream.(*tls.Conn); ok {
		s.conn.SetWriteDeadline(time.Now().Add(goodbyeTimeout))
		_ = t.CloseWrite() // close_notify, for whoever is still there
	}
	s.conn.Close()
	s.server.forget(s)
}

func (s *session) reportEnd(info SessionInfo) {
	t := s.server.Trace
	if t == nil {
		return
	}
	if !s.spoke {
		if s.left {
			if t.Probe != nil {
				t.Probe(info, time.Since(s.start))
			}
			return
		}
		s.speak()
	}
	if t.SessionEnd != nil {
		t.SessionEnd(info, time.Since(s.start), s.reason)
	}
}

// speak reports the session when the first line has come from the client, or when
// it has to be told how it ended. Health probes and load balancers say nothing
// and hang up: they are not worth two lines of a log every few seconds.
func (s *session) speak() {
	s.spoke = true
	if t := s.server.Trace; t != nil && t.SessionStart != nil {
		t.SessionStart(s.info)
	}
}

// reset puts everything a login can change back to its start (connect, REIN, USER). PROT is
// not among it (RFC 4217 §9): many clients send it before USER.
func (s *session) reset() {
	s.user, s.wd, s.renameFrom = "", "/", ""
	s.restart, s.announced = 0, 0
	s.noPassword = false
	s.typ, s.typeSet = typeASCII, s.endpoint.ASCII
	s.facts, s.hashed = ftp.AllFacts, 0
	s.epsvAll = false
	if s.data != nil {
		s.data.Reset()
	}
}

func (s *session) logout() {
	if s.data != nil {
		s.data.Reset()
	}
	if a := s.account; a != nil {
		s.account, s.nobody = nil, time.Now()
		s.info.User = ""
		if a.Close != nil {
			a.Close()
		}
	}
}

// wait returns when no worker runs.
func (s *session) wait() {
	s.mu.Lock()
	for s.busy {
		s.work.Wait()
	}
	s.mu.Unlock()
}

// release gives the session's slot back; later calls do nothing. It comes before
// the goodbye is written, so that a client that reconnects at once finds room.
func (s *session) release() {
	s.mu.Lock()
	freed := s.freed
	s.freed = true
	s.mu.Unlock()
	if !freed {
		s.server.slots.leave(s.info.Remote.Addr())
	}
}

// present reports whether the client still stands behind its upload (strict commit).
// Where the connection has been closed, the reader is about to find its end, or a
// QUIT in front of it, which counts.
func (s *session) present() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost || s.quit || s.tcp == nil || dtp.Established(s.tcp) {
		return !s.lost
	}
	late := false // the reader waits for room in the queue
	defer time.AfterFunc(quitPatience, func() {
		s.mu.Lock()
		late = true
		s.work.Broadcast()
		s.mu.Unlock()
	}).Stop()
	for !s.lost && !s.quit && !late {
		s.work.Wait()
	}
	return s.quit && !s.lost
}

// drain ends the session as soon as nothing runs.
func (s *session) drain() {
	s.mu.Lock()
	s.drained = true
	s.mu.Unlock()
	s.conn.SetReadDeadline(past)
}

// interrupt ends what runs, whose reply and goodbye are still written.
func (s *session) interrupt(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running.cancel != nil {
		s.running.cancel(cause)
	}
}

// cut ends the session now.
func (s *session) cut(cause error) {
	s.mu.Lock()
	if s.reason == "" {
		s.reason = cause.Error()
	}
	s.lost = true
	s.queue, s.queued = nil, 0
	s.work.Broadcast()
	if s.running.cancel != nil {
		s.running.cancel(cause)
	}
	s.conn.SetDeadline(past) // also of a write to a client that does not read
	s.mu.Unlock()
	s.cancel(cause)
}

// past is a deadline that wakes whoever waits.
var past = time.Unix(1, 0)

// renewWrite gives a write its time, unless nothing may be written any more. The
// deadline is renewed only when half of it has gone by.
func (s *session) renewWrite() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.lost {
		return false
	}
	if now := time.Now(); now.After(s.writeBy.Add(-replyTimeout / 2)) {
		s.writeBy = now.Add(replyTimeout)
		s.conn.SetWriteDeadline(s.writeBy)
	}
	return true
}
