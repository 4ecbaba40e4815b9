package pi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/dtp"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

type fsys = afero.Fs

// errNoData: nobody came to the data connection in time, or nobody answered there.
var errNoData = errors.New("no data connection")

// ready refuses a transfer before it touches storage if nothing was set up for it.
func (s *session) ready() error {
	if s.data == nil || !s.data.Pending() {
		return dtp.ErrNotReady
	}
	return nil
}

// connect waits for the data connection, within the data timeout.
func (s *session) connect(ctx context.Context) (*dtp.Transfer, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, s.limits.DataTimeout, errNoData)
	defer cancel()
	conn, err := s.data.Open(bounded)
	switch {
	case err == nil:
		return &dtp.Transfer{Conn: conn, Stall: s.limits.StallTimeout, ASCII: s.ascii()}, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, dtp.ErrNotReady), errors.Is(err, dtp.ErrPeerGone):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", errNoData, err)
}

// begin writes the 150 and lets NOOP and STAT see the transfer. A reply to one of
// them can neither come before the 150 nor miss the transfer after it.
// Then comes the handshake of a protected data connection: real clients wait for the
// 150 before they begin it, and it is due for empty files as well.
func (s *session) begin(ctx context.Context, t *dtp.Transfer, r *row, path, text string) error {
	s.replies.Lock()
	s.mu.Lock()
	s.running.transfer, s.running.path = t, path
	s.mu.Unlock()
	s.sendLocked(ftp.Reply{Code: 150, Lines: []string{text}})
	s.replies.Unlock()
	if s.private {
		return s.protect(ctx, t, r.upload)
	}
	return nil
}

// download sends src, which has been opened, to the client; raw is the operating
// system's file below src, if there is one and its bytes go out as they are.
func (s *session) download(ctx context.Context, r request, src io.Reader, raw *os.File, info TransferInfo, text string) (reply ftp.Reply, err error) {
	info.Verb = r.row.verb
	start := time.Now()
	defer func() { s.report(r, info, start, reply, because(ctx, err)) }()
	t, err := s.connect(ctx)
	if err != nil {
		return reply, err
	}
	defer t.Close() // also when src panics
	if info.Verb != "RETR" {
		t.ASCII = false // listings are made of CRLF lines
	}
	if l := s.account.Download; len(l) > 0 {
		src, raw = pacedReader{pace{ctx, l}, src}, nil
	}
	if err = s.begin(ctx, t, r.row, info.Path, text); err == nil {
		err = t.Send(ctx, src, raw)
	}
	if closeErr := t.Close(); err == nil {
		err = closeErr
	}
	info.Bytes = t.Bytes()
	if err != nil {
		return reply, err
	}
	info.Outcome = Complete
	return ftp.Replyf(226, "Transfer complete."), nil
}

// upload is what STOR, APPE and STOU have in common.
type upload struct {
	path   string
	flag   int       // how to open it, see vfs.ModeReplace and the others
	offset int64     // of ModeRestart
	names  *freeName // of an upload that may take another name; it has chosen path
	own    bool      // only one's own held partial may be continued
	begin  string
	end    string
}

// receive runs an upload from open to 226. Whatever happens, exactly one
// of Close, Abort and Keep is called on the file.
func (s *session) receive(ctx context.Context, r request, u upload) (reply ftp.Reply, err error) {
	info := TransferInfo{Verb: r.row.verb, Path: u.path, Offset: u.offset, Outcome: Discarded}
	start := time.Now()
	defer func() { s.report(r, info, start, reply, because(ctx, err)) }()
	if u.names == nil {
		if !s.account.Names.join(u.path) {
			return reply, fs.ErrExist
		}
		defer s.account.Names.release(u.path)
	}
	s.mu.Lock()
	s.running.outlives = s.account.Commit == CommitLenient
	s.mu.Unlock()
	if err = s.mayMake(u.path); err != nil { // it need not be the one that was asked for
		return reply, err
	}
	f, err := s.fs(ctx).OpenFile(u.path, u.flag, vfs.NewFileMode)
	if err != nil {
		return reply, err
	}
	settled := false
	defer func() {
		if !settled { // an error, or a panic on its way to run
			if s.hold(f, err, info.Bytes) {
				info.Outcome = Held
			}
		}
	}()
	if u.own && s.held(ctx, u.path) < 0 {
		// Another session completed it between the look and the opening:
		// what is open now is the finished file.
		err = errDenied
		return reply, err
	}
	vfs.HintSize(f, s.announced)
	dst, err := s.bounded(ctx, u, f)
	if err != nil {
		return reply, err
	}
	t, err := s.connect(ctx)
	if err != nil {
		return reply, err
	}
	defer t.Close()
	if u.flag == vfs.ModeRestart {
		if _, err = f.Seek(u.offset, io.SeekStart); err != nil {
			if errors.Is(err, fs.ErrInvalid) {
				err = ftp.Errorf(554, "REST offset %d is beyond the end of the file.", u.offset)
			}
			return reply, err
		}
	}
	if err = s.begin(ctx, t, r.row, u.path, u.begin); err != nil {
		return reply, err
	}
	if l := s.account.Upload; len(l) > 0 {
		dst = pacedWriter{pace{ctx, l}, dst, f}
	}
	var raw *os.File
	if !t.ASCII && dst == io.Writer(f) { // nobody has to see the bytes
		raw = vfs.OSFile(f)
	}
	err = t.Receive(ctx, dst, raw)
	info.Bytes = t.Bytes()
	if err == nil {
		err = s.commit(ctx, info.Bytes, time.Since(start))
	}
	if err != nil {
		return reply, err
	}
	settled = true
	t.Close()
	if err = s.publish(f, &u); err != nil {
		return reply, err
	}
	info.Path, info.Outcome = u.path, Complete
	s.remember(ctx, u.path, false)
	return ftp.Reply{Code: 226, Lines: []string{u.end}}, nil
}

