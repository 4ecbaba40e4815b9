package pi_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/memory"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/pi"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// tree makes a filesystem in memory that holds files, by path; partials are held for an hour.
func tree(t testing.TB, files map[string]string) afero.Fs {
	t.Helper()
	fsys := memory.New(memory.Options{}).Open("rw", time.Hour)
	s := ftptest.Setup{}
	for path, text := range files {
		s.File(path, text)
	}
	if err := s.Populate(fsys); err != nil {
		t.Fatal(err)
	}
	return fsys
}

// content reads a file, or tells that there is none.
func content(fsys afero.Fs, path string) string {
	b, err := afero.ReadFile(fsys, path)
	if err != nil {
		return "no file"
	}
	return string(b)
}

func held(fsys afero.Fs, path string) int64 {
	n, err := vfs.Held(fsys, path)
	if err != nil {
		return -1
	}
	return n
}

// obstacle holds up one operation of a filesystem until it is removed.
type obstacle struct {
	op, path string
	stubborn bool // does not listen to its context either
	entered  chan struct{}
	removed  chan struct{}
	once     sync.Once
}

// obstruct wraps a filesystem so that op on path waits. The test's end removes the obstacle.
func obstruct(t testing.TB, fsys afero.Fs, op, path string, stubborn bool) (afero.Fs, *obstacle) {
	o := &obstacle{op: op, path: path, stubborn: stubborn, entered: make(chan struct{}, 1000), removed: make(chan struct{})}
	t.Cleanup(o.remove)
	return hooked(fsys, func(ctx context.Context, op, path string) error {
		if op != o.op || path != o.path {
			return nil
		}
		o.entered <- struct{}{}
		done := ctx.Done()
		if o.stubborn {
			done = nil
		}
		select {
		case <-o.removed:
			return nil
		case <-done:
			return ctx.Err()
		}
	}), o
}

func (o *obstacle) remove() { o.once.Do(func() { close(o.removed) }) }

// wait returns when the operation has been reached.
func (o *obstacle) wait(t testing.TB) {
	t.Helper()
	await(t, o.entered, o.op+" "+o.path)
}

// await receives from a channel, within Patience.
func await[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(ftptest.Patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// log is a Trace that writes down what happens, and a place to look for it.
type log struct {
	mu        sync.Mutex
	lines     []string
	transfers []pi.TransferInfo
	ended     chan string // reasons
}

func newLog() *log { return &log{ended: make(chan string, 1000)} }

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *log) trace() *pi.Trace {
	return &pi.Trace{
		SessionStart: func(pi.SessionInfo) { l.add("start") },
		SessionEnd: func(i pi.SessionInfo, _ time.Duration, reason string) {
			l.add("end %s", reason)
			l.ended <- reason
		},
		Probe: func(pi.SessionInfo, time.Duration) {
			l.add("probe")
			l.ended <- "probe"
		},
		Login: func(_ pi.SessionInfo, user string, err error) { l.add("login %s %v", user, err) },
		Command: func(i pi.SessionInfo, c ftp.Command, r ftp.Reply) {
			l.add("command %s %q %d", c.Verb, c.Arg, r.Code)
		},
		Transfer: func(_ pi.SessionInfo, i pi.TransferInfo) {
			l.add("transfer %s %s %s %d", i.Verb, i.Path, i.Outcome, i.Reply)
			l.mu.Lock()
			l.transfers = append(l.transfers, i)
			l.mu.Unlock()
		},
		NotResumed: func(pi.SessionInfo) { l.add("not resumed") },
		Failure: func(_ pi.SessionInfo, c ftp.Command, code ftp.Code, err error) {
			l.add("failure %s %d %v", c.Verb, code, err)
		},
		Panic: func(_ pi.SessionInfo, c ftp.Command, v any, stack []byte) {
			l.add("panic %s %v %t", c.Verb, v, len(stack) > 0)
		},
	}
}

// last returns the last transfer that was reported.
func (l *log) last() pi.TransferInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.transfers) == 0 {
		return pi.TransferInfo{}
	}
	return l.transfers[len(l.transfers)-1]
}

// resumable is a Change for Options: cut uploads are held.
func resumable(_ string, a *pi.Account) { a.ResumeWindow = time.Hour }
