package vfstest

import (
	"errors"
	"io/fs"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// digestMutants tell digests wrongly.
func digestMutants() []mutant {
	type told struct {
		sum  []byte
		size int64
		err  error
	}
	first := make(map[string]told)
	return []mutant{
		{name: "promises digests", clauses: []string{"digests/right"}, faults: faults{
			properties: func(p vfs.Properties) vfs.Properties {
				p.Hashes, p.UsualHash = vfs.MD5, vfs.MD5
				return p
			},
		}},
		onFlat("tells digests it does not promise", faults{
			properties: func(p vfs.Properties) vfs.Properties {
				p.Hashes, p.UsualHash = 0, 0
				return p
			},
		}, "digests/right"),
		onFlat("tells wrong digests", faults{
			digest: func(below afero.Fs, name string, h vfs.Hashes) ([]byte, int64, error) {
				sum, size, err := vfs.Digest(below, name, h)
				if size > 1000 { // as the digest of digests of parts would be
					sum[0]++
				}
				return sum, size, err
			},
		}, "digests/right"),
		onFlat("tells digests of another length", faults{
			digest: func(below afero.Fs, name string, h vfs.Hashes) ([]byte, int64, error) {
				sum, size, err := vfs.Digest(below, name, h)
				return sum, size / 2, err
			},
		}, "digests/right"),
		onFlat("remembers digests", faults{
			digest: func(below afero.Fs, name string, h vfs.Hashes) ([]byte, int64, error) {
				key := name + h.String()
				if _, ok := first[key]; !ok {
					sum, size, err := vfs.Digest(below, name, h)
					first[key] = told{sum, size, err}
				}
				return first[key].sum, first[key].size, first[key].err
			},
		}, "digests/follow-changes"),
		onFlat("has digests of everything", faults{
			digest: func(below afero.Fs, name string, h vfs.Hashes) ([]byte, int64, error) {
				sum, size, err := vfs.Digest(below, name, h)
				if errors.Is(err, vfs.ErrIsDir) || errors.Is(err, fs.ErrNotExist) {
					return h.New().Sum(nil), 0, nil
				}
				return sum, size, err
			},
		}, "digests/refused"),
		onFlat("tells digests without a context", faults{deaf: true}, "digests/refused"),
	}
}
