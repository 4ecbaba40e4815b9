package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A directory is there if there is any key that begins with its dirKey; the one
// that equals it is its marker.

// markerType is the content type of markers, as the consoles of S3 know it.
const markerType = "application/x-directory"

// findDir fails with fs.ErrNotExist if there is no such directory: one LIST of one key.
func (b *Backend) findDir(ctx context.Context, dirKey string) error {
	p, err := b.list(ctx, listRequest{prefix: dirKey, max: 1})
	if err == nil && len(p.objects) == 0 {
		err = fault("list", b.name(dirKey), fs.ErrNotExist)
	}
	return err
}

// Mkdir writes the marker of a directory that does not exist. An object of the
// same name is no hindrance.
func (f *fsys) Mkdir(name string, _ fs.FileMode) error {
	return fault("mkdir", name, f.mkdir(name))
}

func (f *fsys) mkdir(name string) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	dirKey, err := f.dirKey(name)
	switch {
	case err != nil:
		return err
	case name == "/":
		return fs.ErrExist
	}
	err = f.findDir(f.ctx, dirKey)
	switch {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	attempts := 0
	err = conditionally("*", func(condition *string) error {
		return f.putMarker(f.ctx, dirKey, nil, condition, counting(&attempts))
	})
	switch {
	case !preconditionFailed(err):
		return err
	case attempts > 1:
		return nil // the first attempt made it, and its answer was lost
	}
	return fs.ErrExist
}

// MkdirAll is Mkdir that does not mind if the directory is there: those above it
// exist by what is below them.
func (f *fsys) MkdirAll(name string, perm fs.FileMode) error {
	err := f.Mkdir(name, perm)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// putMarker writes the marker of a directory.
func (b *Backend) putMarker(ctx context.Context, dirKey string, metadata map[string]string, ifNoneMatch *string, opts ...func(*sdk.Options)) error {
	in := &sdk.PutObjectInput{
		Bucket: &b.o.Bucket, Key: &dirKey, Body: bytes.NewReader(nil), ContentLength: aws.Int64(0),
		ContentType: aws.String(markerType), Metadata: metadata, IfNoneMatch: ifNoneMatch,
		ACL: types.ObjectCannedACL(b.o.Put.ACL), ServerSideEncryption: types.ServerSideEncryption(b.o.Put.Encryption.Algorithm),
	}
	if key := b.o.Put.Encryption.KMSKey; key != "" {
		in.SSEKMSKeyId = &key
	}
	_, err := b.api.PutObject(ctx, in, opts...)
	return err
}

// conditionally makes a request with a condition or, where the store knows
// none, without: then what the caller has looked at before is all there is.
func conditionally(condition string, do func(condition *string) error) error {
	err := do(&condition)
	if notImplemented(err) {
		return do(nil)
	}
	return err
}

// Remove deletes an object or, if there is none, the directory of that name,
// which must be empty.
func (f *fsys) Remove(name string) error {
	return fault("remove", name, f.remove(name))
}

func (f *fsys) remove(name string) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if name == "/" {
		return fs.ErrInvalid
	}
	if !f.dirs {
		o, err := f.find(name)
		if err == nil {
			return f.removeKey(name, o.key)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	dirKey, err := f.dirKey(name)
	if err != nil {
		return err
	}
	p, err := f.list(f.ctx, listRequest{prefix: dirKey, max: 2})
	switch {
	case err != nil:
		return err
	case len(p.objects) == 0:
		return fs.ErrNotExist
	case len(p.objects) > 1 || p.objects[0].key != dirKey:
		return vfs.ErrNotEmpty
	}
	return f.removeKey(name, dirKey)
}

// removeKey deletes one key and keeps the directory it was in.
func (f *fsys) removeKey(name, key string) error {
	done, err := f.turns.take(f.ctx, key) // else what copies it would bring it back
	if err != nil {
		return err
	}
	err = f.delete(f.ctx, key, "")
	done()
	if err != nil {
		return err
	}
	f.keepParent(name)
	return nil
}

// delete deletes a key; with an ETag, only that version where the store can tell.
func (b *Backend) delete(ctx context.Context, key, etag string, opts ...func(*sdk.Options)) error {
	defer b.changed(key)
	once := func(condition *string) error {
		_, err := b.api.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: &b.o.Bucket, Key: &key, IfMatch: condition}, opts...)
		return err
	}
	if etag == "" {
		return once(nil)
	}
	return conditionally(etag, once)
}

// errReplaced: what was to be deleted is not what was copied any more.
var errReplaced = fmt.Errorf("%w: the file has changed since it was copied, and is under both names", vfs.ErrTransient)

// deleteCopied deletes an object that has been copied, in that version: errReplaced if
// there is another one, fs.ErrNotExist if somebody else has deleted it. Since not every
// store minds the condition of a deletion, it looks before.
func (b *Backend) deleteCopied(ctx context.Context, o object) error {
	now, err := b.head(ctx, o.key)
	switch {
	case err != nil:
		return err
	case now.etag != o.etag:
		return errReplaced
	}
	attempts := 0
	err = b.delete(ctx, o.key, o.etag, counting(&attempts))
	switch {
	case preconditionFailed(err):
		return errReplaced
	case attempts > 1 && status(err) == http.StatusNotFound:
		return nil // the answer to the first attempt was lost
	}
	return fault("delete", b.name(o.key), err)
}

// keepParent writes the marker of the directory that name was in if nothing else
// keeps that directory: it must not vanish under a client that works in it. It comes
// after the deletion, so that of two clients that delete the last two files at once
// one sees it empty. The deletion has succeeded, whatever becomes of the marker.
func (f *fsys) keepParent(name string) {
	parent, _ := vfs.Split(name)
	dirKey, err := f.dirKey(parent)
	if err != nil || parent == "/" {
		return
	}
	ctx, cancel := f.detached()
	defer cancel()
	if errors.Is(f.findDir(ctx, dirKey), fs.ErrNotExist) {
		_ = f.putMarker(ctx, dirKey, nil, nil)
	}
}

// deletions is how many objects RemoveAll and Rename delete at once.
const deletions = 16

// RemoveAll deletes the object and the directory of that name and all below it.
func (f *fsys) RemoveAll(name string) error {
	return fault("remove", name, f.removeAll(name))
}

func (f *fsys) removeAll(name string) error {
	if name == "/" {
		return fs.ErrInvalid
	}
	key, err := f.key(name)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(f.ctx)
	group.SetLimit(deletions)
	remove := func(key string) {
		group.Go(func() error { return guarded(func() error { return f.delete(ctx, key, "") }) })
	}
	if !f.dirs {
		remove(key)
	}
	err = f.walk(ctx, key+"/", func(o *object) error { remove(o.key); return nil })
	if waited := group.Wait(); waited != nil {
		return waited // err may only say that ctx has ended because of it
	}
	if err == nil {
		f.keepParent(name)
	}
	return err
}
