package s3

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
	"github.com/ftpgate/ftpgate/protocol/vfs/vfstest"
)

// TestContract runs the suite of every backend on every server there is.
func TestContract(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) { vfstest.Run(t, contractOn(st)) })
}

// TestContractOfParts: with small parts the uploads of the suite are multipart, and
// their digests made of those of the parts.
func TestContractOfParts(t *testing.T) {
	st := newFake(t, fake.Options{MinPartSize: 32 << 10})
	small := func(o *Options) {
		o.minPart, o.PartSize, o.CopyPart, o.MetadataCache, o.Put.Checksum = 32<<10, 64<<10, 64<<10, 0, "CRC32C"
	}
	if err := storing("/f", vfs.ModeReplace, 0, sample("parts", 200<<10))(st.backend(t, small).Open("", 0)); err != nil {
		t.Fatal(err)
	}
	if n := st.wire.Count("UploadPart"); n != 4 {
		t.Fatalf("an upload had %d parts", n)
	}
	vfstest.Run(t, contractOn(st, small))
}

func contractOn(st *store, change ...func(*Options)) vfstest.Backend {
	return vfstest.Backend{
		New: func(t vfstest.TB) vfstest.Tree {
			st := st.fresh()
			o := Options{Client: st.client, Bucket: st.bucket, Prefix: st.prefix, MetadataCache: time.Minute}
			for _, f := range change {
				f(&o)
			}
			b, err := New(o)
			if err != nil {
				t.Fatalf("%v", err)
			}
			t.Cleanup(func() {
				for _, key := range st.uploadsOf(t) {
					t.Errorf("a multipart upload of %q lingers", key)
				}
			})
			return vfstest.Tree{
				Open:      func(owner string) afero.Fs { return b.Open(owner, 0) },
				Forbidden: []string{st.bucket + "/", strings.TrimSuffix(st.prefix, "/"), "http://", "127.0.0.1"},
			}
		},
		Except: st.can.except(),
	}
}

// except names the clauses that a server cannot meet.
func (a abilities) except() map[string]string {
	out := make(map[string]string)
	if !a.objectAndPrefix {
		const why = "this server has no object and prefix of one name"
		for _, clause := range []string{"both", "both-listed", "both-renamed", "mkdir-beside"} {
			out["implied-dirs/"+clause] = why
		}
	}
	if !a.anyName {
		out["names/awkward"] = "this server cannot list names with control characters"
	}
	return out
}
