package s3

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A renaming is known by an id, which both markers hold in their metadata. That of the
// source says more, and goes last: what it says ends with it.
//
//	source                   target  a rename to the target
//	anything                 -       begins
//	-, or ID of a target     any     fs.ErrExist
//	ID copying TARGET        ID      goes on; a rename to another name is errHalfway
//	ID deleting TARGET       ID      goes on, but copies nothing that has come since
//	ID of any kind           other   fs.ErrExist

// renamingKey is the metadata key of the markers.
const renamingKey = "ftpgate-renaming"

const (
	stateCopying  = "copying"
	stateDeleting = "deleting"
	stateEnded    = "ended" // of a marker that the store does not delete
)

var errHalfway = fmt.Errorf("%w: the directory is half-way to another name; rename it to that one first", fs.ErrInvalid)

// renamingState is what the marker of a source says.
type renamingState struct {
	id, state, to string
}

func (s renamingState) String() string {
	return s.id + " " + s.state + " " + base64.RawURLEncoding.EncodeToString([]byte(s.to)) // metadata is ASCII, and short
}

// marked reads the metadata of a marker; it is zero if there is none, or no marker.
func (b *Backend) marked(ctx context.Context, dirKey string) (s renamingState, err error) {
	marker, err := b.head(ctx, dirKey)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.id, s.state, _ = strings.Cut(marker.metadata[renamingKey], " ")
	state, to, _ := strings.Cut(s.state, " ")
	decoded, err := base64.RawURLEncoding.DecodeString(to)
	if err != nil {
		return renamingState{}, nil //nolint:nilerr // somebody else's
	}
	s.state, s.to = state, string(decoded)
	return s, nil
}

// begin marks source and target, unless it goes on with what an earlier attempt has left.
func (r *renaming) begin() error {
	ctx := r.f.ctx
	was, err := r.f.marked(ctx, r.from)
	if err != nil {
		return err
	}
	if was.state == stateEnded {
		was = renamingState{}
	}
	if was.to != "" && was.to != r.to {
		there, err := r.f.marked(ctx, was.to)
		if err != nil {
			return err
		}
		if there.id == was.id {
			return errHalfway
		}
	}
	err = r.f.findDir(ctx, r.to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r.mark()
	case err != nil:
		return err
	}
	there, err := r.f.marked(ctx, r.to)
	if err != nil {
		return err
	}
	if was.to != r.to || was.id == "" || was.id != there.id {
		return fs.ErrExist
	}
	r.id, r.deleting = was.id, was.state == stateDeleting
	return nil
}

// mark marks the source and then the target, which must not be there.
func (r *renaming) mark() error {
	r.id = rand.Text()
	if err := r.say(r.f.ctx, stateCopying); err != nil {
		return err
	}
	attempts := 0
	err := conditionally("*", func(condition *string) error {
		return r.f.putMarker(r.f.ctx, r.to, map[string]string{renamingKey: r.id}, condition, counting(&attempts))
	})
	if !preconditionFailed(err) {
		return err
	}
	if attempts > 1 { // the first attempt may have made it, and its answer was lost
		if there, err := r.f.marked(r.f.ctx, r.to); err != nil || there.id == r.id {
			return err
		}
	}
	return fs.ErrExist
}

// say writes the marker of the source.
func (r *renaming) say(ctx context.Context, state string) error {
	s := renamingState{r.id, state, r.to}
	return r.f.putMarker(ctx, r.from, map[string]string{renamingKey: s.String()}, nil)
}

// allCopied says so. After a crash the same command deletes what has its copy, but what
// has come under the old name since then stays there.
func (r *renaming) allCopied() error { return r.say(r.f.ctx, stateDeleting) }

// end deletes the marker of the source, and all that is known of the renaming with it.
func (r *renaming) end() error {
	ctx, cancel := r.f.detached()
	defer cancel()
	err := r.f.delete(ctx, r.from, "")
	if err != nil && errors.Is(translate(err), vfs.ErrNotEmpty) { // stores on a file system keep it while files are left
		return r.say(ctx, stateEnded)
	}
	return err
}
