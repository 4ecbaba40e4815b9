package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/remote"
	"github.com/ftpgate/ftpgate/cmd/ftpgate/internal/transfer"
	"github.com/ftpgate/ftpgate/protocol/ftp"
	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// Kind is what stands under a name.
type Kind int

const (
	Regular Kind = iota
	Dir
	Other // links and the like: never copied nor followed
)

// File is an entry of a tree.
type File struct {
	Kind      Kind
	Size      int64         // -1: not known
	ModTime   time.Time     // zero: not known
	Precision time.Duration // of ModTime
	entry     *ftpclient.Entry
}

// Tree is all there is below a directory, by path with "/" and relative to it.
type Tree struct {
	Files map[string]File
	// Errors are what could not be seen or must not be used; a tree with errors is no reason to delete anything.
	Errors []error
	kept   map[string]bool // directories with something in them that was left out
}

// maxFiles and maxNames (bytes of paths) bound a tree; a server may show one without end.
const (
	maxFiles = 4_000_000
	maxNames = 512 << 20
)

// Local reads a tree of this machine. Temporary files of transfers are no part of it. nil has nothing in it.
func Local(ctx context.Context, root *os.Root) Tree {
	t := Tree{Files: make(map[string]File)}
	if root == nil {
		return t
	}
	_ = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			t.Errors = append(t.Errors, ctx.Err())
			return fs.SkipAll
		case err != nil:
			t.Errors = append(t.Errors, err)
			return nil
		case name == "." || transfer.IsPart(e.Name()):
			return nil
		}
		i, err := e.Info()
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // else it went away meanwhile
				t.Errors = append(t.Errors, err)
			}
			return nil
		}
		f := File{Kind: Other, Size: i.Size(), ModTime: i.ModTime(), Precision: time.Nanosecond}
		switch {
		case i.IsDir():
			f.Kind = Dir
		case i.Mode().IsRegular():
			f.Kind = Regular
		}
		t.Files[name] = f
		return nil
	})
	return t
}

// Remote reads a tree of a server; none is an error that is fs.ErrNotExist.
func Remote(ctx context.Context, s *remote.Site, root string) (Tree, error) {
	var t Tree
	err := s.Do(ctx, func(c *ftpclient.Conn) error {
		t = Tree{Files: make(map[string]File)}
		before, names := s.Skipped(), 0
		if root != "" {
			e, err := c.Stat(ctx, root)
			if err != nil {
				return err
			}
			if !e.IsDir() {
				return fmt.Errorf("%s is not a directory", root)
			}
		}
		for e, err := range c.Walk(ctx, root) {
			if err != nil {
				if !c.Usable() || e.Path == root || remote.Transient(err) {
					return err
				}
				t.Errors = append(t.Errors, err)
				continue
			}
			if names += len(e.Path); len(t.Files) == maxFiles || names > maxNames {
				return fmt.Errorf("%s has more than %d entries, or %d MiB of names", root, maxFiles, maxNames>>20)
			}
			t.add(root, e)
		}
		if n := s.Skipped() - before; n > 0 {
			t.Errors = append(t.Errors, fmt.Errorf("%d lines of listings could not be understood; what they stand for has not been seen", n))
		}
		return nil
	})
	return t, err
}

// add takes an entry of a server into the tree, if its name is fit to be one here.
func (t *Tree) add(root string, e ftpclient.WalkEntry) {
	name := e.Path
	if root != "" {
		name = strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
	}
	if transfer.IsPart(path.Base(name)) && !e.IsDir() {
		return // of an upload that goes on, or was cut; as here, it is no part of the tree
	}
	if err := transfer.CheckName(name); err != nil {
		t.Errors = append(t.Errors, fmt.Errorf("%q: %w", e.Path, err))
		return
	}
	if _, ok := t.Files[name]; ok {
		t.Errors = append(t.Errors, fmt.Errorf("%q is listed twice", e.Path))
		return
	}
	entry := e.Entry
	f := File{Kind: Other, Size: e.Size, ModTime: e.ModTime, Precision: e.Precision, entry: &entry}
	switch {
	case e.IsDir():
		f.Kind = Dir
	case e.Type == ftp.TypeFile:
		f.Kind = Regular
	}
	t.Files[name] = f
}

// join is a path on the server.
func join(root, name string) string {
	switch {
	case root == "":
		return name
	case strings.HasSuffix(root, "/"):
		return root + name
	}
	return root + "/" + name
}

// above reports whether a directory above name fulfils a condition.
func above(name string, is func(dir string) bool) bool {
	for d := path.Dir(name); d != "."; d = path.Dir(d) {
		if is(d) {
			return true
		}
	}
	return false
}
