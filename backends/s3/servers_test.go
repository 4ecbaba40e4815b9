package s3

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// TestServers asks every server what this backend depends on. The fake is held
// to what Amazon documents; where versitygw is known to differ stands what it does.
func TestServers(t *testing.T) {
	eachStore(t, func(t *testing.T, st *store) {
		for _, q := range serverQuestions {
			t.Run(q.name, func(t *testing.T) {
				want := q.want
				if st.name == "versitygw" && q.versity != "" {
					want = q.versity
				}
				if got := q.ask(&asker{t, st.fresh()}); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	})
}

// asker makes requests with the SDK and says in a few words what came of it.
type asker struct {
	t *testing.T
	*store
}

func (a *asker) key(name string) *string { return aws.String(a.prefix + name) }

// outcome is "ok", or status and code of an error.
func outcome(err error) string {
	var api smithy.APIError
	var resp interface{ HTTPStatusCode() int }
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &api) && errors.As(err, &resp):
		return fmt.Sprintf("%d %s", resp.HTTPStatusCode(), api.ErrorCode())
	}
	return err.Error()
}

func (a *asker) putIf(key, match, noneMatch string) string {
	in := &sdk.PutObjectInput{Bucket: &a.bucket, Key: a.key(key), Body: strings.NewReader("new")}
	if match != "" {
		in.IfMatch = &match
	}
	if noneMatch != "" {
		in.IfNoneMatch = &noneMatch
	}
	_, err := a.direct.PutObject(a.t.Context(), in)
	return outcome(err)
}

func (a *asker) content(key string) string {
	content, ok := a.get(a.t, key)
	if !ok {
		return "nothing"
	}
	return content
}

func (a *asker) begin(key string) *string {
	out, err := a.direct.CreateMultipartUpload(a.t.Context(), &sdk.CreateMultipartUploadInput{
		Bucket: &a.bucket, Key: a.key(key), Metadata: map[string]string{"mtime": "12.5"}, ContentType: aws.String("text/plain")})
	if err != nil {
		a.t.Fatal(err)
	}
	return out.UploadId
}

func (a *asker) part(key string, id *string, n int32, size int) types.CompletedPart {
	body := strings.Repeat(string('a'+n), size)
	out, err := a.direct.UploadPart(a.t.Context(), &sdk.UploadPartInput{Bucket: &a.bucket, Key: a.key(key), UploadId: id, PartNumber: &n, Body: strings.NewReader(body)})
	if err != nil {
		a.t.Fatal(err)
	}
	return types.CompletedPart{PartNumber: &n, ETag: out.ETag}
}

func (a *asker) complete(key string, id *string, match, noneMatch string, parts ...types.CompletedPart) string {
	in := &sdk.CompleteMultipartUploadInput{Bucket: &a.bucket, Key: a.key(key), UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}
	if match != "" {
		in.IfMatch = &match
	}
	if noneMatch != "" {
		in.IfNoneMatch = &noneMatch
	}
	_, err := a.direct.CompleteMultipartUpload(a.t.Context(), in)
	return outcome(err)
}

func (a *asker) copyPart(key string, id *string, n int32, from, byteRange, match string) (types.CompletedPart, string) {
	in := &sdk.UploadPartCopyInput{Bucket: &a.bucket, Key: a.key(key), UploadId: id, PartNumber: &n, CopySource: aws.String(a.bucket + "/" + *a.key(from))}
	if byteRange != "" {
		in.CopySourceRange = &byteRange
	}
	if match != "" {
		in.CopySourceIfMatch = &match
	}
	out, err := a.direct.UploadPartCopy(a.t.Context(), in)
	if err != nil {
		return types.CompletedPart{}, outcome(err)
	}
	return types.CompletedPart{PartNumber: &n, ETag: out.CopyPartResult.ETag}, "ok"
}

func (a *asker) copy(from, to string, change func(*sdk.CopyObjectInput)) string {
	in := &sdk.CopyObjectInput{Bucket: &a.bucket, Key: a.key(to), CopySource: aws.String(a.bucket + "/" + *a.key(from))}
	if change != nil {
		change(in)
	}
	_, err := a.direct.CopyObject(a.t.Context(), in)
	return outcome(err)
}

func (a *asker) remove(key, match string) string {
	in := &sdk.DeleteObjectInput{Bucket: &a.bucket, Key: a.key(key)}
	if match != "" {
		in.IfMatch = &match
	}
	_, err := a.direct.DeleteObject(a.t.Context(), in)
	return outcome(err)
}

func (a *asker) rangeOf(key, byteRange string) string {
	out, err := a.direct.GetObject(a.t.Context(), &sdk.GetObjectInput{Bucket: &a.bucket, Key: a.key(key), Range: &byteRange})
	if err != nil {
		return outcome(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	return fmt.Sprintf("%q %s %s", b, aws.ToString(out.ContentRange), outcome(err))
}

func (a *asker) readIf(key, match, noneMatch string) string {
	in := &sdk.GetObjectInput{Bucket: &a.bucket, Key: a.key(key)}
	if match != "" {
		in.IfMatch = &match
	}
	if noneMatch != "" {
		in.IfNoneMatch = &noneMatch
	}
	out, err := a.direct.GetObject(a.t.Context(), in)
	if err == nil {
		out.Body.Close()
	}
	return outcome(err)
}

// list shows a listing below the prefix: keys, common prefixes with a "+", a page a line.
func (a *asker) list(prefix, delimiter, after string, size int32) string {
	in := &sdk.ListObjectsV2Input{Bucket: &a.bucket, Prefix: a.key(prefix), MaxKeys: &size}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	if after != "" {
		in.StartAfter = a.key(after)
	}
	var pages []string
	p := sdk.NewListObjectsV2Paginator(a.direct, in)
	for p.HasMorePages() {
		page, err := p.NextPage(a.t.Context())
		if err != nil {
			return outcome(err)
		}
		var names []string
		for _, o := range page.Contents {
			names = append(names, strings.TrimPrefix(*o.Key, a.prefix))
		}
		for _, c := range page.CommonPrefixes {
			names = append(names, "+"+strings.TrimPrefix(*c.Prefix, a.prefix))
		}
		pages = append(pages, strings.Join(names, " "))
	}
	return strings.Join(pages, "\n")
}
