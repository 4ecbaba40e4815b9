package vfs

import (
	"crypto/md5"  //nolint:gosec // what clients compare copies with, no signature
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io/fs"
	"iter"
	"strings"

	"github.com/spf13/afero"
)

// Hashes is a set of hash algorithms, or one of them.
type Hashes uint8

// The algorithms, from the weakest to the strongest.
const (
	CRC32 Hashes = 1 << iota
	CRC32C
	CRC64NVME
	MD5
	SHA1
	SHA256
	SHA512

	AllHashes Hashes = 1<<iota - 1
)

// hashNames are in the order of the bits: names of the IANA registry "Hash Function
// Textual Names", and for checksums, which it does not have, those of servers and of S3.
var hashNames = [...]string{"CRC32", "CRC32C", "CRC64NVME", "MD5", "SHA-1", "SHA-256", "SHA-512"}

// crc64NVME is the polynomial of CRC-64/NVME, reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// ParseHash returns the algorithm of that name, in any case.
func ParseHash(name string) (h Hashes, ok bool) {
	for h := range AllHashes.Each() {
		if strings.EqualFold(name, h.String()) {
			return h, true
		}
	}
	return 0, false
}

// Has reports whether h contains all of other.
func (h Hashes) Has(other Hashes) bool { return h&other == other }

// Each yields every algorithm in h, from the weakest to the strongest.
func (h Hashes) Each() iter.Seq[Hashes] {
	return func(yield func(Hashes) bool) {
		for one := Hashes(1); one&AllHashes != 0; one <<= 1 {
			if h&one != 0 && !yield(one) {
				return
			}
		}
	}
}

// Strongest returns the strongest algorithm in h; 0 has none.
func (h Hashes) Strongest() (strongest Hashes) {
	for one := range h.Each() {
		strongest = one
	}
	return strongest
}

// String lists the names: "MD5, SHA-1".
func (h Hashes) String() string {
	var names []string
	for i, name := range hashNames {
		if h&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// New begins a digest of the one algorithm in h; of a set it is nil. The digest of a
// checksum is its value, high byte first.
func (h Hashes) New() hash.Hash {
	switch h {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64.New(crc64.MakeTable(crc64NVME))
	case MD5:
		return md5.New() //nolint:gosec // as above
	case SHA1:
		return sha1.New() //nolint:gosec // as above
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	}
	return nil
}

// Hasher is a filesystem that stores digests with its files and tells them without
// reading the files. Digest returns the one of the whole file as it is now, and the
// size of that version in bytes. Where there is none it fails with a *NoDigestError;
// of a directory with ErrIsDir.
// Fallback: none is stored.
type Hasher interface {
	Digest(name string, algorithm Hashes) (digest []byte, size int64, err error)
}

// NoDigestError: no digest of this algorithm is stored with the file.
type NoDigestError struct {
	Algorithm Hashes
	Stored    Hashes // those that are
}

func (e *NoDigestError) Error() string {
	text := "no " + e.Algorithm.String() + " is stored with the file"
	if e.Stored != 0 {
		text += ", only " + e.Stored.String()
	}
	return text
}

// Digest returns what is stored with the file name.
func Digest(fsys afero.Fs, name string, algorithm Hashes) (digest []byte, size int64, err error) {
	if h, ok := fsys.(Hasher); ok {
		return h.Digest(name, algorithm)
	}
	fi, err := fsys.Stat(name)
	switch {
	case err != nil:
		return nil, 0, err
	case fi.IsDir():
		return nil, 0, &fs.PathError{Op: "digest", Path: name, Err: ErrIsDir}
	}
	return nil, 0, &fs.PathError{Op: "digest", Path: name, Err: &NoDigestError{Algorithm: algorithm}}
}
