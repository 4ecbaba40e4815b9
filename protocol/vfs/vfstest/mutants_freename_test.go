package vfstest

import (
	"errors"
	"io/fs"
	"iter"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// closingFree makes a file hook that replaces CloseFree.
func closingFree(hook func(below afero.Fs, name string, f afero.File, others iter.Seq[string]) (string, error)) func(afero.Fs, string, int, afero.File) *file {
	return uploading(func(below afero.Fs, name string, f afero.File) *file {
		return &file{closeFree: func(others iter.Seq[string]) (string, error) { return hook(below, name, f, others) }}
	})
}

// freeNameMutants take another name wrongly.
var freeNameMutants = []mutant{
	{name: "always takes another name", clauses: []string{"free-name/own"}, faults: faults{
		file: closingFree(func(below afero.Fs, name string, f afero.File, others iter.Seq[string]) (string, error) {
			took, err := vfs.CloseFree(f, others)
			for other := range others {
				if err == nil && took == "" {
					return other, below.Rename(name, other)
				}
			}
			return took, err
		}),
	}},
	{name: "never takes another name", clauses: []string{"free-name/other", "free-name/race"}, faults: faults{
		file: closingFree(func(_ afero.Fs, _ string, f afero.File, _ iter.Seq[string]) (string, error) { return "", f.Close() }),
	}},
	{name: "keeps its name to itself", clauses: []string{"free-name/other", "free-name/race"}, faults: faults{
		file: closingFree(func(_ afero.Fs, _ string, f afero.File, others iter.Seq[string]) (string, error) {
			_, err := vfs.CloseFree(f, others)
			return "", err
		}),
	}},
	{name: "says that every name was free", clauses: []string{"free-name/none"}, faults: faults{
		file: closingFree(func(_ afero.Fs, _ string, f afero.File, others iter.Seq[string]) (string, error) {
			name, err := vfs.CloseFree(f, others)
			if errors.Is(err, fs.ErrExist) {
				err = nil
			}
			return name, err
		}),
	}},
	{name: "replaces when every name is taken", clauses: []string{"free-name/none"}, faults: faults{
		file: closingFree(func(below afero.Fs, name string, f afero.File, others iter.Seq[string]) (string, error) {
			took, err := vfs.CloseFree(f, others)
			if errors.Is(err, fs.ErrExist) {
				_ = store(below, name, vfs.ModeReplace, "what there was")
			}
			return took, err
		}),
	}},
	{name: "takes every failure for a taken name", clauses: []string{"free-name/failed"}, faults: faults{
		file: closingFree(func(below afero.Fs, _ string, f afero.File, others iter.Seq[string]) (string, error) {
			name, err := vfs.CloseFree(f, others)
			for other := range others {
				if err != nil {
					return other, store(below, other, vfs.ModeCreate, "what there was")
				}
			}
			return name, err
		}),
	}},
	{name: "publishes part of a large file elsewhere", clauses: []string{"free-name/large"}, faults: faults{
		file: closingFree(func(below afero.Fs, _ string, f afero.File, others iter.Seq[string]) (string, error) {
			name, err := vfs.CloseFree(f, others)
			if err == nil && name != "" {
				err = store(below, name, vfs.ModeReplace, "the end of it")
			}
			return name, err
		}),
	}},
}
