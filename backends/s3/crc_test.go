package s3

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

var crcs = []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme}

// The CRC of the whole is made of those of its parts, wherever it is cut.
func TestCombine(t *testing.T) {
	data := noise(70_000)
	for _, algorithm := range crcs {
		c := crcOf(algorithm)
		of := func(b []byte) uint64 {
			h := newSum(algorithm)
			h.Write(b)
			return c.number(h.Sum(nil))
		}
		whole := of(data)
		for _, cut := range []int{0, 1, 2, 63, 64, 65, 4096, 65_537, len(data) - 1, len(data)} {
			if got := c.combine(of(data[:cut]), of(data[cut:]), int64(len(data)-cut)); got != whole {
				t.Errorf("%s cut at %d: %#x, want %#x", algorithm, cut, got, whole)
			}
		}
		if h := newSum(algorithm); !bytes.Equal(c.digest(of(nil)), h.Sum(nil)) {
			t.Errorf("%s of nothing is %x", algorithm, c.digest(of(nil)))
		}
	}
	// A part may be of any size: a terabyte of zeros comes of doubling.
	for _, algorithm := range crcs {
		c, h := crcOf(algorithm), newSum(algorithm)
		h.Write(make([]byte, 1<<10))
		doubled := c.number(h.Sum(nil))
		start := doubled
		for size := int64(1 << 10); size < 1<<40; size *= 2 {
			doubled = c.combine(doubled, doubled, size)
		}
		added := start
		for _, size := range []int64{1 << 10, 1 << 11, 1 << 12} { // 1, 2, 4, 8 KiB by another way
			zeros := newSum(algorithm)
			zeros.Write(make([]byte, size))
			added = c.combine(added, c.number(zeros.Sum(nil)), size)
		}
		zeros := newSum(algorithm)
		zeros.Write(make([]byte, 8<<10))
		if added != c.number(zeros.Sum(nil)) || doubled == 0 || doubled == math.MaxUint64 {
			t.Errorf("%s of zeros: %#x, %#x", algorithm, added, doubled)
		}
	}
}

// A large upload is compared with the checksum of the whole, and has it afterwards; so has one
// that continues a short object. Where the store has copied some of it nothing is promised.
func TestWholeChecksum(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, algorithm := range crcs {
			t.Run(string(algorithm), func(t *testing.T) {
				r := newRig(t, st.fresh(), func(o *Options) {
					o.Put.Checksum, o.CopyPart = string(algorithm), testPart
				})
				r.wire.Forget()
				data := noise(3*testPart + 12345)
				promised := func() string {
					t.Helper()
					for _, rec := range r.wire.Log() {
						if rec.Op == "CompleteMultipartUpload" {
							return rec.Header.Get("X-Amz-Checksum-" + string(algorithm))
						}
					}
					t.Fatal("nothing was completed")
					return ""
				}
				sum := func(data []byte) string {
					h := newSum(algorithm)
					h.Write(data)
					return base64.StdEncoding.EncodeToString(h.Sum(nil))
				}
				if err := r.upload("/f", vfs.ModeReplace, data); err != nil {
					t.Fatal(err)
				}
				if got := promised(); got != sum(data) {
					t.Errorf("promised %q, want %q", got, sum(data))
				}
				r.digests("/f", data, hashOf(algorithm))
				more := noise(testPart + 99)
				for _, head := range [][]byte{noise(100), data} {
					if err := r.upload("/f", vfs.ModeReplace, head); err != nil {
						t.Fatal(err)
					}
					r.wire.Forget()
					if err := r.upload("/f", vfs.ModeAppend, more); err != nil {
						t.Fatal(err)
					}
					whole := append(slices.Clone(head), more...)
					r.stores("f", whole)
					want, stored := sum(whole), hashOf(algorithm)
					if len(head) > testPart {
						if want = ""; algorithm != types.ChecksumAlgorithmCrc64nvme { // of which there is no other kind
							stored = 0
						}
					}
					if got := promised(); got != want {
						t.Errorf("%d bytes continued: promised %q, want %q", len(head), got, want)
					}
					if stored == 0 || want != "" || st.fake != nil { // see createInput
						r.digests("/f", whole, stored)
					}
				}
			})
		}
	})
}

// What has changed on its way is not published.
func TestWholeChecksumDiffers(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{}))
	f := r.create("/f", vfs.ModeReplace).(*upload)
	if err := write(f, noise(2*testPart+5)); err != nil {
		t.Fatal(err)
	}
	f.parts.wg.Wait()
	f.parts.sized(2, testPart-1) // as if the second one had been cut
	if err := f.Close(); !errors.Is(err, vfs.ErrTransient) {
		t.Errorf("published: %v", err)
	}
	r.empty()
}

// Older stores know checksums of parts only, and would compare the whole with those.
func TestNoWholeChecksum(t *testing.T) {
	for _, algorithm := range []string{"CRC32", "CRC32C", "SHA256"} {
		r := newRig(t, newFake(t, fake.Options{NoFullObject: true}), func(o *Options) { o.Put.Checksum = algorithm })
		for _, size := range []int{100, 2*testPart + 5} {
			if err := r.upload("/f", vfs.ModeReplace, noise(size)); err != nil {
				t.Fatalf("%s of %d bytes: %v", algorithm, size, err)
			}
			r.stores("f", noise(size))
			want := hashOf(types.ChecksumAlgorithm(algorithm)) | vfs.MD5
			if size > testPart {
				want = 0 // a checksum of checksums is none of the content
			}
			r.digests("/f", noise(size), want)
		}
	}
}

// A store that refuses to hear of types of checksums gets none of them.
func TestChecksumTypeRefused(t *testing.T) {
	r := newRig(t, newFake(t, fake.Options{NoFullObject: true}))
	hits := r.wire.Inject(fake.Fault{Op: "CreateMultipartUpload", Times: 1, Effect: fake.Refuse(501, "NotImplemented")})
	if err := r.upload("/f", vfs.ModeReplace, noise(2*testPart+5)); err != nil {
		t.Fatal(err)
	}
	r.stores("f", noise(2*testPart+5))
	var types []string
	for _, rec := range r.wire.Log() {
		if rec.Op == "CreateMultipartUpload" {
			types = append(types, rec.Header.Get("X-Amz-Checksum-Type"))
		}
	}
	if want := []string{"FULL_OBJECT", ""}; !slices.Equal(types, want) || hits() != 1 {
		t.Errorf("asked for %q, want %q", types, want)
	}
}

// digests checks what is stored with a file: exactly want.
func (r *rig) digests(name string, content []byte, want vfs.Hashes) {
	r.Helper()
	var stored vfs.Hashes
	for h := range vfs.AllHashes.Each() {
		digest, size, err := vfs.Digest(r.fs, name, h)
		if none, ok := errors.AsType[*vfs.NoDigestError](err); ok {
			if none.Stored != want {
				r.Errorf("%s of %s: %v, want those of %s", h, name, err, want)
			}
			continue
		}
		stored |= h
		sum := h.New()
		sum.Write(content)
		if got := fmt.Sprintf("%x %d %v", digest, size, err); got != fmt.Sprintf("%x %d <nil>", sum.Sum(nil), len(content)) {
			r.Errorf("%s of %s: %s", h, name, got)
		}
	}
	if stored != want {
		r.Errorf("%s has %s, want %s", name, stored, want)
	}
}
