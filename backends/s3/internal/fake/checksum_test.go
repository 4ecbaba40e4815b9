package fake

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func crc(s string) string {
	h := crc32.NewIEEE()
	_, _ = io.WriteString(h, s)
	return encoded(h)
}

func TestChecksums(t *testing.T) {
	b := newBench(t, Options{})
	for _, algorithm := range types.ChecksumAlgorithm("").Values() {
		key := aws.String(string(algorithm))
		if newHash(*key) == nil {
			continue // XXHASH and the like, which the SDK does not compute either
		}
		_, err := b.api.PutObject(b.ctx, &s3.PutObjectInput{Bucket: testBucket, Key: key, Body: strings.NewReader("hello"), ChecksumAlgorithm: algorithm})
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if o, _ := b.server.Object("bucket", *key); o.Checksums[*key] == "" {
			t.Errorf("%s is not stored: %v", algorithm, o.Checksums)
		}
		out, err := b.api.GetObject(b.ctx, &s3.GetObjectInput{Bucket: testBucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(out.Body); err != nil || string(got) != "hello" {
			t.Errorf("%s: read %q, %v", algorithm, got, err)
		}
	}
	if o, _ := b.server.Object("bucket", "CRC32"); o.Checksums["CRC32"] != crc("hello") {
		t.Errorf("CRC32 is %s, want %s", o.Checksums["CRC32"], crc("hello"))
	}
}

func TestWrongChecksums(t *testing.T) {
	b := newBench(t, Options{})
	_, err := b.api.PutObject(b.ctx, &s3.PutObjectInput{Bucket: testBucket, Key: aws.String("f"), Body: strings.NewReader("hello"), ChecksumCRC32: aws.String(crc("other"))})
	b.fails(err, 400, "BadDigest")
	sum := md5.Sum([]byte("other"))
	_, err = b.api.PutObject(b.ctx, &s3.PutObjectInput{Bucket: testBucket, Key: aws.String("f"), Body: strings.NewReader("hello"), ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:]))})
	b.fails(err, 400, "BadDigest")
	_, err = b.api.PutObject(b.ctx, &s3.PutObjectInput{Bucket: testBucket, Key: aws.String("f"), Body: strings.NewReader("hello"), ContentMD5: aws.String("nonsense")})
	b.fails(err, 400, "InvalidDigest")
	if keys := b.server.Keys("bucket", ""); len(keys) != 0 {
		t.Errorf("stored nevertheless: %q", keys)
	}
}

// TestTrailer: over TLS the SDK sends the body as aws-chunked, with the checksum behind it.
func TestTrailer(t *testing.T) {
	server := New(Options{})
	server.CreateBucket("bucket")
	h := httptest.NewTLSServer(server)
	defer h.Close()
	wire := NewWire(h.Client().Transport)
	b := newBench(t, Options{}, func(o *s3.Options) {
		o.BaseEndpoint, o.HTTPClient = &h.URL, &http.Client{Transport: wire}
	})
	content := strings.Repeat("0123456789", 20_000)
	_, err := b.api.PutObject(b.ctx, &s3.PutObjectInput{
		Bucket: testBucket, Key: aws.String("f"), Body: io.MultiReader(strings.NewReader(content)), ContentLength: aws.Int64(int64(len(content))),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		t.Fatal(err)
	}
	o, _ := server.Object("bucket", "f")
	if string(o.Bytes()) != content || o.Checksums["CRC32"] != crc(content) {
		t.Errorf("%d bytes with %v", o.Size, o.Checksums)
	}
	if rec := wire.Log()[0]; rec.Content != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" {
		t.Errorf("sent as %s", rec.Content)
	}
}

