package local

import (
	"io/fs"
	"strings"
	"syscall"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// reservedName is where staged files lie. It does not exist for clients.
const reservedName = ".ftpgate"

// maxLinks is how many links a last segment may lead through, as in os.Root.
const maxLinks = 8

func isReserved(segment string) bool {
	return len(segment) == len(reservedName) && strings.EqualFold(segment, reservedName)
}

// relative checks a virtual path and returns it relative to the root, "" for
// the root itself. The path is clean by contract; that a slip elsewhere still
// cannot leave the root is why ".." is looked for here too.
func relative(name string) (string, error) {
	if name == "/" {
		return "", nil
	}
	if name == "" || name[0] != '/' {
		return "", fs.ErrInvalid
	}
	for rest, more := name[1:], true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch {
		case segment == "..":
			return "", errEscape
		case segment == "" || segment == ".":
			return "", fs.ErrInvalid
		case isReserved(segment):
			return "", errReserved
		}
	}
	return name[1:], nil
}

// spot is a name in an opened directory. The name is one segment, or "." for
// the directory itself, and need not exist.
type spot struct {
	dir    folder
	parent string // path of dir from the root, as os.Root understands it
	base   string
	links  int // how many links led here
}

func (s spot) close() { s.dir.close() }

// locate opens the directory that holds name. Reserved names are
// fs.ErrNotExist, or errReserved if name is to be created.
func (b *Backend) locate(name string, creating bool) (spot, error) {
	rel, err := relative(name)
	if err == errReserved && !creating {
		err = fs.ErrNotExist
	}
	if err != nil {
		return spot{}, err
	}
	if rel == "" {
		return spot{dir: b.top, base: "."}, nil
	}
	return b.spotAt(rel)
}

// spotAt splits a relative path and opens the directory part.
func (b *Backend) spotAt(rel string) (spot, error) {
	s := spot{base: rel}
	if i := strings.LastIndexByte(rel, '/'); i >= 0 {
		s.parent, s.base = rel[:i], rel[i+1:]
	}
	var err error
	s.dir, err = b.openFolder(s.parent)
	return s, err
}

// follow resolves the link at s, which it closes, and returns what it points
// to. That may be missing, or a link again.
func (b *Backend) follow(s spot) (spot, error) {
	defer s.close()
	target, err := s.dir.readlink(s.base)
	if err != nil {
		return spot{}, err
	}
	if s.links == maxLinks {
		return spot{}, syscall.ELOOP
	}
	if target == "" || isAbsolute(target) {
		return spot{}, errEscape
	}
	// The path is not cleaned: ".." after a link means the parent of the link's
	// target, which os.Root knows and we do not.
	rel := strings.TrimRight(target, "/")
	if s.parent != "" {
		rel = s.parent + "/" + rel
	}
	if len(rel) > vfs.MaxPath {
		return spot{}, syscall.ENAMETOOLONG
	}
	for segment := range strings.SplitSeq(rel, "/") {
		if isReserved(segment) {
			return spot{}, fs.ErrNotExist
		}
	}
	var next spot
	if _, last := vfs.Split("/" + rel); last == "." || last == ".." {
		next = spot{parent: rel, base: "."}
		next.dir, err = b.openFolder(rel)
	} else {
		next, err = b.spotAt(rel)
	}
	next.links = s.links + 1
	return next, err
}

// openFolder opens a directory below the root, "" being the root.
func (b *Backend) openFolder(rel string) (folder, error) {
	if rel == "" {
		return b.top, nil
	}
	dir, err := openFolder(b.root, rel)
	if err != nil {
		return folder{}, err
	}
	// A link on the way may have led into a staging directory.
	if known := b.reserved.Load(); known != nil && len(*known) > 0 {
		facts, err := dir.facts()
		dir.known = &facts
		if err != nil || b.isReserved(facts.id) {
			dir.close()
			if err == nil {
				err = fs.ErrNotExist
			}
			return folder{}, err
		}
	}
	return dir, nil
}

func (b *Backend) isReserved(id fileID) bool {
	known := b.reserved.Load()
	if known == nil || id.ino == 0 {
		return false
	}
	for _, k := range *known {
		if k == id {
			return true
		}
	}
	return false
}

// find locates name and returns what is there, following links. If the end of
// the links is missing, exists is false and s is where it would be.
func (b *Backend) find(name string, creating bool) (s spot, a attrs, exists bool, err error) {
	s, err = b.locate(name, creating)
	for err == nil {
		a, err = s.dir.lstat(s.base)
		switch {
		case err == syscall.ENOENT:
			return s, attrs{}, false, nil
		case err != nil:
			s.close()
		case !a.isLink():
			return s, a, true, nil
		default:
			s, err = b.follow(s)
		}
	}
	return spot{}, attrs{}, false, err
}
