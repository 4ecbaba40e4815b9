package ftp

import (
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// at is what the server calls a client's name.
func (b *Backend) at(name string) string { return b.names.at(name) }

// climbs reports whether a server that takes "\" for a separator finds ".." in a name.
func climbs(name string) bool {
	return slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }), "..")
}

// visible fails for names that are not there for clients.
func (b *Backend) visible(name string) error {
	if b.isReserved(name) || b.names.root != "" && climbs(name) || !b.encodable(name) {
		return fs.ErrNotExist
	}
	return nil
}

// encodable reports whether a name can be sent, and has the same segments there: some encodings
// write letters with the byte of "/".
func (b *Backend) encodable(name string) bool {
	if b.o.Client.Encoding == nil {
		return true
	}
	wire, err := b.o.Client.Encoding.NewEncoder().String(name)
	return err == nil && strings.Count(wire, "/") == strings.Count(name, "/")
}

// creatable fails for names that no client can make.
func (b *Backend) creatable(name string) error {
	if b.visible(name) != nil || !utf8.ValidString(name) {
		return vfs.ErrBadName
	}
	return nil
}

// lastName is the name a FileInfo shows for path; the root's is "/".
func lastName(path string) string {
	if _, name := vfs.Split(path); name != "" {
		return name
	}
	return "/"
}