// remember notes a file as one that this session has completed, where that gives rights.
func (s *session) remember(ctx context.Context, path string, renamed bool) {
	if s.account.Access.Own == 0 {
		return
	}
	if fi, err := s.fs(ctx).Stat(path); err == nil { // else somebody has taken it already
		s.account.own.add(path, fi, renamed)
	}
}

// commit decides whether an upload whose data has ended may be published. From
// here on ABOR comes too late.
func (s *session) commit(ctx context.Context, bytes int64, took time.Duration) error {
	if s.account.Commit == CommitStrict {
		linger(ctx, bytes, took)
		if !s.present() {
			return errNoClient
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.running.publishing = true
	return nil
}

// linger waits for the FIN of a killed client's control connection, which may still be on
// its way: both connections of a dying process end one after the other, with other
// processes in between if the machine is busy. If it is, the wait itself comes back late,
// and another one follows.
//
// Small uploads that took no time are not kept waiting: they come by the thousand, and
// even 300 microseconds doubled what each costs the server (docs/behaviour.md says
// what that means). Empty ones are: they are rare, and what a client leaves that is
// killed at the start.
func linger(ctx context.Context, bytes int64, took time.Duration) {
	if bytes > 0 && bytes <= commitSmall && took <= commitPatience {
		return
	}
	patience := min(max(took/20, commitPatience), commitLonger)
	for round := 0; round < 2 && ctx.Err() == nil; round++ {
		start := time.Now()
		select {
		case <-time.After(patience):
		case <-ctx.Done():
		}
		late := time.Since(start) - patience
		if late < commitPatience {
			return
		}
		patience = min(4*late, commitLonger)
	}
}

// hold keeps the partial upload f for its owner if it was cut (not if it failed)
// and the account has a window to resume it; else it discards it. An upload that
// received nothing must not replace what an earlier one left.
func (s *session) hold(f afero.File, cause error, received int64) bool {
	if s.account.ResumeWindow > 0 && received > 0 && !s.ascii() && wasCut(cause) {
		if k, ok := f.(vfs.Keeper); ok {
			err := k.Keep()
			if err != nil {
				s.fail(request{}, err)
			}
			return err == nil
		}
	}
	if err := vfs.Abort(f); err != nil {
		s.fail(request{}, err)
	}
	return false
}

// wasCut reports whether an upload ended for a reason that has nothing to do with
// its bytes, so that those received are worth keeping.
func wasCut(err error) bool {
	var peer *dtp.PeerError
	for _, cut := range []error{errAborted, errControlLost, errNoClient, errShutdown, dtp.ErrStalled} {
		if errors.Is(err, cut) {
			return true
		}
	}
	return errors.As(err, &peer)
}

// fail reports a failure that no reply tells of.
func (s *session) fail(r request, err error) {
	if t := s.server.Trace; t != nil && t.Failure != nil {
		t.Failure(s.info, r.Command, 0, err)
	}
}

// report traces the end of a transfer.
func (s *session) report(r request, info TransferInfo, start time.Time, reply ftp.Reply, err error) {
	t := s.server.Trace
	if t == nil || t.Transfer == nil {
		return
	}
	info.Duration, info.Reply, info.Err = time.Since(start), reply.Code, err
	if err != nil {
		info.Reply = replyTo(err, &command{Command: r.Command, row: r.row}).Code
	}
	if info.Outcome == "" {
		info.Outcome = Failed
	}
	t.Transfer(s.info, info)
	s.told = err != nil
}
