package s3

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"unicode/utf8"

	"github.com/spf13/afero"
	"golang.org/x/sync/errgroup"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// listing is a directory opened for reading. It holds one page and, while that one is
// consumed, asks for those that follow: three pages in all, however large the directory is.
// It serves one goroutine at a time.
type listing struct {
	vfs.Refused
	fs       *fsys
	name     string
	dirKey   string
	ctx      context.Context // of the requests, until Close
	cancel   context.CancelFunc
	requests sync.WaitGroup

	page   []info  // what is left of the page
	next   *coming // the page after it; nil: there is none
	last   string  // the last prefix: some stores repeat it on the next page
	err    error   // of a request, or io.EOF; when the page is used up
	closed bool
}

// coming is a page that is asked for. A store names the token of the next page ahead of
// the keys, so a page is asked for while the one before it is parsed; but not before it is that
// one's turn to be taken: two pages are coming at most.
type coming struct {
	from   *cursor // nil: the first page
	cancel context.CancelFunc
	turn   chan struct{} // closed when this page is the next to be taken
	done   chan struct{} // closed when what follows is known

	infos       []info
	first, last string  // prefixes that show; "": none
	any         bool    // the page was not empty, though nothing of it may show
	next        *coming // nil: there is none
	err         error
}

// openDir opens a directory with its first page: one request. The root is always there.
func (f *fsys) openDir(name string) (afero.File, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	dirKey, err := f.dirKey(name)
	if err != nil {
		return nil, err
	}
	l := &listing{fs: f, name: name, dirKey: dirKey}
	l.ctx, l.cancel = context.WithCancel(f.ctx)
	l.next = l.ask(nil, nil)
	close(l.next.turn)
	found := l.take()
	for !found && l.err == nil {
		found = l.take()
	}
	end := l.err == io.EOF //nolint:errorlint // it is io.EOF itself
	switch {
	case found, end && name == "/":
		return l, nil
	case end:
		err = fs.ErrNotExist
	default:
		err = l.err
	}
	_ = l.Close()
	return nil, err
}

// ask asks for a page, in a goroutine that Close waits for, when it is the turn of the page before it. A
// store that refuses the token as long as that page is under way is asked again.
func (l *listing) ask(from *cursor, before *coming) *coming {
	c := &coming{from: from, turn: make(chan struct{}), done: make(chan struct{})}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(l.ctx)
	l.requests.Go(func() {
		defer close(c.done)
		if before != nil {
			select {
			case <-before.turn:
			case <-ctx.Done():
				c.err = ctx.Err()
				return
			}
		}
		early := before != nil && !before.ended()
		c.err = guarded(func() error { return l.fetch(ctx, c) })
		if early && refused(c.err) {
			select {
			case <-before.done:
				c.err = guarded(func() error { return l.fetch(ctx, c) })
			case <-ctx.Done():
			}
		}
	})
	return c
}

// ended reports whether the page has come.
func (c *coming) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// refused reports whether the store has answered, and not for a reason that goes away by itself.
func refused(err error) bool {
	s := status(err)
	return s >= http.StatusBadRequest && s < http.StatusInternalServerError
}

// fetch makes the request for a page.
func (l *listing) fetch(ctx context.Context, c *coming) error {
	p, err := l.fs.listPage(ctx, listRequest{
		prefix: l.dirKey, delimited: true, from: c.from, max: l.fs.o.PageSize,
		early: func(token string) {
			from, err := c.from.to(&token)
			if err == nil && c.next == nil { // the first of several attempts
				c.next = l.ask(from, c)
			}
		},
	})
	if err != nil {
		return err
	}
	if c.next != nil && (p.next == nil || p.next.token != c.next.from.token) {
		c.next.cancel()
		c.next = nil
	}
	if c.next == nil && p.next != nil {
		c.next = l.ask(p.next, c)
	}
	return l.show(ctx, p, c)
}

