package vfs

import (
	"time"

	"github.com/spf13/afero"
)

// Properties are facts about a part of a tree. The zero value promises nothing.
type Properties struct {
	ReadOnly      bool          // no file, directory or attribute can be changed
	Append        bool          // ModeAppend works on existing files
	Restart       bool          // ModeRestart works
	Resume        bool          // Keep and Held work
	AtomicRename  bool          // a crash or a reader never sees a half-done rename
	ImpliedDirs   bool          // directories exist by the files below them (contract, 6)
	SetTimes      bool          // Chtimes works
	SetMode       bool          // Chmod works
	TimePrecision time.Duration // what a set time is rounded down to; 0 means exact
	RawNames      bool          // names that are not UTF-8 can be stored
	MaxName       int           // longest name of one segment in bytes; 0 means unknown
	ExactErrors   bool          // every error is the precise one of the contract, not fs.ErrPermission for all
	Hashes        Hashes        // digests that may be stored with a file (Hasher)
	UsualHash     Hashes        // the one that files stored here have; 0: none, or there is no rule
	ComputeHashes bool          // a file may be read for nothing but its digest: that costs no more than time
}

// Describer is a filesystem that states facts about the part of the tree below name.
type Describer interface {
	Properties(name string) Properties
}

// PropertiesOf returns the facts fsys states about name, or none.
func PropertiesOf(fsys afero.Fs, name string) Properties {
	if d, ok := fsys.(Describer); ok {
		return d.Properties(name)
	}
	return Properties{}
}