// TestAWSChunked decodes what a client over TLS sends.
func TestAWSChunked(t *testing.T) {
	b := newBench(t, Options{})
	send := func(body, mode string, headers ...string) (int, string) {
		return b.raw("PUT", "/bucket/chunked", body, append([]string{"X-Amz-Content-Sha256", mode, "Content-Encoding", "aws-chunked"}, headers...)...)
	}
	trailer := []string{"X-Amz-Decoded-Content-Length", "10", "X-Amz-Trailer", "x-amz-checksum-crc32"}
	const unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	good := "4\r\n0123\r\n6\r\n456789\r\n0\r\nx-amz-checksum-crc32:" + crc("0123456789") + "\r\n\r\n"
	if status, answer := send(good, unsigned, trailer...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if got := b.get("chunked"); got != "0123456789" {
		t.Errorf("decoded as %q", got)
	}
	if o, _ := b.server.Object("bucket", "chunked"); o.Checksums["CRC32"] != crc("0123456789") || o.Other["Content-Encoding"] != "" {
		t.Errorf("stored with %v, %v", o.Checksums, o.Other)
	}
	if status, answer := send("4;chunk-signature=aa\r\n0123\r\n0;chunk-signature=bb\r\n\r\n", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "X-Amz-Decoded-Content-Length", "4"); status != 200 {
		t.Errorf("signed chunks: %d %s", status, answer)
	}
	for what, body := range map[string]string{
		"BadDigest":             strings.Replace(good, crc("0123456789"), crc("other"), 1),
		"MalformedTrailerError": "a\r\n0123456789\r\n0\r\n\r\n",
		"IncompleteBody":        "4\r\n0123\r\n0\r\nx-amz-checksum-crc32:" + crc("0123") + "\r\n\r\n",
		"InvalidRequest":        "4\r\n01234\r\n0\r\n\r\n",
	} {
		if status, answer := send(body, unsigned, trailer...); status != 400 || !strings.Contains(answer, "<Code>"+what+"<") {
			t.Errorf("%s: %d %s", what, status, answer)
		}
	}
	if b.get("chunked") != "0123" {
		t.Errorf("a refused body was stored")
	}
}

func TestMultipartChecksums(t *testing.T) {
	b := newBench(t, Options{MinPartSize: 1})
	for kind, want := range map[types.ChecksumType]string{
		types.ChecksumTypeFullObject: crc("onetwo"),
		types.ChecksumTypeComposite:  composite(t, crc("one"), crc("two")),
	} {
		key := aws.String(string(kind))
		up, err := b.api.CreateMultipartUpload(b.ctx, &s3.CreateMultipartUploadInput{Bucket: testBucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32, ChecksumType: kind})
		if err != nil {
			t.Fatal(err)
		}
		var parts []types.CompletedPart
		for i, content := range []string{"one", "two"} {
			n := aws.Int32(int32(i + 1))
			out, err := b.api.UploadPart(b.ctx, &s3.UploadPartInput{Bucket: testBucket, Key: key, UploadId: up.UploadId, PartNumber: n, Body: strings.NewReader(content), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, types.CompletedPart{PartNumber: n, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32})
		}
		wrong := parts[1]
		wrong.ChecksumCRC32 = aws.String(crc("other"))
		in := &s3.CompleteMultipartUploadInput{Bucket: testBucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{parts[0], wrong}}}
		_, err = b.api.CompleteMultipartUpload(b.ctx, in)
		b.fails(err, 400, "InvalidPart")
		in.MultipartUpload.Parts = parts
		out, err := b.api.CompleteMultipartUpload(b.ctx, in)
		if err != nil || aws.ToString(out.ChecksumCRC32) != want {
			t.Errorf("%s: %v, %v, want %s", kind, err, out, want)
		}
	}
}

func composite(t *testing.T, sums ...string) string {
	t.Helper()
	h := crc32.NewIEEE()
	for _, sum := range sums {
		raw, err := base64.StdEncoding.DecodeString(sum)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(h, bytes.NewReader(raw))
	}
	return fmt.Sprintf("%s-%d", encoded(h), len(sums))
}
