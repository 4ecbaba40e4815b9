package fake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// bench is a fake, a wire and a client of the SDK.
type bench struct {
	t      *testing.T
	ctx    context.Context
	server *Server
	wire   *Wire
	api    *s3.Client
}

var testBucket = aws.String("bucket")

func newBench(t *testing.T, o Options, change ...func(*s3.Options)) *bench {
	t.Helper()
	server := New(o)
	server.CreateBucket("bucket")
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	wire := NewWire(transport)
	opts := s3.Options{
		Region: "us-east-1", BaseEndpoint: &h.URL, UsePathStyle: true, HTTPClient: &http.Client{Transport: wire},
		Credentials: credentials.NewStaticCredentialsProvider("a", "s", ""), Retryer: aws.NopRetryer{},
	}
	for _, f := range change {
		f(&opts)
	}
	return &bench{t, t.Context(), server, wire, s3.New(opts)}
}

func (b *bench) put(key, content string) string {
	b.t.Helper()
	out, err := b.api.PutObject(b.ctx, &s3.PutObjectInput{Bucket: testBucket, Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		b.t.Fatalf("put %q: %v", key, err)
	}
	return *out.ETag
}

func (b *bench) get(key string) string {
	b.t.Helper()
	out, err := b.api.GetObject(b.ctx, &s3.GetObjectInput{Bucket: testBucket, Key: &key})
	if err != nil {
		b.t.Fatalf("get %q: %v", key, err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		b.t.Fatalf("get %q: %v", key, err)
	}
	return string(content)
}

// fails checks code and status of an error of the API.
func (b *bench) fails(err error, status int, code string) {
	b.t.Helper()
	var api smithy.APIError
	var resp interface{ HTTPStatusCode() int }
	if !errors.As(err, &api) || !errors.As(err, &resp) || api.ErrorCode() != code || resp.HTTPStatusCode() != status {
		b.t.Errorf("%v, want %d %s", err, status, code)
	}
}

func TestPutAndGet(t *testing.T) {
	b := newBench(t, Options{})
	etag := b.put("a b/c+d%é", "hello world")
	if got := b.get("a b/c+d%é"); got != "hello world" {
		t.Errorf("got %q", got)
	}
	if etag != `"5eb63bbbe01eeed093cb22bb8f5acdc3"` {
		t.Errorf("ETag %s is not the MD5", etag)
	}
	head, err := b.api.HeadObject(b.ctx, &s3.HeadObjectInput{Bucket: testBucket, Key: aws.String("a b/c+d%é")})
	if err != nil || *head.ContentLength != 11 || *head.ETag != etag {
		t.Errorf("head: %v, %+v", err, head)
	}
	_, err = b.api.HeadObject(b.ctx, &s3.HeadObjectInput{Bucket: testBucket, Key: aws.String("none")})
	b.fails(err, 404, "NotFound")
	_, err = b.api.GetObject(b.ctx, &s3.GetObjectInput{Bucket: testBucket, Key: aws.String("none")})
	b.fails(err, 404, "NoSuchKey")
	_, err = b.api.GetObject(b.ctx, &s3.GetObjectInput{Bucket: aws.String("other"), Key: aws.String("none")})
	b.fails(err, 404, "NoSuchBucket")
}

func TestMultipart(t *testing.T) {
	b := newBench(t, Options{MinPartSize: 10})
	key := aws.String("big")
	up, err := b.api.CreateMultipartUpload(b.ctx, &s3.CreateMultipartUploadInput{Bucket: testBucket, Key: key, Metadata: map[string]string{"mtime": "1.5"}})
	if err != nil {
		t.Fatal(err)
	}
	var done types.CompletedMultipartUpload
	for i, content := range []string{"0123456789", "abcdefghijklm", "end"} {
		n := aws.Int32(int32(i + 1))
		out, err := b.api.UploadPart(b.ctx, &s3.UploadPartInput{Bucket: testBucket, Key: key, UploadId: up.UploadId, PartNumber: n, Body: bytes.NewReader([]byte(content))})
		if err != nil {
			t.Fatal(err)
		}
		done.Parts = append(done.Parts, types.CompletedPart{ETag: out.ETag, PartNumber: n})
	}
	out, err := b.api.CompleteMultipartUpload(b.ctx, &s3.CompleteMultipartUploadInput{Bucket: testBucket, Key: key, UploadId: up.UploadId, MultipartUpload: &done})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(*out.ETag, `-3"`) || b.get("big") != "0123456789abcdefghijklmend" {
		t.Errorf("%s, %q", *out.ETag, b.get("big"))
	}
	if o, _ := b.server.Object("bucket", "big"); o.Metadata["mtime"] != "1.5" {
		t.Errorf("metadata %v", o.Metadata)
	}
	_, err = b.api.CompleteMultipartUpload(b.ctx, &s3.CompleteMultipartUploadInput{Bucket: testBucket, Key: key, UploadId: up.UploadId, MultipartUpload: &done})
	b.fails(err, 404, "NoSuchUpload")
}
