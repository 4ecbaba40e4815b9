package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A directory is renamed in three steps: its objects are listed, all are copied, and
// only then the old ones are deleted. How far it has come is in the markers of both
// names (renamemark.go), so that the same command, given again after a failure or a
// crash, goes on instead of finding its target taken.
//
// Nothing under the new name is ever replaced. An object there stands for its source
// only if it is known to be a copy of it: by its ETag, or by that of the source in its
// metadata (copyOfKey).

// copies is how many objects of a directory are copied at once.
const copies = 16

var (
	errTooMany = fmt.Errorf("%w: the directory holds more objects than rename_limit", vfs.ErrUnsupported)
	errTaken   = fmt.Errorf("%w: it is no copy of the file of the old directory; nothing was deleted", fs.ErrExist)
	errLeft    = fmt.Errorf("%w: files of the directory have changed while it was renamed, and are under the old name, or under both", vfs.ErrTransient)
)

// renaming is a directory on its way from one prefix to another.
type renaming struct {
	f        *fsys
	from, to string // dirKeys
	id       string // of the attempt, and of those that go on with it
	deleting bool   // everything has been copied

	objects []object // without the marker
}

func (f *fsys) renameDirectory(oldname, newname string) error {
	from, err := f.dirKey(oldname)
	if err != nil {
		return err
	}
	to, err := f.dirKey(newname)
	if err != nil {
		return err
	}
	done, err := f.turns.take(f.ctx, from, to)
	if err != nil {
		return err
	}
	defer done()
	if err := f.findDir(f.ctx, from); err != nil {
		return err
	}
	if vfs.Within(oldname, newname) {
		return fs.ErrInvalid
	}
	key, _ := f.key(newname) // as good as dirKey
	if err := f.mustBeFree(key); err != nil {
		return err
	}
	r := &renaming{f: f, from: from, to: to}
	if err := r.list(); err != nil {
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	if !r.deleting {
		if err := r.copyAll(); err != nil {
			return err
		}
		if err := r.allCopied(); err != nil {
			return err
		}
	}
	left, err := r.deleteAll()
	if err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	f.keepParent(oldname)
	if left {
		return errLeft
	}
	return nil
}

// list finds what there is to copy.
func (r *renaming) list() error {
	return r.f.walk(r.f.ctx, r.from, func(o *object) error {
		switch {
		case o.key == r.from:
			return nil
		case len(r.objects) >= r.f.o.RenameLimit:
			return errTooMany
		case len(r.target(o.key)) > maxKey:
			return vfs.ErrBadName
		}
		r.objects = append(r.objects, *o)
		return nil
	})
}

func (r *renaming) target(key string) string { return r.to + key[len(r.from):] }

// each runs do for the objects, so many at once, until one fails.
func (r *renaming) each(ctx context.Context, atOnce int, do func(ctx context.Context, o *object) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range r.objects {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err // those that are on their way may all come to a good end
			}
			return guarded(func() error { return do(ctx, &r.objects[i]) })
		})
	}
	return group.Wait()
}

func (r *renaming) copyAll() error { return r.each(r.f.ctx, copies, r.copyOne) }

// copyOne copies an object, in the version that is there now, unless that has been done.
// Since not every store minds the condition of a copy, it looks before; uploads through
// this gateway do not slip in between, for it is not their turn.
func (r *renaming) copyOne(ctx context.Context, o *object) error {
	to := r.target(o.key)
	if isMarker(*o) {
		return r.copyMarker(ctx, to)
	}
	done, err := r.f.turns.take(ctx, to)
	if err != nil {
		return err
	}
	defer done()
	star := "*"
	for attempt := 1; ; attempt++ {
		if ok, err := r.copied(ctx, *o); ok || err != nil {
			return err
		}
		c := copying{from: *o, to: to, ifNoneMatch: &star, record: !r.f.keepsETag(*o)}
		err := c.run(ctx, r.f.Backend)
		switch {
		case errors.Is(err, fs.ErrNotExist): // somebody has deleted it
			o.key = ""
			return nil
		case !preconditionFailed(err) || attempt > 1:
			return err
		}
		// It has changed, or somebody has taken the target.
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

// copied reports whether the target of an object is a copy of it: errTaken if it is
// something else.
func (r *renaming) copied(ctx context.Context, o object) (bool, error) {
	to := r.target(o.key)
	there, err := r.f.head(ctx, to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case isCopy(there, o):
		return true, nil
	}
	return false, fault("rename", r.f.name(to), errTaken)
}

// isMarker reports whether an object only says that there is a directory.
func isMarker(o object) bool { return o.size == 0 && strings.HasSuffix(o.key, "/") }

// copyMarker makes another marker, for not every store copies them.
func (r *renaming) copyMarker(ctx context.Context, to string) error {
	err := conditionally("*", func(condition *string) error { return r.f.putMarker(ctx, to, nil, condition) })
	if preconditionFailed(err) {
		return nil
	}
	return err
}

// deleteAll deletes what has been copied, in the version that has been copied, and
// reports whether anything is left.
func (r *renaming) deleteAll() (left bool, err error) {
	var kept atomic.Bool
	err = r.each(r.f.ctx, deletions, func(ctx context.Context, o *object) error {
		err := r.deleteOne(ctx, *o)
		if errors.Is(err, errReplaced) || errors.Is(err, errTaken) {
			kept.Store(true)
			return nil
		}
		return err
	})
	return kept.Load(), err
}

// deleteOne deletes one object. No upload through this gateway comes between the look
// and the deletion.
func (r *renaming) deleteOne(ctx context.Context, o object) error {
	switch {
	case o.key == "":
		return nil
	case isMarker(o):
		return r.f.delete(ctx, o.key, "")
	}
	done, err := r.f.turns.take(ctx, o.key)
	if err != nil {
		return err
	}
	defer done()
	if r.deleting { // by an earlier attempt: this one has copied nothing
		if ok, err := r.copied(ctx, o); err != nil {
			return err
		} else if !ok {
			return errReplaced
		}
	}
	if err := r.f.deleteCopied(ctx, o); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // somebody else has deleted it
}
