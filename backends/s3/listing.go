package s3

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"unicode/utf8"

	"github.com/spf13/afero"
	"golang.org/x/sync/errgroup"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// listing is a directory opened for reading. It holds one page and, while that one is
// consumed, asks for the next: two pages in all, however large the directory is.
// It serves one goroutine at a time.
type listing struct {
	vfs.Refused
	fs     *fsys
	name   string
	dirKey string
	ctx    context.Context // of the requests, until Close
	cancel context.CancelFunc

	page   []info // what is left of the page
	next   chan entries
	last   string // the last prefix: some stores repeat it on the next page
	err    error  // of a request, or io.EOF; when the page is used up
	closed bool
}

// entries are those of one page.
type entries struct {
	infos []info
	last  string
	next  *string
	err   error
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
	ctx, cancel := context.WithCancel(f.ctx)
	l := &listing{fs: f, name: name, dirKey: dirKey, ctx: ctx, cancel: cancel}
	p, err := f.list(ctx, l.request(nil))
	if err == nil && name != "/" && len(p.objects) == 0 && len(p.prefixes) == 0 && p.next == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		cancel()
		return nil, err
	}
	l.take(l.entries(p, ""))
	return l, nil
}

func (l *listing) request(token *string) listRequest {
	return listRequest{prefix: l.dirKey, delimited: true, token: token, max: l.fs.o.PageSize}
}

// take makes the entries of a page the current ones and asks for those that follow.
func (l *listing) take(e entries) {
	l.page, l.last, l.err, l.next = e.infos, e.last, e.err, nil
	switch {
	case e.err != nil:
	case e.next == nil:
		l.err = io.EOF
	default:
		next := make(chan entries, 1)
		go func() {
			var following entries
			err := guarded(func() error {
				p, err := l.fs.list(l.ctx, l.request(e.next))
				if err == nil {
					following = l.entries(p, e.last)
				}
				return err
			})
			if err != nil {
				following = entries{err: err}
			}
			next <- following
		}()
		l.next = next // Close waits for it
	}
}

// entries turns a page into what a client sees. last is the last prefix before it.
func (l *listing) entries(p page, last string) entries {
	e := entries{infos: make([]info, 0, len(p.prefixes)+len(p.objects)), last: last, next: p.next}
	if l.fs.o.MetadataTimes {
		if e.err = l.fs.learnTimes(l.ctx, p.objects); e.err != nil {
			return e
		}
	}
	for _, prefix := range p.prefixes {
		if prefix == e.last || !l.shows(prefix[len(l.dirKey):len(prefix)-1]) {
			continue
		}
		e.last = prefix
		e.infos = append(e.infos, *l.fs.directoryInfo(prefix))
	}
	for i := range p.objects {
		o := &p.objects[i]
		if o.key != l.dirKey && l.shows(o.key[len(l.dirKey):]) {
			e.infos = append(e.infos, *l.fs.objectInfo(o))
		}
	}
	return e
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
		l.take(<-l.next)
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

// Close ends the request for the next page, if there is one.
func (l *listing) Close() error {
	if l.closed {
		return fault("close", l.name, fs.ErrClosed)
	}
	l.closed = true
	l.cancel()
	if l.next != nil {
		<-l.next
	}
	return nil
}

func (l *listing) Name() string { return l.name }

func (l *listing) Stat() (os.FileInfo, error) { return l.fs.directoryInfo(l.dirKey), nil }
