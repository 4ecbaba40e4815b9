package pi

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

const (
	lastCandidate = 10  // the one with the time in it
	maxName       = 255 // bytes of a segment, on nearly every storage
	maxExt        = 32  // bytes of what is taken for the extension of a name
	maxSuffix     = len("-20060102T150405-abcdefgh")
)

// candidate is the i-th name to try for an upload under OnConflictRename: name itself,
// name-1.ext to name-9.ext, and at last one with the time and something random in it.
func candidate(name string, i int) string {
	if i == 0 {
		return name
	}
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" || len(ext) > maxExt {
		stem, ext = name, ""
	}
	stem = shorten(stem, maxName-maxSuffix-len(ext))
	if i < lastCandidate {
		return fmt.Sprintf("%s-%d%s", stem, i, ext)
	}
	return stem + "-" + time.Now().UTC().Format("20060102T150405") + "-" + strings.ToLower(rand.Text()[:8]) + ext
}

// shorten cuts s to at most n bytes, and UTF-8 only between characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if utf8.ValidString(s) {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
	}
	return s[:n]
}

// freeName is the name of an upload that takes another one where its own is taken. The
// one that it has chosen is kept for it (Names) until the next is chosen or it is released.
type freeName struct {
	s         *session
	candidate func(i int) string // paths, all of one directory
	shown     func(path string) string
	i         int // the next one
	chosen    string
}

// choose chooses the next name that nobody here is about to take and that is free, as far as
// that can be told beforehand. fs.ErrExist: there is none left.
func (n *freeName) choose(isFree func(path string) error) (path string, err error) {
	for n.release(); n.i <= lastCandidate; n.release() {
		path := n.candidate(n.i)
		n.i++
		if !n.s.account.Names.choose(path) {
			continue
		}
		n.chosen = path
		if err := isFree(path); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
	return "", fs.ErrExist
}

// release gives back the name that was chosen, if any.
func (n *freeName) release() {
	if n.chosen != "" {
		n.s.account.Names.release(n.chosen)
		n.chosen = ""
	}
}

// rest are the names to try at the end of the upload.
func (n *freeName) rest(yield func(path string) bool) {
	for {
		path, err := n.choose(n.s.mayMake)
		if err != nil || !yield(path) {
			return
		}
	}
}

// errAllTaken: somebody has taken the name of an upload since it was chosen, and the
// storage has no way to another. Sent again, the file will get one.
var errAllTaken = fmt.Errorf("%w: the name was taken before the end of the upload", vfs.ErrTransient)

// publish closes f, which has received everything. If the upload may take another name, and
// somebody beside this server has its own, u is changed to the name that it took.
func (s *session) publish(f afero.File, u *upload) error {
	if u.names == nil {
		return f.Close()
	}
	path, err := vfs.CloseFree(f, u.names.rest)
	switch {
	case errors.Is(err, fs.ErrExist):
		return errAllTaken
	case err == nil && path != "":
		u.path, u.end = path, u.names.stored()
	}
	return err
}

// stored is the text of a 226 that says which name the file got.
func (n *freeName) stored() string { return "Transfer complete, stored as " + n.shown(n.chosen) }
