package ftp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Options say which files of which server.
type Options struct {
	Address        string // host or host:port
	User, Password string
	Root           string // absolute; what clients see as "/". Empty is "/"
	Client         ftpclient.Options
	MaxConnections int      // at once; one is in use for each open transfer or listing. 0: no limit
	Prefix         string   // of temporary names, see CheckPrefix; empty: DefaultPrefix
	Servers        *Servers // nil: nobody else is on this server
}

// Backend is a directory of a server. All users who share it share its connections.
type Backend struct {
	o      Options
	pool   ftpclient.Pool
	names  names
	prefix string
	stager chan struct{} // who needs two connections takes them one at a time

	mu        sync.Mutex
	features  *ftpclient.Features // nil: never connected
	keeps     bool                // a leftover could not be removed, so nobody tries again
	refused   error               // of the last login that was
	refusedAt time.Time
	endings   map[byte]bool // of names, that the server keeps
	held      map[heldKey]*held
	orphans   map[string]struct{} // temporary files that nobody needs
}

// New makes no connection.
func New(o Options) (*Backend, error) {
	root := strings.TrimRight(o.Root, "/")
	switch {
	case o.Root != "" && !strings.HasPrefix(o.Root, "/"):
		return nil, fmt.Errorf("root %q is not absolute", o.Root)
	case strings.ContainsAny(o.Root, "\x00\r\n"), climbs(o.Root):
		return nil, fmt.Errorf("root %q holds a line end or \"..\"", o.Root)
	case o.MaxConnections == 1:
		return nil, errors.New("one connection is too few: continuing a file takes two")
	}
	prefix := cmp.Or(o.Prefix, DefaultPrefix)
	if err := CheckPrefix(prefix); err != nil {
		return nil, err
	}
	b := &Backend{o: o, prefix: prefix, names: names{o.Servers.at(server(o.Address, o.Client.Security)), root, o.User}, stager: make(chan struct{}, 1)}
	b.pool.Dial, b.pool.MaxOpen, b.pool.MaxIdle = b.dial, o.MaxConnections, idleConnections
	return b, nil
}

// server is an address with its port.
func server(address string, security ftpclient.Security) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return strings.ToLower(address)
	}
	port := "21"
	if security == ftpclient.Implicit {
		port = "990"
	}
	return net.JoinHostPort(strings.ToLower(strings.Trim(address, "[]")), port)
}

// idleConnections are kept between operations, for a minute.
const idleConnections = 4

// waitForConnection is how long an operation waits for one of MaxConnections.
const waitForConnection = 30 * time.Second

// loginPause is how long no login is tried after one that was refused: a server that bans who tries a wrong
// password again and again would ban the gateway, and with it all of its users.
const loginPause = 5 * time.Second

var errAllInUse = errors.New("no connection to the server was free, or made, in time")

func (b *Backend) dial(ctx context.Context) (*ftpclient.Conn, error) {
	b.mu.Lock()
	refused, since := b.refused, time.Since(b.refusedAt)
	b.mu.Unlock()
	if refused != nil && since < loginPause {
		return nil, refused
	}
	c, err := ftpclient.Dial(ctx, b.o.Address, b.o.Client)
	if err != nil {
		return nil, b.unreachable(ctx, err)
	}
	if err := c.Login(ctx, b.o.User, b.o.Password, ""); err != nil {
		c.Close()
		if errors.Is(err, ftpclient.ErrLogin) {
			b.mu.Lock()
			b.refused, b.refusedAt = err, time.Now()
			b.mu.Unlock()
		}
		return nil, err
	}
	features, err := c.Features(ctx)
	if err != nil {
		c.Close()
		return nil, err
	}
	b.mu.Lock()
	b.features = &features
	b.mu.Unlock()
	return c, nil
}

// unreachable is for who uses the gateway a trouble that passes, whatever the server says: it is not about what
// was asked for. What to do about it is for the log.
func (b *Backend) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return because(vfs.ErrTransient, fmt.Errorf("connecting to %s: %w; %s", b.o.Address, err, mendConnection(err)))
}

// get takes a connection, which goes back with b.pool.Put.
func (b *Backend) get(ctx context.Context) (*ftpclient.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, waitForConnection, errAllInUse)
	defer cancel()
	return b.pool.Get(ctx)
}

// with runs do on a connection. If the connection turns out to be lost and do may be
// repeated, it is, on another one: servers close connections that are idle, all of them when they restart.
func (b *Backend) with(ctx context.Context, again bool, do func(*ftpclient.Conn) error) error {
	for tries := 0; ; tries++ {
		c, err := b.get(ctx)
		if err != nil {
			return err
		}
		err = do(c)
		lost := isLost(ctx, c, err)
		b.pool.Put(c)
		if !lost || tries == idleConnections || !again && !isUntouched(err) {
			return err
		}
	}
}

// isLost reports whether err is that c is no longer there. A server that is there and does not answer is not
// asked again: who waits for it has waited long enough.
func isLost(ctx context.Context, c *ftpclient.Conn, err error) bool {
	return err != nil && !c.Usable() && ctx.Err() == nil && !errors.Is(err, ftpclient.ErrTimeout)
}

// untouched is an error of an operation that has changed nothing yet.
type untouched struct{ error }

func (e untouched) Unwrap() error { return e.error }

// isUntouched reports whether nothing was changed. 421 is instead of doing what was asked for.
func isUntouched(err error) bool {
	var u untouched
	var reply *ftp.Error
	return errors.As(err, &u) || errors.As(err, &reply) && reply.Reply.Code == 421
}

// Connect makes a connection, so that a wrong password shows now.
func (b *Backend) Connect(ctx context.Context) error {
	return translate(ctx, b.with(ctx, false, func(*ftpclient.Conn) error { return nil }))
}

// Open returns the tree as owner sees it, who may go on with cut uploads for a time.
func (b *Backend) Open(owner string, resumeWindow time.Duration) afero.Fs {
	return filesystem{b: b, owner: owner, window: resumeWindow}
}

// Close ends the connections that are idle; those in use end with what uses them. What is held
// is deleted, as nobody knows of it any more.
func (b *Backend) Close() error {
	b.dropWhere(func(heldKey, *held) bool { return true })
	b.Sweep(time.Now())
	return b.pool.Close()
}

// can returns the server's features, which it asks for if need be.
func (b *Backend) can(ctx context.Context) ftpclient.Features {
	for tried := false; ; tried = true {
		b.mu.Lock()
		f := b.features
		b.mu.Unlock()
		if f != nil {
			return *f
		}
		if tried || b.with(ctx, false, func(*ftpclient.Conn) error { return nil }) != nil {
			return ftpclient.Features{} // the next operation tells why
		}
	}
}

// properties: modes cannot be kept when a file is replaced, and names
// are text, since servers and listings differ in what they make of other bytes.
func (b *Backend) properties(ctx context.Context) vfs.Properties {
	return vfs.Properties{
		Append: true, Restart: true, AtomicRename: true, ExactErrors: true,
		SetTimes: b.can(ctx).Has("MFMT"), TimePrecision: time.Second,
	}
}
