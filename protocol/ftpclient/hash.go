package ftpclient

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// hashes are the algorithms, best first, with the bytes of a digest and the command that is older than HASH.
var hashes = []struct {
	name string
	size int
	verb string
}{
	{"SHA-512", 64, "XSHA512"},
	{"SHA-256", 32, "XSHA256"},
	{"SHA-1", 20, "XSHA1"},
	{"MD5", 16, "XMD5"},
	{"CRC32", 4, "XCRC"},
}

// Hashes lists the algorithms that Hash can ask for, best first: "SHA-512", "SHA-256", "SHA-1", "MD5", "CRC32".
func (c *Conn) Hashes(ctx context.Context) ([]string, error) {
	f, err := c.Features(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, h := range hashes {
		if f.Has(h.verb) || h.verb == "XSHA1" && f.Has("XSHA") || hasHash(f, h.name) {
			names = append(names, h.name)
		}
	}
	return names, nil
}

// hasHash reads "HASH SHA-256;SHA-1*;" (draft-bryan-ftpext-hash §3.2).
func hasHash(f Features, name string) bool {
	param, _ := f.Param("HASH")
	for algorithm := range strings.SplitSeq(param, ";") {
		if strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(algorithm), "*"), name) {
			return true
		}
	}
	return false
}

// Hash asks the server for the digest of a file, by HASH, XSHA256, XMD5 and the like; errors.ErrUnsupported
// if it does not know the algorithm. The server may need as long as ReplyTimeout.
func (c *Conn) Hash(ctx context.Context, path, algorithm string) ([]byte, error) {
	f, err := c.Features(ctx)
	if err != nil {
		return nil, pathError("HASH", path, err)
	}
	for _, h := range hashes {
		if !strings.EqualFold(h.name, algorithm) {
			continue
		}
		switch {
		case hasHash(f, h.name):
			return c.hash(ctx, path, h.name, h.size)
		case f.Has(h.verb):
			return c.digest(ctx, h.verb, path, h.size)
		case h.verb == "XSHA1" && f.Has("XSHA"):
			return c.digest(ctx, "XSHA", path, h.size)
		}
	}
	return nil, pathError("HASH", path, fmt.Errorf("%s: %w", algorithm, errors.ErrUnsupported))
}

// hash uses HASH, after choosing the algorithm.
func (c *Conn) hash(ctx context.Context, path, algorithm string, size int) ([]byte, error) {
	if _, err := c.want(ctx, "OPTS HASH "+algorithm, ""); err != nil {
		return nil, err
	}
	return c.digest(ctx, "HASH", path, size)
}

// digest finds the digest in a reply: of the many forms in use all have it as a word, "213 SHA-256 0-49 digest
// name" or "250 digest". A name that looks like one comes after it.
func (c *Conn) digest(ctx context.Context, verb, path string, size int) ([]byte, error) {
	r, err := c.want(ctx, verb, path)
	if err != nil {
		return nil, err
	}
	for _, line := range r.Lines {
		for word := range strings.FieldsSeq(line) {
			if sum, err := hex.DecodeString(word); err == nil && len(sum) == size {
				return sum, nil
			}
		}
	}
	return nil, pathError(verb, path, fmt.Errorf("%w: no digest in %q", ErrProtocol, r))
}
