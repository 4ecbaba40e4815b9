package mirror

import (
	"bytes"
	"context"
	"crypto/md5"  //nolint:gosec // it compares files, and is what some servers have
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"github.com/ftpgate/ftpgate/protocol/ftpclient"
)

// errNoHash is a server that cannot compare for us.
var errNoHash = errors.New("the server makes no digests of files (HASH, XSHA256 and the like); use --compare time")

// digests are those that the client knows, by its names.
func digest(name string) hash.Hash {
	switch name {
	case "SHA-512":
		return sha512.New()
	case "SHA-256":
		return sha256.New()
	case "SHA-1":
		return sha1.New() //nolint:gosec // see above
	case "MD5":
		return md5.New() //nolint:gosec // see above
	case "CRC32":
		return crc32.NewIEEE()
	}
	return nil
}

// differs compares a file with the one on the server by the best digest that it offers.
func differs(ctx context.Context, c *ftpclient.Conn, path string, root *os.Root, name string) (bool, error) {
	names, err := c.Hashes(ctx)
	if err != nil {
		return false, err
	}
	if len(names) == 0 {
		return false, errNoHash
	}
	theirs, err := c.Hash(ctx, path, names[0])
	if err != nil {
		return false, err
	}
	f, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	h := digest(names[0])
	if _, err := io.Copy(h, f); err != nil {
		return false, err
	}
	return !bytes.Equal(h.Sum(nil), theirs), nil
}
