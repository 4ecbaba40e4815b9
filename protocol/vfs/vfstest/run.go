package vfstest

import (
	"context"
	"testing"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// TB is what a clause needs of a test; *testing.T has it.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	TempDir() string
	Context() context.Context
}

// Backend is a kind of storage under test.
type Backend struct {
	// New makes an empty tree; every clause has its own.
	New func(t TB) Tree
	// NewLimited makes an empty tree that holds at most limit bytes of content,
	// and fails with vfs.ErrQuota beyond. What names cost comes out of limit or
	// not, as the backend likes, up to 1 KiB each. Nil: the backend has no limit.
	NewLimited func(t TB, limit int64) Tree
	// Except names clauses ("names/awkward") that the store below cannot meet,
	// and why. Run skips them with the reason; a name that is no clause is an error.
	Except map[string]string
	// ExceptNames are names that the store below cannot have, and why: clauses that try many names
	// leave them out.
	ExceptNames map[string]string
}

// Tree is one tree of a Backend.
type Tree struct {
	// Open returns the tree as owner sees it. Where Properties.Resume holds,
	// partial uploads are held for a time longer than the test.
	Open func(owner string) afero.Fs
	// Restart loses everything that a restart of the gateway loses; file
	// systems that Open returned before are not used after it. What was held
	// is still held. Nil: nothing survives a restart.
	Restart func()
	// Expire makes everything that is held expire. Nil: the clause is left out.
	Expire func()
	// Forbidden are strings, such as host paths, that the text of no error may hold.
	Forbidden []string
}

// Run checks the whole contract.
func Run(t *testing.T, b Backend) {
	for name := range b.Except {
		if !isClause(name) {
			t.Errorf("there is no clause %q to except", name)
		}
	}
	for _, theme := range themes {
		t.Run(theme.name, func(t *testing.T) {
			for _, c := range theme.clauses {
				t.Run(c.name, func(t *testing.T) {
					if why, ok := b.Except[theme.name+"/"+c.name]; ok {
						t.Skip(why)
					}
					c.run(t, b)
				})
			}
		})
	}
}

func isClause(name string) bool {
	for _, theme := range themes {
		for _, c := range theme.clauses {
			if name == theme.name+"/"+c.name {
				return true
			}
		}
	}
	return false
}

type theme struct {
	name    string
	clauses []clause
}

type clause struct {
	name  string
	check func(t *tree)
	// limit asks for a tree of this size.
	limit int64
}

// run checks one clause on a new tree.
func (c clause) run(t TB, b Backend) {
	var setup Tree
	switch {
	case c.limit == 0:
		setup = b.New(t)
	case b.NewLimited == nil:
		return
	default:
		setup = b.NewLimited(t, c.limit)
	}
	tr := newTree(t, setup)
	tr.without = b.ExceptNames
	c.check(tr)
}

// The owners that clauses open a tree for.
const (
	alice = "alice"
	bob   = "bob"
)

// tree is the tree of one clause, and the checks that clauses are made of.
type tree struct {
	TB
	setup Tree
	fs    afero.Fs // as alice sees it
	props vfs.Properties

	without map[string]string // Backend.ExceptNames
}

func newTree(t TB, setup Tree) *tree {
	tr := &tree{TB: t, setup: setup, fs: setup.Open(alice)}
	tr.props = vfs.PropertiesOf(tr.fs, "/")
	return tr
}

// as returns the same tree as another owner sees it.
func (t *tree) as(owner string) *tree {
	other := *t
	other.fs = t.setup.Open(owner)
	return &other
}
