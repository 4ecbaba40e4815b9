package fake

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

// checksumNames are the algorithms of x-amz-checksum-*.
var checksumNames = []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"}

func checksumHeader(name string) string {
	return http.CanonicalHeaderKey("X-Amz-Checksum-" + name)
}

func newHash(name string) hash.Hash {
	switch name {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "CRC64NVME":
		return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5))
	case "SHA1":
		return sha1.New()
	case "SHA256":
		return sha256.New()
	}
	return nil
}

func encoded(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }

// digests are what is computed while a body is read.
type digests struct {
	md5    hash.Hash
	sha256 hash.Hash // of the payload hash; nil if it is not that
	sums   map[string]hash.Hash
}

// expected names the checksums that a request has, in headers or in its trailer.
func expected(h http.Header) []string {
	var names []string
	for _, name := range checksumNames {
		if h.Get(checksumHeader(name)) != "" || strings.EqualFold(h.Get("X-Amz-Trailer"), checksumHeader(name)) {
			names = append(names, name)
		}
	}
	return names
}

func newDigests(h http.Header) *digests {
	d := &digests{md5: md5.New(), sums: make(map[string]hash.Hash)}
	for _, name := range expected(h) {
		d.sums[name] = newHash(name)
	}
	if len(h.Get("X-Amz-Content-Sha256")) == 2*sha256.Size {
		d.sha256 = sha256.New()
	}
	return d
}

func (d *digests) Write(p []byte) (int, error) {
	d.md5.Write(p)
	if d.sha256 != nil {
		d.sha256.Write(p)
	}
	for _, h := range d.sums {
		h.Write(p)
	}
	return len(p), nil
}

// verify compares with what the request says; the trailer is nil if there is none.
func (d *digests) verify(h, trailer http.Header) error {
	if want := h.Get("Content-Md5"); want != "" {
		if raw, err := base64.StdEncoding.DecodeString(want); err != nil || len(raw) != md5.Size {
			return refuse(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		if want != encoded(d.md5) {
			return errBadDigest
		}
	}
	if d.sha256 != nil && hex.EncodeToString(d.sha256.Sum(nil)) != h.Get("X-Amz-Content-Sha256") {
		return refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	for name, sum := range d.sums {
		want := h.Get(checksumHeader(name))
		if want == "" {
			want = trailer.Get(checksumHeader(name))
		}
		if want == "" {
			return refuse(http.StatusBadRequest, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
		}
		if want != encoded(sum) {
			return errBadDigest
		}
	}
	return nil
}

func (d *digests) checksums() map[string]string {
	sums := make(map[string]string)
	for name, h := range d.sums {
		sums[name] = encoded(h)
	}
	return sums
}

func (e *exchange) showChecksums(sums map[string]string, kind string) {
	for name, sum := range sums {
		e.set(checksumHeader(name), sum)
	}
	if len(sums) > 0 {
		e.setChecksumType(kind)
	}
}

func (e *exchange) setChecksumType(kind string) {
	if !e.s.o.NoFullObject {
		e.set("X-Amz-Checksum-Type", kind)
	}
}

// tag is the ETag of one body.
func (d *digests) tag() string { return fmt.Sprintf(`"%x"`, d.md5.Sum(nil)) }

// randomTag is an ETag that is no MD5 of anything.
func randomTag(serial int64) string {
	return fmt.Sprintf(`"%x"`, md5.Sum(fmt.Appendf(nil, "etag %d", serial)))
}

// compositeTag is the ETag of a multipart upload.
func compositeTag(tags []string) string {
	h := md5.New()
	for _, tag := range tags {
		raw, err := hex.DecodeString(strings.Trim(tag, `"`))
		if err != nil {
			raw = []byte(tag)
		}
		h.Write(raw)
	}
	return fmt.Sprintf(`"%x-%d"`, h.Sum(nil), len(tags))
}

// sum gives o the checksum of its whole, as the upload u promised.
func (e *exchange) sum(o *Object, u *upload, parts map[string][]string) error {
	if u.algorithm == "" {
		return nil
	}
	h := newHash(u.algorithm)
	if h == nil {
		return refuse(http.StatusBadRequest, "InvalidRequest", "Checksum algorithm provided is unsupported.")
	}
	if u.kind == "COMPOSITE" {
		sums := parts[u.algorithm]
		if len(sums) != len(o.Parts) {
			return refuse(http.StatusBadRequest, "InvalidRequest", "The upload was created using a "+strings.ToLower(u.algorithm)+" checksum. The complete request must include the checksum for each part.")
		}
		for _, sum := range sums {
			raw, err := base64.StdEncoding.DecodeString(sum)
			if err != nil {
				return errBadDigest
			}
			h.Write(raw)
		}
		if want := e.Header.Get(checksumHeader(u.algorithm)); want != "" && want != encoded(h) {
			return errBadDigest // it is not the whole that is compared
		}
		o.Checksums = map[string]string{u.algorithm: fmt.Sprintf("%s-%d", encoded(h), len(sums))}
		return nil
	}
	if e.s.o.Discard {
		return nil // of what, if the bytes are gone?
	}
	_, _ = o.content.WriteTo(h) // a hash takes everything
	o.Checksums = map[string]string{u.algorithm: encoded(h)}
	if want := e.Header.Get(checksumHeader(u.algorithm)); want != "" && want != encoded(h) {
		return errBadDigest
	}
	return nil
}
