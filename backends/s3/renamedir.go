package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A directory is renamed in three steps: its objects are listed, all are copied, and
// only then the old ones are deleted. Until the end the marker of the new name says
// in its metadata where it comes from, so that the same command, given
// again after a failure or a crash, goes on instead of finding its target taken.

// renamedFrom is the metadata key of the old name, escaped as in a URL.
const renamedFrom = "ftpgate-renamed-from"

// copies is how many objects of a directory are copied at once.
const copies = 16

var (
	errTooMany = fmt.Errorf("%w: the directory holds more objects than rename_limit", vfs.ErrUnsupported)
	errLeft    = fmt.Errorf("%w: objects changed while their directory was renamed, and are under both names", vfs.ErrTransient)
)

// renaming is a directory on its way from one prefix to another.
type renaming struct {
	f        *fsys
	from, to string // dirKeys

	objects []object          // without the marker
	there   map[string]object // what an earlier attempt has copied already
}

func (f *fsys) renameDirectory(oldname, newname string) error {
	from, err := f.dirKey(oldname)
	if err != nil {
		return err
	}
	if err := f.findDir(f.ctx, from); err != nil {
		return err
	}
	if vfs.Within(oldname, newname) {
		return fs.ErrInvalid
	}
	to, err := f.dirKey(newname)
	if err != nil {
		return err
	}
	key, _ := f.key(newname) // as good as dirKey
	if err := f.mustBeFree(key); err != nil {
		return err
	}
	r := &renaming{f: f, from: from, to: to}
	if err := r.begin(); err != nil {
		return err
	}
	if err := r.copyAll(); err != nil {
		return err
	}
	if err := r.deleteAll(); err != nil {
		return err
	}
	// What is left are the markers.
	ctx, cancel := f.detached()
	defer cancel()
	if err := f.delete(ctx, from, ""); err != nil {
		return err
	}
	f.keepParent(oldname)
	return r.end(ctx)
}

// begin lists what there is to copy and marks the target.
func (r *renaming) begin() error {
	f := r.f
	resumed, err := r.resumed()
	if err != nil {
		return err
	}
	err = f.walk(f.ctx, r.from, func(o *object) error {
		switch {
		case o.key == r.from:
			return nil
		case len(r.objects) >= f.o.RenameLimit:
			return errTooMany
		case len(r.target(o.key)) > maxKey:
			return vfs.ErrBadName
		}
		r.objects = append(r.objects, *o)
		return nil
	})
	if err != nil {
		return err
	}
	if resumed {
		r.there = make(map[string]object)
		return f.walk(f.ctx, r.to, func(o *object) error { r.there[o.key] = *o; return nil })
	}
	attempts := 0
	err = conditionally("*", func(condition *string) error {
		return f.putMarker(f.ctx, r.to, map[string]string{renamedFrom: url.QueryEscape(r.from)}, condition, counting(&attempts))
	})
	if !preconditionFailed(err) {
		return err
	}
	if attempts > 1 { // the first attempt may have made it, and its answer was lost
		if ours, err := r.resumed(); ours || err != nil {
			return err
		}
	}
	return fs.ErrExist
}

// end makes the marker of the target an ordinary one. Some stores keep the metadata of
// a marker that is written again.
func (r *renaming) end(ctx context.Context) error {
	defer r.f.changed(r.to)
	if err := r.f.putMarker(ctx, r.to, nil, nil); err != nil {
		return err
	}
	marker, err := r.f.head(ctx, r.to)
	if err != nil || marker.metadata[renamedFrom] == "" {
		return err
	}
	return r.f.putMarker(ctx, r.to, map[string]string{renamedFrom: "nowhere"}, nil)
}

func (r *renaming) target(key string) string { return r.to + key[len(r.from):] }

// resumed reports whether the target is what an earlier attempt has left. Any other
// directory of that name is fs.ErrExist.
func (r *renaming) resumed() (bool, error) {
	err := r.f.findDir(r.f.ctx, r.to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	r.f.changed(r.to)
	marker, err := r.f.head(r.f.ctx, r.to)
	switch {
	case err == nil && marker.metadata[renamedFrom] == url.QueryEscape(r.from):
		return true, nil
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return false, fs.ErrExist
	}
	return false, err
}

func (r *renaming) copyAll() error {
	group, ctx := errgroup.WithContext(r.f.ctx)
	group.SetLimit(copies)
	for i := range r.objects {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return r.copyOne(ctx, &r.objects[i]) })
	}
	return group.Wait()
}

// copyOne copies an object, in the version that is there now, unless an earlier
// attempt has: what is newer than its source stays as it is.
func (r *renaming) copyOne(ctx context.Context, o *object) error {
	to := r.target(o.key)
	for attempt := 0; ; attempt++ {
		if done, ok := r.there[to]; ok && done.size == o.size && !done.modified.Before(o.modified) {
			return nil
		}
		err := r.copy(ctx, *o, to)
		switch {
		case errors.Is(err, fs.ErrNotExist): // somebody has deleted it
			o.key = ""
			return nil
		case !preconditionFailed(err) || attempt > 0:
			return err
		}
		now, err := r.f.head(ctx, o.key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			o.key = ""
			return nil
		case err != nil:
			return err
		}
		*o = now
	}
}

// copy copies an object. Not every store copies markers; another one is as good.
func (r *renaming) copy(ctx context.Context, o object, to string) error {
	if o.size == 0 && strings.HasSuffix(to, "/") {
		return r.f.putMarker(ctx, to, nil, nil)
	}
	return copying{from: o, to: to}.run(ctx, r.f.Backend)
}

// deleteAll deletes what has been copied, in the version that has been copied.
func (r *renaming) deleteAll() error {
	var left sync.Once
	var changed error
	group, ctx := errgroup.WithContext(r.f.ctx)
	group.SetLimit(deletions)
	for i := range r.objects {
		o := &r.objects[i]
		if o.key == "" {
			continue
		}
		group.Go(func() error {
			err := r.f.delete(ctx, o.key, o.etag)
			if preconditionFailed(err) {
				left.Do(func() { changed = errLeft })
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return changed
}
