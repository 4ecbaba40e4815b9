package fake

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// raw sends a request as no SDK would.
func (b *bench) raw(method, path, body string, headers ...string) (status int, answer string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.ctx, method, *b.api.Options().BaseEndpoint+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
	r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.wire.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestUnsignedAndSkewed(t *testing.T) {
	b := newBench(t, Options{})
	b.put("f", "x")
	if status, answer := b.raw("GET", "/bucket/f", "", "Authorization", ""); status != 403 || !strings.Contains(answer, "AccessDenied") {
		t.Errorf("without a signature: %d %s", status, answer)
	}
	old := time.Now().Add(-16 * time.Minute).UTC().Format("20060102T150405Z")
	if status, answer := b.raw("GET", "/bucket/f", "", "X-Amz-Date", old); status != 403 || !strings.Contains(answer, "RequestTimeTooSkewed") {
		t.Errorf("with an old clock: %d %s", status, answer)
	}
	if status, answer := b.raw("GET", "/bucket/f?torrent", "", "X-Amz-Copy-Source", "x"); status != 200 || answer != "x" {
		t.Errorf("a plain GET: %d %s", status, answer)
	}
	if status, _ := b.raw("PATCH", "/bucket/f", ""); status != 501 {
		t.Errorf("an unknown method: %d", status)
	}
	if _, answer := b.raw("GET", "/bucket/none", ""); !strings.Contains(answer, "<RequestId>FAKE") {
		t.Errorf("an error without a request id: %s", answer)
	}
}

func TestCustomerKey(t *testing.T) {
	b := newBench(t, Options{})
	key := strings.Repeat("k", 32)
	sum := md5.Sum([]byte(key))
	enc, digest := aws.String(base64.StdEncoding.EncodeToString([]byte(key))), aws.String(base64.StdEncoding.EncodeToString(sum[:]))
	sse := func(extra ...string) []string {
		return append([]string{
			"X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256",
			"X-Amz-Server-Side-Encryption-Customer-Key", *enc, "X-Amz-Server-Side-Encryption-Customer-Key-Md5", *digest,
		}, extra...)
	}
	if status, answer := b.raw("PUT", "/bucket/f", "secret", sse()...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if status, answer := b.raw("GET", "/bucket/f", "", sse()...); status != 200 || answer != "secret" {
		t.Errorf("with the key: %d %s", status, answer)
	}
	if status, _ := b.raw("GET", "/bucket/f", ""); status != 400 {
		t.Errorf("without the key: %d", status)
	}
	other := strings.Repeat("o", 32)
	sum = md5.Sum([]byte(other))
	if status, _ := b.raw("GET", "/bucket/f", "", sse(
		"X-Amz-Server-Side-Encryption-Customer-Key", base64.StdEncoding.EncodeToString([]byte(other)),
		"X-Amz-Server-Side-Encryption-Customer-Key-Md5", base64.StdEncoding.EncodeToString(sum[:]))...); status != 403 {
		t.Errorf("with another key: %d", status)
	}
	if status, _ := b.raw("PUT", "/bucket/g", "", sse("X-Amz-Server-Side-Encryption-Customer-Key-Md5", "AAAAAAAAAAAAAAAAAAAAAA==")...); status != 400 {
		t.Errorf("with the MD5 of another key: %d", status)
	}
	if status, _ := b.raw("PUT", "/bucket/copy", "", "X-Amz-Copy-Source", "bucket/f"); status != 400 {
		t.Errorf("a copy without the key: %d", status)
	}
	o, _ := b.server.Object("bucket", "f")
	if o.ETag == fmt.Sprintf(`"%x"`, md5.Sum([]byte("secret"))) {
		t.Errorf("the ETag is the MD5 of the secret")
	}
}

func TestAttributes(t *testing.T) {
	b := newBench(t, Options{})
	in := &s3.PutObjectInput{
		Bucket: testBucket, Key: aws.String("f"), ContentType: aws.String("text/plain"), ContentEncoding: aws.String("gzip"),
		Metadata: map[string]string{"mtime": "1.5"}, Tagging: aws.String("a=b%20c&d=e"), StorageClass: types.StorageClassStandardIa,
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("key"), ACL: types.ObjectCannedACLBucketOwnerFullControl,
	}
	put, err := b.api.PutObject(b.ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if put.ServerSideEncryption != types.ServerSideEncryptionAwsKms {
		t.Errorf("encryption is not echoed: %+v", put)
	}
	_, err = b.api.CopyObject(b.ctx, &s3.CopyObjectInput{Bucket: testBucket, Key: aws.String("g"), CopySource: aws.String("bucket/f")})
	if err != nil {
		t.Fatal(err)
	}
	head, err := b.api.HeadObject(b.ctx, &s3.HeadObjectInput{Bucket: testBucket, Key: aws.String("g")})
	if err != nil {
		t.Fatal(err)
	}
	if *head.ContentType != "text/plain" || *head.ContentEncoding != "gzip" || !maps.Equal(head.Metadata, in.Metadata) {
		t.Errorf("the copy has %+v", head)
	}
	if head.ServerSideEncryption != "" || head.StorageClass != "" {
		t.Errorf("a copy took over class or encryption, which it must be told: %+v", head)
	}
	tags, err := b.api.GetObjectTagging(b.ctx, &s3.GetObjectTaggingInput{Bucket: testBucket, Key: aws.String("g")})
	if err != nil || len(tags.TagSet) != 2 || *tags.TagSet[0].Value != "b c" {
		t.Errorf("tags of the copy: %v, %+v", err, tags)
	}
	in.Metadata = map[string]string{"long": strings.Repeat("x", 2<<10)}
	_, err = b.api.PutObject(b.ctx, in)
	b.fails(err, 400, "MetadataTooLarge")
}

func TestLimits(t *testing.T) {
	b := newBench(t, Options{MaxPutSize: 10, MaxCopySize: 20, MaxParts: 2})
	_, err := b.api.PutObject(b.ctx, &s3.PutObjectInput{Bucket: testBucket, Key: aws.String("f"), Body: strings.NewReader("12345678901")})
	b.fails(err, 400, "EntityTooLarge")
	b.server.PutZeros("bucket", "f", 21)
	_, err = b.api.CopyObject(b.ctx, &s3.CopyObjectInput{Bucket: testBucket, Key: aws.String("g"), CopySource: aws.String("bucket/f")})
	b.fails(err, 400, "InvalidRequest")
	up, err := b.api.CreateMultipartUpload(b.ctx, &s3.CreateMultipartUploadInput{Bucket: testBucket, Key: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.api.UploadPart(b.ctx, &s3.UploadPartInput{Bucket: testBucket, Key: aws.String("f"), UploadId: up.UploadId, PartNumber: aws.Int32(3)})
	b.fails(err, 400, "InvalidArgument")
}

func TestUniform(t *testing.T) {
	for sizes, want := range map[[3]int]string{{5, 5, 1}: "", {5, 5, 5}: "", {5, 6, 1}: "InvalidPart", {5, 5, 6}: "InvalidPart"} {
		b := newBench(t, Options{MinPartSize: 1, Uniform: true})
		up, err := b.api.CreateMultipartUpload(b.ctx, &s3.CreateMultipartUploadInput{Bucket: testBucket, Key: aws.String("f")})
		if err != nil {
			t.Fatal(err)
		}
		in := &s3.CompleteMultipartUploadInput{Bucket: testBucket, Key: aws.String("f"), UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{}}
		for i, size := range sizes {
			n := aws.Int32(int32(i + 1))
			out, err := b.api.UploadPart(b.ctx, &s3.UploadPartInput{Bucket: testBucket, Key: aws.String("f"), UploadId: up.UploadId, PartNumber: n, Body: strings.NewReader(strings.Repeat("x", size))})
			if err != nil {
				t.Fatal(err)
			}
			in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, types.CompletedPart{PartNumber: n, ETag: out.ETag})
		}
		if _, err = b.api.CompleteMultipartUpload(b.ctx, in); want != "" {
			b.fails(err, 400, want)
		} else if err != nil {
			t.Error(err)
		}
	}
}

func TestZerosAndDiscard(t *testing.T) {
	b := newBench(t, Options{Discard: true})
	b.server.PutZeros("bucket", "huge", 6<<40)
	head, err := b.api.HeadObject(b.ctx, &s3.HeadObjectInput{Bucket: testBucket, Key: aws.String("huge")})
	if err != nil || *head.ContentLength != 6<<40 {
		t.Errorf("%v, %+v", err, head)
	}
	out, err := b.api.GetObject(b.ctx, &s3.GetObjectInput{Bucket: testBucket, Key: aws.String("huge"), Range: aws.String("bytes=-100000")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(out.Body); err != nil || len(got) != 100_000 || strings.Trim(string(got), "\x00") != "" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	etag := b.put("f", "hello world")
	if o, _ := b.server.Object("bucket", "f"); o.Size != 11 || etag != `"5eb63bbbe01eeed093cb22bb8f5acdc3"` || b.get("f") != strings.Repeat("\x00", 11) {
		t.Errorf("discarded: %+v", o)
	}
}

func TestDeleteObjects(t *testing.T) {
	b := newBench(t, Options{})
	etag := b.put("a", "1")
	b.put("b", "2")
	out, err := b.api.DeleteObjects(b.ctx, &s3.DeleteObjectsInput{Bucket: testBucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("a"), ETag: &etag}, {Key: aws.String("b"), ETag: &etag}, {Key: aws.String("c")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Key != "b" || *out.Errors[0].Code != "PreconditionFailed" {
		t.Errorf("%+v", out)
	}
	if keys := b.server.Keys("bucket", ""); len(keys) != 1 || keys[0] != "b" {
		t.Errorf("left: %q", keys)
	}
}

func TestListManyPages(t *testing.T) {
	b := newBench(t, Options{})
	for i := range 2500 {
		b.server.Put("bucket", fmt.Sprintf("d/%04d", i), nil)
		b.server.Put("bucket", fmt.Sprintf("e%04d/x", i), nil)
	}
	for prefix, want := range map[string]int{"d/": 2500, "": 2501} {
		pages := s3.NewListObjectsV2Paginator(b.api, &s3.ListObjectsV2Input{Bucket: testBucket, Prefix: &prefix, Delimiter: aws.String("/")})
		seen := make(map[string]bool)
		for pages.HasMorePages() {
			page, err := pages.NextPage(b.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.Contents) + len(page.CommonPrefixes); n > 1000 || int(*page.KeyCount) != n {
				t.Errorf("a page of %d says %d", n, *page.KeyCount)
			}
			for _, o := range page.Contents {
				seen[*o.Key] = true
			}
			for _, c := range page.CommonPrefixes {
				seen[*c.Prefix] = true
			}
		}
		if len(seen) != want {
			t.Errorf("%q: %d entries, want %d", prefix, len(seen), want)
		}
	}
}