// take makes the next page the current one. It reports whether the store had anything there.
func (l *listing) take() bool {
	c := l.next
	<-c.done
	c.cancel()
	l.page, l.next = c.infos, c.next
	switch {
	case c.err != nil:
		l.err = c.err
	case c.next == nil:
		l.err = io.EOF
	default:
		close(c.next.turn)
	}
	if c.first != "" && c.first == l.last {
		l.page = l.page[1:]
	}
	if c.last != "" {
		l.last = c.last
	}
	return c.any
}

// show turns a page into what a client sees of it.
func (l *listing) show(ctx context.Context, p page, c *coming) error {
	c.any = len(p.prefixes)+len(p.objects) > 0
	if l.fs.o.MetadataTimes {
		if err := l.fs.learnTimes(ctx, p.objects); err != nil {
			return err
		}
	}
	c.infos = make([]info, 0, len(p.prefixes)+len(p.objects))
	for _, prefix := range p.prefixes {
		if prefix == c.last || !l.shows(prefix[len(l.dirKey):len(prefix)-1]) {
			continue
		}
		c.last = prefix
		if c.first == "" {
			c.first = prefix
		}
		c.infos = append(c.infos, *l.fs.directoryInfo(prefix))
	}
	for i := range p.objects {
		o := &p.objects[i]
		if o.key != l.dirKey && l.shows(o.key[len(l.dirKey):]) {
			c.infos = append(c.infos, *l.fs.objectInfo(o))
		}
	}
	return nil
}

// shows reports whether a path could lead to the name.
func (l *listing) shows(name string) bool { return reachable(name) && utf8.ValidString(name) }

// lookups is how many HEADs a listing with MetadataTimes makes at once.
const lookups = 16

// learnTimes asks for the metadata of the objects that nothing is known of.
func (b *Backend) learnTimes(ctx context.Context, objects []object) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for i := range objects {
		o := &objects[i]
		if o.whole {
			continue
		}
		group.Go(func() error { return guarded(func() error { return b.learnTime(ctx, o) }) })
	}
	return group.Wait()
}

func (b *Backend) learnTime(ctx context.Context, o *object) error {
	h, err := b.head(ctx, o.key)
	switch {
	case err == nil:
		*o = h
	case status(err) == http.StatusNotFound: // deleted since the page was made; it is listed as it was
		err = nil
	}
	return err
}

// more makes sure that there is an entry, or returns why there is none.
func (l *listing) more() error {
	switch {
	case l.closed:
		return fs.ErrClosed
	case l.fs.ctx.Err() != nil:
		return l.fs.ctx.Err()
	}
	for len(l.page) == 0 {
		if l.err != nil {
			return l.err
		}
		l.take()
	}
	return nil
}

// Readdir returns the next n entries, or fewer, or with n <= 0 all that are left.
func (l *listing) Readdir(n int) ([]os.FileInfo, error) {
	var out []os.FileInfo
	for n <= 0 || len(out) == 0 {
		if err := l.more(); err != nil {
			if err == io.EOF && n <= 0 { //nolint:errorlint // it is io.EOF itself
				return out, nil
			}
			return out, fault("readdir", l.name, err)
		}
		take := len(l.page)
		if n > 0 {
			take = min(n, take)
		}
		for i := range take {
			out = append(out, &l.page[i])
		}
		l.page = l.page[take:]
	}
	return out, nil
}

// Readdirnames is Readdir for who wants the names only.
func (l *listing) Readdirnames(n int) ([]string, error) {
	infos, err := l.Readdir(n)
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name()
	}
	return names, err
}

// Read fails: a directory has no content.
func (l *listing) Read([]byte) (int, error) { return 0, fault("read", l.name, vfs.ErrIsDir) }

// Close ends the requests for further pages.
func (l *listing) Close() error {
	if l.closed {
		return fault("close", l.name, fs.ErrClosed)
	}
	l.closed = true
	l.cancel()
	l.requests.Wait()
	return nil
}

func (l *listing) Name() string { return l.name }

func (l *listing) Stat() (os.FileInfo, error) { return l.fs.directoryInfo(l.dirKey), nil }
