package ftp

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftptest"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// begin opens an upload and writes to it.
func begin(t *testing.T, fsys afero.Fs, flag int, name, content string) afero.File {
	t.Helper()
	f, err := fsys.OpenFile(name, flag, vfs.NewFileMode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	return f
}

func keep(t *testing.T, f afero.File) {
	t.Helper()
	if err := f.(vfs.Keeper).Keep(); err != nil {
		t.Fatal(err)
	}
}

// TestKeepAfterCancel: the command of a cut upload has been cancelled when it is to be kept, and the server has
// all that was written nevertheless.
func TestKeepAfterCancel(t *testing.T) {
	u, _ := startOwn(t)
	fsys := u.backend(t, u.options()).Open("alice", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	part := strings.Repeat("part", 1<<16)
	f := begin(t, vfs.WithContext(ctx, fsys), vfs.ModeReplace, "/f", part)
	cancel()
	if _, err := f.Write([]byte("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("a write after the end: %v", err)
	}
	keep(t, f)
	if n, err := vfs.Held(fsys, "/f"); err != nil || n != int64(len(part)) {
		t.Errorf("%d bytes are held, %v", n, err)
	}
	if err := begin(t, fsys, vfs.ModeAppend, "/f", " and the rest").Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := afero.ReadFile(fsys, "/f"); string(got) != part+" and the rest" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// Who closes it instead publishes nothing.
	ctx, cancel = context.WithCancel(t.Context())
	f = begin(t, vfs.WithContext(ctx, fsys), vfs.ModeReplace, "/g", part)
	cancel()
	if err := f.Close(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := fsys.Stat("/g"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// deaf is a dialer whose data connections take nothing any more.
type deaf struct {
	control string
	writing chan struct{} // closed when something waits to be taken
}

func (d deaf) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil || address == d.control {
		return conn, err
	}
	ours, _ := net.Pipe() // which nobody reads
	return &deafConn{ours, conn, d.writing}, nil
}

type deafConn struct {
	net.Conn
	real    net.Conn
	writing chan struct{}
}

func (c *deafConn) Write(p []byte) (int, error) {
	close(c.writing)
	return c.Conn.Write(p)
}

func (c *deafConn) Close() error { return errors.Join(c.Conn.Close(), c.real.Close()) }

// TestKeepIsPatient: what is being sent may go on for a moment when the command has been cancelled, and no longer.
func TestKeepIsPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		u := &upload{f: filesystem{bound: ctx}, cut: sync.OnceFunc(func() { close(over) })}
		time.AfterFunc(time.Hour, cancel)
		begun := time.Now()
		u.patient(func() { <-over })
		if took := time.Since(begun); took != time.Hour+keepGrace || keepGrace >= time.Second {
			t.Errorf("it took %v", took)
		}
		u.cut = func() { t.Error("what was over was cut") }
		u.patient(func() {})
		synctest.Wait()
	})
}

// TestKeepDoesNotWaitForServer: patience for what may be held ends before the limits of the connection, which are hours away.
func TestKeepDoesNotWaitForServer(t *testing.T) {
	u, _ := startOwn(t)
	o := u.options()
	writing := make(chan struct{})
	o.Client.Dialer = deaf{u.address, writing}
	o.Client.ReplyTimeout, o.Client.StallTimeout = time.Hour, time.Hour
	fsys := u.backend(t, o).Open("alice", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f, err := vfs.WithContext(ctx, fsys).OpenFile("/f", vfs.ModeReplace, vfs.NewFileMode)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		_, err := f.Write(make([]byte, 1<<20))
		over <- err
	}()
	<-writing
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := f.(vfs.Keeper).Keep(); err == nil {
		t.Error("nobody knows how much there is, and it is held")
	}
}

// TestHeldIsNotLeftOver: what is held stays, however long ago the upload began, until nobody can go on with it.
func TestHeldIsNotLeftOver(t *testing.T) {
	u, below := startOwn(t)
	o := u.options()
	o.Servers = &Servers{}
	b, other := u.backend(t, o), u.backend(t, o)
	fsys := b.Open("alice", time.Hour)
	keep(t, begin(t, fsys, vfs.ModeReplace, "/f", "part"))
	temp := list(t, below, "/")
	if len(temp) != 1 {
		t.Fatalf("there are %q", temp)
	}
	for _, b := range []*Backend{b, other} {
		if b.isLeftover("/", temp[0], time.Now().Add(2*leftoverAge)) {
			t.Error("what is held was taken for left over")
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := list(t, below, "/"); len(got) > 0 {
		t.Errorf("nobody knows of %q any more", got)
	}
}

// TestWhatCouldNotBeDeleted is deleted later: a server that is gone for a while leaves nothing behind.
func TestWhatCouldNotBeDeleted(t *testing.T) {
	u, below := startOwn(t)
	if err := below.Mkdir("/d", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	m, o := u.between(t)
	b := u.backend(t, o)
	fsys := b.Open("", 0)
	abandon := func() {
		t.Helper()
		f := begin(t, fsys, vfs.ModeReplace, "/d/f", "x")
		m.set(func(line string) (string, bool, bool) { // complete, but not to be renamed; and then nobody answers
			return "", true, !strings.HasPrefix(line, "ABOR")
		})
		// The server has the whole of it before its client is gone.
		if err := f.(*upload).u.Close(); err == nil {
			t.Log("the reply came through")
		}
		ctx, cancel := context.WithCancel(t.Context())
		f.(*upload).f.bound = ctx
		cancel()
		if err := f.Close(); err == nil {
			t.Fatal("published")
		}
		m.set(nil)
	}
	abandon()
	ftptest.Eventually(t, "the server to have it", func() bool { return len(list(t, below, "/d")) == 1 })
	b.Sweep(time.Now())
	if got := list(t, below, "/d"); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	abandon()
	if err := fsys.Remove("/d"); err != nil {
		t.Errorf("a directory with nothing but what nobody needs: %v", err)
	}
}

// TestHiddenLeftoversAreExplained: a directory that looks empty cannot be removed, and the user is told why.
func TestHiddenLeftoversAreExplained(t *testing.T) {
	u, below := startOwn(t)
	b := u.backend(t, u.options())
	fsys := b.Open("", 0)
	if err := below.Mkdir("/d", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	if err := put(below, b.temporaryName("/d/f", time.Now()), "of a gateway that was killed"); err != nil {
		t.Fatal(err)
	}
	err := fsys.Remove("/d")
	var reply *ftp.Error
	if !errors.Is(err, vfs.ErrNotEmpty) || !errors.As(err, &reply) || !strings.Contains(reply.Reply.Lines[0], "have not ended") {
		t.Errorf("the user is told %v", err)
	}
	if err := put(fsys, "/d/seen", ""); err != nil {
		t.Fatal(err)
	}
	if err := fsys.Remove("/d"); !errors.Is(err, vfs.ErrNotEmpty) || errors.As(err, &reply) && reply == errLeftovers {
		t.Errorf("with a file that can be seen: %v", err)
	}
}

// TestHeldInMovedDirectory: what is held is of a name that is gone, and must not stay in the directory unseen.
func TestHeldInMovedDirectory(t *testing.T) {
	u, below := startOwn(t)
	fsys := u.backend(t, u.options()).Open("alice", time.Hour)
	if err := below.Mkdir("/d", vfs.NewDirMode); err != nil {
		t.Fatal(err)
	}
	keep(t, begin(t, fsys, vfs.ModeReplace, "/d/f", "part"))
	if err := fsys.Rename("/d", "/e"); err != nil {
		t.Fatal(err)
	}
	if n, err := vfs.Held(fsys, "/d/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%d bytes are held of what is gone, %v", n, err)
	}
	if got := list(t, below, "/e"); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	if err := fsys.Remove("/e"); err != nil {
		t.Error(err)
	}
}

// TestHeldIsGone: somebody on the server has deleted what is held. Its owner is not told for ever that it is there.
func TestHeldIsGone(t *testing.T) {
	u, below := startOwn(t)
	b := u.backend(t, u.options())
	fsys := b.Open("alice", time.Hour)
	keep(t, begin(t, fsys, vfs.ModeReplace, "/f", "part"))
	for _, name := range list(t, below, "/") {
		if err := below.Remove("/" + name); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(fsys, vfs.ModeAppend, " and the rest"); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("going on with nothing: %v", err)
	}
	if n, err := vfs.Held(fsys, "/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%d bytes are held, %v", n, err)
	}
	if err := send(fsys, vfs.ModeAppend, "from the start"); err != nil {
		t.Error(err)
	}
	if len(b.names.held) > 0 {
		t.Errorf("%d names are noted", len(b.names.held))
	}
}
