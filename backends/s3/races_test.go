package s3

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ftpgate/ftpgate/backends/s3/internal/fake"
	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// putParts stores an object of two parts, whose ETag is that of no content.
func (st *store) putParts(t testing.TB, key, seed string) (content string) {
	t.Helper()
	k := aws.String(st.prefix + key)
	up, err := st.direct.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: &st.bucket, Key: k})
	if err != nil {
		t.Fatal(err)
	}
	in := &sdk.CompleteMultipartUploadInput{Bucket: &st.bucket, Key: k, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{}}
	for n := int32(1); n <= 2; n++ {
		part := sample(seed, faultPart)
		out, err := st.direct.UploadPart(t.Context(), &sdk.UploadPartInput{Bucket: &st.bucket, Key: k, UploadId: up.UploadId, PartNumber: &n, Body: strings.NewReader(part)})
		if err != nil {
			t.Fatal(err)
		}
		in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, types.CompletedPart{PartNumber: aws.Int32(n), ETag: out.ETag})
		content += part
	}
	if _, err := st.direct.CompleteMultipartUpload(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return content
}

// TestSameSizeIsNotOurs: somebody takes the name of an exclusive rename in the same
// second, with an object that has the size, and the number of parts, of ours. What was
// there is not taken for our copy, even if the first answer of the server was lost:
// the old name would be deleted, and with it the only copy.
func TestSameSizeIsNotOurs(t *testing.T) {
	for name, copyPart := range map[string]int64{"whole": 0, "parts": faultPart} {
		for _, retried := range []bool{false, true} {
			st := newFake(t, fake.Options{MinPartSize: leastPart})
			ours := st.putParts(t, "f", "ours")
			fsys := st.backend(t, func(o *Options) { o.Client, o.CopyPart, o.minPart = st.stubborn(), copyPart, leastPart }).Open("", 0)
			op := map[string]string{"whole": "CopyObject", "parts": "CompleteMultipartUpload"}[name]
			var theirs string
			if retried {
				st.wire.Inject(fake.Fault{Op: op, Times: 1, Effect: fake.Reset()})
			}
			st.wire.Inject(fake.Fault{Op: op, Times: 1, Effect: fake.Before(func() { theirs = st.putParts(t, "g", "theirs") })})
			if err := vfs.RenameExclusive(fsys, "/f", "/g"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s, retried %t: %v", name, retried, err)
			}
			if got, _ := st.get(t, "g"); theirs == "" || got != theirs {
				t.Errorf("%s, retried %t: theirs is %.20q", name, retried, got)
			}
			if got, _ := st.get(t, "f"); got != ours {
				t.Errorf("%s, retried %t: ours is %.20q", name, retried, got)
			}
			if left := st.uploads(t); len(left) > 0 {
				t.Errorf("%s, retried %t: %q linger", name, retried, left)
			}
		}
	}
}

// TestHeadInParts: the parts that a head is copied in are none of them too small.
func TestHeadInParts(t *testing.T) {
	for _, extra := range []int{-1, 0, 1, 2, leastPart - 1} {
		st := newFake(t, fake.Options{MinPartSize: leastPart})
		old := sample("old", 3*leastPart+extra)
		st.put(t, "f", old)
		b := st.backend(t, func(o *Options) { o.minPart, o.PartSize, o.CopyPart = leastPart, leastPart, leastPart })
		if err := storing("/f", vfs.ModeAppend, 0, "more")(b.Open("", 0)); err != nil {
			t.Errorf("%d bytes: %v", len(old), err)
		}
		if got, _ := st.get(t, "f"); got != old+"more" {
			t.Errorf("%d bytes became %d", len(old), len(got))
		}
	}
}
