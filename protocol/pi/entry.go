package pi

import (
	"io/fs"

	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// identify fills in what the facts of RFC 3659 §7.5 tell.
func identify(e *ftp.Entry, fi fs.FileInfo, facts ftp.Facts) {
	mode := fi.Mode()
	e.Type, e.Mode = entryType(mode), mode.Perm()
	e.Size, e.Modify = fi.Size(), fi.ModTime()
	if facts&ftp.FactUnique != 0 {
		if id, ok := fi.(vfs.Identifier); ok {
			e.Unique = id.Identity()
		}
	}
}

// describe fills in what a line of LIST tells.
func describe(e *ftp.Entry, fi fs.FileInfo) {
	identify(e, fi, 0)
	e.Links = 1
	if o, ok := fi.(vfs.Owned); ok {
		e.Owner, e.Group, e.Links = o.Owner()
	}
}

func entryType(m fs.FileMode) ftp.EntryType {
	switch {
	case m.IsDir():
		return ftp.TypeDir
	case m.IsRegular():
		return ftp.TypeFile
	case m&fs.ModeSymlink != 0:
		return ftp.TypeLink
	}
	return ftp.TypeOther
}

// perms makes the perm fact (RFC 3659 §7.5.5), once for each kind of entry where
// every entry of the kind has the same rights.
type perms struct{ file, dir string }

func (p *perms) of(a *Account, dir string, fi fs.FileInfo) string {
	cached := &p.file
	switch {
	case fi.IsDir():
		cached = &p.dir
	case a.Access.Own != 0: // differs from file to file
		return permFact(a, vfs.Join(dir, fi.Name()), false)
	}
	if *cached == "" {
		*cached = permFact(a, vfs.Join(dir, fi.Name()), fi.IsDir())
	}
	return *cached
}

// permFact spells out what a may do to path; letters in the order of RFC 3659 §7.5.5.
func permFact(a *Account, path string, dir bool) string {
	b := make([]byte, 0, 9)
	add := func(letter byte, ok bool) {
		if ok {
			b = append(b, letter)
		}
	}
	replace := a.mayReplace(path)
	if dir {
		add('c', a.May(Create, path))
		add('d', a.May(Rmdir, path))
		add('e', a.May(List, path))
		add('f', a.May(Rename, path))
		add('l', a.May(List, path))
		add('m', a.May(Mkdir, path))
		add('p', a.May(Delete, path))
		return string(b)
	}
	add('a', replace)
	add('d', a.May(Delete, path))
	add('f', a.May(Rename, path))
	add('r', a.May(Read, path))
	add('w', replace)
	return string(b)
}
